/// Docker's default seccomp profile: the system calls that a container may make, and their conditions.
///
/// The names are those of moby's `profiles/seccomp/default.json` (2025). All other system calls fail with EPERM.
enum SeccompDefault {
    /// Must change with every change below, so that cached programs of older tables are not used.
    static let revision = "moby-2025-1"

    /// The system calls that every container may make.
    private static let always = """
        accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32
        clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
        clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3
        epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
        eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate
        fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync
        fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync
        ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat
        get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32
        getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority
        getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt
        gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
        inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit
        ioctl ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self
        lchown lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek
        lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret
        mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify
        mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal
        msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat
        _newselect open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free
        pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6
        pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom
        recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2
        restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
        rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
        sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
        sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
        sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
        semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area
        set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer
        setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32
        setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown
        sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs
        statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time
        timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
        timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate
        truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes
        vfork vmsplice wait4 waitid waitpid write writev
        """

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
    }

    private static func allow(
        _ names: String, when includes: SeccompProfile.Condition? = nil,
        unless excludes: SeccompProfile.Condition? = nil,
        arguments: [SeccompProfile.Argument] = []
    ) -> SeccompProfile.Rule {
        SeccompProfile.Rule(
            names: words(names), action: "SCMP_ACT_ALLOW", arguments: arguments, includes: includes,
            excludes: excludes)
    }

    private static func argument(
        _ index: UInt32, _ comparison: String, _ value: UInt64, _ second: UInt64 = 0
    ) -> [SeccompProfile.Argument] {
        [SeccompProfile.Argument(index: index, value: value, valueTwo: second, op: "SCMP_CMP_\(comparison)")]
    }

    private static func capability(_ name: String) -> SeccompProfile.Condition {
        SeccompProfile.Condition(caps: ["CAP_\(name)"])
    }

    private static func arches(_ names: String) -> SeccompProfile.Condition {
        SeccompProfile.Condition(arches: words(names))
    }

    /// All flags of clone(2) that make a namespace, except that of the time namespace.
    private static let namespaceFlags: UInt64 = 0x7E02_0000

    static let profile = SeccompProfile(
        defaultAction: "SCMP_ACT_ERRNO", defaultErrno: 1, architectures: nil,
        rules: [
            allow(always),
            allow(
                "process_vm_readv process_vm_writev ptrace", when: SeccompProfile.Condition(minKernel: "4.8")),
            // All families except vsock (40) and alg (38).
            allow("socket", arguments: argument(0, "LT", 38)),
            allow("socket", arguments: argument(0, "EQ", 39)),
            allow("socket", arguments: argument(0, "GT", 40)),
            allow("personality", arguments: argument(0, "EQ", 0)),
            allow("personality", arguments: argument(0, "EQ", 0x0008)),
            allow("personality", arguments: argument(0, "EQ", 0x2_0000)),
            allow("personality", arguments: argument(0, "EQ", 0x2_0008)),
            allow("personality", arguments: argument(0, "EQ", 0xFFFF_FFFF)),
            allow("sync_file_range2 swapcontext", when: arches("ppc64le")),
            allow(
                "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
                when: arches("arm arm64")),
            allow("arch_prctl", when: arches("amd64 x32")),
            allow("modify_ldt", when: arches("amd64 x32 x86")),
            allow("s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr", when: arches("s390 s390x")),
            allow("riscv_flush_icache", when: arches("riscv64")),
            allow("open_by_handle_at", when: capability("DAC_READ_SEARCH")),
            allow(
                """
                bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
                lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl
                quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare
                """, when: capability("SYS_ADMIN")),
            allow(
                "clone",
                unless: SeccompProfile.Condition(caps: ["CAP_SYS_ADMIN"], arches: ["s390", "s390x"]),
                arguments: argument(0, "MASKED_EQ", namespaceFlags)),
            // On this architecture the flags are the second argument of clone.
            allow(
                "clone", when: arches("s390 s390x"), unless: capability("SYS_ADMIN"),
                arguments: argument(1, "MASKED_EQ", namespaceFlags)),
            // The flags of clone3 are in memory, which a filter cannot read. ENOSYS makes libraries use clone instead.
            SeccompProfile.Rule(
                names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38, excludes: capability("SYS_ADMIN")),
            allow("reboot", when: capability("SYS_BOOT")),
            allow("chroot", when: capability("SYS_CHROOT")),
            allow("delete_module init_module finit_module", when: capability("SYS_MODULE")),
            allow("acct", when: capability("SYS_PACCT")),
            allow(
                "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
                when: capability("SYS_PTRACE")),
            allow("iopl ioperm", when: capability("SYS_RAWIO")),
            allow("settimeofday stime clock_settime clock_settime64", when: capability("SYS_TIME")),
            allow("vhangup", when: capability("SYS_TTY_CONFIG")),
            allow("get_mempolicy mbind set_mempolicy set_mempolicy_home_node", when: capability("SYS_NICE")),
            allow("syslog", when: capability("SYSLOG")),
            allow("bpf", when: capability("BPF")),
            allow("perf_event_open", when: capability("PERFMON")),
        ])
}
