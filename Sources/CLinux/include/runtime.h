// System calls of containers: namespaces, mounts, credentials, terminals, sockets. Included by CLinux.h.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#if __has_feature(nullability)
#define SHALE_NONNULL _Nonnull
#define SHALE_NULLABLE _Nullable
#else
#define SHALE_NONNULL
#define SHALE_NULLABLE
#endif

// All return -1 with errno set on failure, unless said otherwise.

enum {
    SHALE_CLONE_NEWNS = 0x00020000,
    SHALE_CLONE_NEWCGROUP = 0x02000000,
    SHALE_CLONE_NEWUTS = 0x04000000,
    SHALE_CLONE_NEWIPC = 0x08000000,
    SHALE_CLONE_NEWUSER = 0x10000000,
    SHALE_CLONE_NEWPID = 0x20000000,
    SHALE_CLONE_NEWNET = 0x40000000,
    SHALE_CLONE_PARENT = 0x00008000,
};

/// Forks into new namespaces and, with a descriptor of a cgroup v2 directory (or -1), into that cgroup.
/// Returns 0 in the child.
pid_t shale_clone(uint64_t flags, int cgroup);
int shale_unshare(int flags);
int shale_setns(int fd, int flags);
int shale_pidfd_open(pid_t pid);
int shale_pidfd_send_signal(int pidfd, int signal);
int shale_pivot_root(const char *SHALE_NONNULL new_root, const char *SHALE_NONNULL put_old);
int shale_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
enum {
    SHALE_PR_SET_PDEATHSIG = 1,
    SHALE_PR_SET_DUMPABLE = 4,
    SHALE_PR_SET_KEEPCAPS = 8,
    SHALE_PR_SET_NAME = 15,
    SHALE_PR_CAPBSET_READ = 23,
    SHALE_PR_CAPBSET_DROP = 24,
    SHALE_PR_SET_CHILD_SUBREAPER = 36,
    SHALE_PR_SET_NO_NEW_PRIVS = 38,
    SHALE_PR_CAP_AMBIENT = 47,
    SHALE_PR_CAP_AMBIENT_CLEAR_ALL = 4,
};
/// close_range(2); closes at once, or with `on_exec` only marks.
int shale_close_range(unsigned first, unsigned last, int on_exec);
int shale_capget(uint64_t *SHALE_NONNULL effective, uint64_t *SHALE_NONNULL permitted,
                 uint64_t *SHALE_NONNULL inheritable);
int shale_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
/// seccomp(SECCOMP_SET_MODE_FILTER); the program as `struct sock_filter`s.
int shale_seccomp_load(const void *SHALE_NONNULL program, size_t bytes, unsigned flags);
/// Whether the kernel filters system calls.
int shale_seccomp_available(void);
int shale_setgroups(size_t count, const uint32_t *SHALE_NULLABLE groups);
int shale_setresuid(uint32_t uid);
int shale_setresgid(uint32_t gid);
int shale_setrlimit(int resource, uint64_t soft, uint64_t hard);
int shale_sethostname(const char *SHALE_NONNULL name, size_t length);
int shale_setdomainname(const char *SHALE_NONNULL name, size_t length);
/// A session keyring of its own, so that the container does not see the caller's keys.
int shale_join_session_keyring(void);
/// Brings the loopback interface of the present network namespace up.
int shale_loopback_up(void);
/// Runs body in a forked child and calls _exit with what it returns; returns the child's pid.
int shale_getcwd(char *SHALE_NONNULL buffer, size_t size);
long shale_statfs_type(const char *SHALE_NONNULL path);
int shale_eaccess_exec(const char *SHALE_NONNULL path);

// Mounts.
enum {
    SHALE_MS_RDONLY = 1,
    SHALE_MS_NOSUID = 2,
    SHALE_MS_NODEV = 4,
    SHALE_MS_NOEXEC = 8,
    SHALE_MS_SYNCHRONOUS = 16,
    SHALE_MS_REMOUNT = 32,
    SHALE_MS_NOATIME = 1024,
    SHALE_MS_NODIRATIME = 2048,
    SHALE_MS_BIND = 4096,
    SHALE_MS_REC = 16384,
    SHALE_MS_PRIVATE = 1 << 18,
    SHALE_MS_SLAVE = 1 << 19,
    SHALE_MS_RELATIME = 1 << 21,
    SHALE_MS_STRICTATIME = 1 << 24,
    SHALE_MNT_DETACH = 2,
    SHALE_MOUNT_ATTR_RDONLY = 1,
    SHALE_MOUNT_ATTR_NODEV = 4,
};
int shale_mount(const char *SHALE_NULLABLE source, const char *SHALE_NONNULL target, const char *SHALE_NULLABLE type,
                unsigned long flags, const char *SHALE_NULLABLE data);
int shale_umount(const char *SHALE_NONNULL target, int flags);
int shale_fsopen(const char *SHALE_NONNULL type);
int shale_fsconfig_string(int fs, const char *SHALE_NONNULL key, const char *SHALE_NONNULL value);
int shale_fsconfig_flag(int fs, const char *SHALE_NONNULL key);
int shale_fsconfig_create(int fs);
int shale_fsmount(int fs, unsigned attributes);
int shale_open_tree(int directory, const char *SHALE_NONNULL path, int clone, int recursive);
/// Attaches the mount `from` (a descriptor of its own) on what `to` refers to.
int shale_move_mount(int from, int to);
int shale_mount_setattr(int mount, int recursive, uint64_t set, uint64_t clear);

// Descriptors.
int shale_pipe(int ends[SHALE_NONNULL 2]);
int shale_socketpair(int ends[SHALE_NONNULL 2]);
int shale_dup3_plain(int from, int to);
int shale_set_nonblocking(int fd, int on);
/// A descriptor of the signals given (already blocked), non-blocking.
int shale_signalfd(const int *SHALE_NONNULL signals, size_t count);
/// The next signal's number, 0 when none waits.
int shale_signalfd_next(int fd);
/// Blocks (or unblocks) the signals given.
int shale_signals_block(const int *SHALE_NONNULL signals, size_t count, int block);
/// Every signal to its default action, and none blocked.
int shale_signals_reset(void);
int shale_signal_ignore(int number);
/// Waits for a child without hanging; returns its pid, 0 when none ended, -1. `status` as wait4 gives it.
pid_t shale_reap(int *SHALE_NONNULL status);
/// poll(2) with EINTR given back as 0.
typedef struct {
    int fd;
    short events;
    short revents;
} shale_pollfd;
int shale_poll(shale_pollfd *SHALE_NONNULL fds, size_t count, int timeout_milliseconds);
enum { SHALE_POLLIN = 1, SHALE_POLLOUT = 4, SHALE_POLLERR = 8, SHALE_POLLHUP = 16, SHALE_POLLNVAL = 32 };

// Sockets. A path is at most 107 bytes: callers go through /proc/self/fd/N.
int shale_unix_listen(const char *SHALE_NONNULL path);
int shale_unix_accept(int listener);
int shale_unix_connect(const char *SHALE_NONNULL path);
int shale_peer_uid(int socket, uint32_t *SHALE_NONNULL uid);
ssize_t shale_send_with_fd(int socket, const void *SHALE_NONNULL bytes, size_t count, int fd);
/// `fd` is -1 when none came.
ssize_t shale_receive_with_fd(int socket, void *SHALE_NONNULL bytes, size_t count, int *SHALE_NONNULL fd);
/// send(2) without SIGPIPE.
ssize_t shale_send(int socket, const void *SHALE_NONNULL bytes, size_t count);

// Terminals.
/// The number of a pseudo terminal's slave, unlocked.
int shale_pty_unlock(int master);
/// A descriptor of the slave that belongs to a master.
int shale_pty_peer(int master);
int shale_tty_control(int tty);
int shale_tty_size(int tty, uint16_t *SHALE_NONNULL rows, uint16_t *SHALE_NONNULL columns);
int shale_tty_resize(int tty, uint16_t rows, uint16_t columns);

// Devices of control groups.
/// Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE (bpf(2)) and attaches it to a v2 group that is open for reading.
int shale_cgroup_device_filter(int cgroup, const uint64_t *SHALE_NONNULL instructions, size_t count);

// Ports.
/// Binds a socket of the host's to an IPv4 address and port (0: any that is free) and closes it; the port, or -1.
int shale_port_probe(const char *SHALE_NONNULL address, uint16_t port, int datagram);
/// The address this host has towards others, as text; -1 without a route. Nothing is sent.
int shale_outbound_address(char *SHALE_NONNULL buffer, size_t size);
/// Milliseconds of a clock that only goes forward.
int64_t shale_monotonic_milliseconds(void);

// Spawning.
/// posix_spawn(3) of `path` in a session of its own, default signals, `channel` as descriptor 3, 0–2 on /dev/null
/// (or on `errors` for 2 if that is not -1), everything else closed. Returns an errno, 0 for success.
int shale_spawn_runner(const char *SHALE_NONNULL path, char *SHALE_NULLABLE const *SHALE_NONNULL arguments,
                       char *SHALE_NULLABLE const *SHALE_NONNULL environment, int channel, int errors,
                       pid_t *SHALE_NONNULL pid);

/// Enters a new user and mount namespace. `uid_map`/`gid_map` are argument lists for newuidmap and newgidmap without
/// the pid (inside, outside, count, …), NULL-terminated, or NULL for one id mapped to root. Must be single-threaded.
/// On failure `*step` names what failed: 1 unshare, 2 uid map, 3 gid map, 4 setgroups, 5 mount propagation.
int shale_enter_user_namespace(char *SHALE_NULLABLE const *SHALE_NULLABLE uid_map,
                               char *SHALE_NULLABLE const *SHALE_NULLABLE gid_map, int *SHALE_NONNULL step);
/// A fork for helpers of a single-threaded program.
pid_t shale_fork(void);
int shale_utimens_restore(int directory, int64_t seconds, int64_t nanoseconds);

/// Writes the numbers of the signals given to a pipe as they come, instead of their default action. One set at a
/// time: -1 with EBUSY while another is in use.
int shale_signal_pipe_open(const int *SHALE_NONNULL signals, size_t count, int pipe);
/// Puts the former handlers back.
void shale_signal_pipe_close(void);
