#define _GNU_SOURCE
#include "runtime.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// glibc 2.36 declares the mount API in <sys/mount.h>, which clashes with <linux/mount.h>; the old calls by number.
extern int mount(const char *, const char *, const char *, unsigned long, const void *);
extern int umount2(const char *, int);
extern int unshare(int);
extern int setns(int, int);

// Values newer than the headers of some hosts.
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

pid_t shale_clone(uint64_t flags, int cgroup) {
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    } arguments = {.flags = flags};
    // With CLONE_PARENT the child inherits the caller's own exit signal, and naming one is an error.
    arguments.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == -1 && (errno == ENOSYS || errno == E2BIG) && cgroup < 0) {
#if defined(__s390x__)
        pid = syscall(SYS_clone, 0, flags | arguments.exit_signal, 0, 0, 0);
#else
        pid = syscall(SYS_clone, flags | arguments.exit_signal, 0, 0, 0, 0);
#endif
    }
    return (pid_t)pid;
}

int shale_unshare(int flags) { return unshare(flags); }
int shale_setns(int fd, int flags) { return setns(fd, flags); }
int shale_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
int shale_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}
int shale_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}
int shale_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return prctl(option, a, b, c, d);
}

int shale_close_range(unsigned first, unsigned last, int on_exec) {
    if (syscall(SYS_close_range, first, last, on_exec ? 4 /* CLOSE_RANGE_CLOEXEC */ : 0) == 0) return 0;
    if (errno != ENOSYS && errno != EINVAL && errno != EPERM) return -1;
    unsigned end = last < 65536 ? last : 65536;
    for (unsigned fd = first; fd <= end; fd++) {
        if (on_exec) (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
        else (void)close((int)fd);
    }
    return 0;
}

int shale_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capget, &header, data) != 0) return -1;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int shale_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return (int)syscall(SYS_capset, &header, data);
}

int shale_seccomp_load(const void *program, size_t bytes, unsigned flags) {
    size_t count = bytes / sizeof(struct sock_filter);
    if (count == 0 || count > BPF_MAXINSNS || bytes % sizeof(struct sock_filter) != 0) {
        errno = EINVAL;
        return -1;
    }
    struct sock_fprog filter = {.len = (unsigned short)count, .filter = (struct sock_filter *)program};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) == 0) return 0;
    if (errno != EINVAL || flags == 0) return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
}

int shale_seccomp_available(void) {
    // A null program: EFAULT says that filters are known.
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == -1 && errno == EFAULT;
}

int shale_setgroups(size_t count, const uint32_t *groups) { return setgroups(count, groups); }
int shale_setresuid(uint32_t uid) { return setresuid(uid, uid, uid); }
int shale_setresgid(uint32_t gid) { return setresgid(gid, gid, gid); }

int shale_setrlimit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit64 limit = {.rlim_cur = soft, .rlim_max = hard};
    return prlimit64(0, resource, &limit, NULL);
}

int shale_sethostname(const char *name, size_t length) { return sethostname(name, length); }
int shale_setdomainname(const char *name, size_t length) { return setdomainname(name, length); }
int shale_join_session_keyring(void) {
    return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) == -1 ? -1 : 0;
}

int shale_loopback_up(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

int shale_getcwd(char *buffer, size_t size) { return syscall(SYS_getcwd, buffer, size) < 0 ? -1 : 0; }

long shale_statfs_type(const char *path) {
    struct statfs info;
    return statfs(path, &info) == 0 ? (long)info.f_type : -1;
}

int shale_eaccess_exec(const char *path) { return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS); }

int shale_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return mount(source, target, type, flags, data);
}
int shale_umount(const char *target, int flags) { return umount2(target, flags); }
int shale_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC); }
int shale_fsconfig_string(int fs, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}
int shale_fsconfig_flag(int fs, const char *key) {
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, key, NULL, 0);
}
int shale_fsconfig_create(int fs) { return (int)syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0); }
int shale_fsmount(int fs, unsigned attributes) {
    return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
}
int shale_open_tree(int directory, const char *path, int clone, int recursive) {
    unsigned flags = OPEN_TREE_CLOEXEC | (clone ? OPEN_TREE_CLONE : 0) | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0);
    if (*path == 0) flags |= AT_EMPTY_PATH;
    return (int)syscall(SYS_open_tree, directory, path, flags);
}
int shale_move_mount(int from, int to) {
    return (int)syscall(SYS_move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}
int shale_mount_setattr(int mount, int recursive, uint64_t set, uint64_t clear) {
    struct {
        uint64_t set, clear, propagation, user_namespace;
    } attributes = {.set = set, .clear = clear};
    return (int)syscall(442 /* mount_setattr */, mount, "", AT_EMPTY_PATH | (recursive ? 0x8000 : 0), &attributes,
                        sizeof attributes);
}

int shale_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
int shale_socketpair(int ends[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }

int shale_dup3_plain(int from, int to) {
    if (from != to) return dup2(from, to);
    int flags = fcntl(from, F_GETFD);
    return flags == -1 || fcntl(from, F_SETFD, flags & ~FD_CLOEXEC) == -1 ? -1 : to;
}

int shale_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1) return -1;
    return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

static void fill(sigset_t *set, const int *signals, size_t count) {
    sigemptyset(set);
    for (size_t i = 0; i < count; i++) sigaddset(set, signals[i]);
}

int shale_signalfd(const int *signals, size_t count) {
    sigset_t set;
    fill(&set, signals, count);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int shale_signalfd_next(int fd) {
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

int shale_signals_block(const int *signals, size_t count, int block) {
    sigset_t set;
    fill(&set, signals, count);
    int error = pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
    if (error == 0) return 0;
    errno = error;
    return -1;
}

int shale_signals_reset(void) {
    // By the raw call: glibc hides its own two signals, which posix_spawn leaves ignored, and the container's program
    // is to start with the kernel's defaults.
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } action = {0};
    for (int number = 1; number < 65; number++) {
        if (number == SIGKILL || number == SIGSTOP) continue;
        (void)syscall(SYS_rt_sigaction, number, &action, NULL, 8);
    }
    unsigned long none = 0;
    return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
}

int shale_signal_ignore(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0; }

pid_t shale_reap(int *status) { return waitpid(-1, status, WNOHANG); }

int shale_poll(shale_pollfd *fds, size_t count, int timeout_milliseconds) {
    _Static_assert(sizeof(shale_pollfd) == sizeof(struct pollfd), "layout of pollfd");
    int ready = poll((struct pollfd *)fds, count, timeout_milliseconds);
    return ready == -1 && errno == EINTR ? 0 : ready;
}

static int unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}

int shale_cgroup_device_filter(int cgroup, const uint64_t *instructions, size_t count) {
    union bpf_attr load;
    memset(&load, 0, sizeof load);
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.insns = (uint64_t)(uintptr_t)instructions;
    load.insn_cnt = (uint32_t)count;
    load.license = (uint64_t)(uintptr_t)"MIT";
    int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
    if (program == -1) return -1;
    union bpf_attr attach;
    memset(&attach, 0, sizeof attach);
    attach.target_fd = (uint32_t)cgroup;
    attach.attach_bpf_fd = (uint32_t)program;
    attach.attach_type = BPF_CGROUP_DEVICE;
    int result = (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach);
    int error = errno;
    close(program);
    errno = error;
    return result;
}

int shale_port_probe(const char *address, uint16_t port, int datagram) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, address, &place.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(AF_INET, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd == -1) return -1;
    int on = 1;
    // A port that waits for its last connections to fade away is free; one that is listened on is not.
    if (!datagram) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    socklen_t size = sizeof place;
    int result = bind(fd, (struct sockaddr *)&place, sizeof place);
    if (result == 0 && !datagram) result = listen(fd, 1);
    if (result == 0) result = getsockname(fd, (struct sockaddr *)&place, &size);
    int error = errno;
    close(fd);
    errno = error;
    return result == 0 ? ntohs(place.sin_port) : -1;
}

int shale_outbound_address(char *buffer, size_t size) {
    // A documentation address: connecting a datagram socket only asks the routing table.
    struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(9)}, own;
    inet_pton(AF_INET, "198.51.100.1", &far.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd == -1) return -1;
    socklen_t length = sizeof own;
    int result = connect(fd, (struct sockaddr *)&far, sizeof far);
    if (result == 0) result = getsockname(fd, (struct sockaddr *)&own, &length);
    close(fd);
    return result == 0 && inet_ntop(AF_INET, &own.sin_addr, buffer, (socklen_t)size) ? 0 : -1;
}

int64_t shale_monotonic_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int shale_unix_listen(const char *path) {
    struct sockaddr_un address;
    if (unix_address(&address, path) != 0) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    // The file's mode comes from the socket's own.
    if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int shale_unix_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int shale_unix_connect(const char *path) {
    struct sockaddr_un address;
    if (unix_address(&address, path) != 0) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int shale_peer_uid(int socket, uint32_t *uid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    *uid = credentials.uid;
    return 0;
}

ssize_t shale_send_with_fd(int socket, const void *bytes, size_t count, int fd) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t shale_receive_with_fd(int socket, void *bytes, size_t count, int *fd) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
    *fd = -1;
    ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (length < 0) return length;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
            header->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(fd, CMSG_DATA(header), sizeof *fd);
    }
    return length;
}

ssize_t shale_send(int socket, const void *bytes, size_t count) { return send(socket, bytes, count, MSG_NOSIGNAL); }

int shale_pty_unlock(int master) {
    int zero = 0, number = 0;
    if (ioctl(master, TIOCSPTLCK, &zero) != 0 || ioctl(master, TIOCGPTN, &number) != 0) return -1;
    return number;
}
int shale_pty_peer(int master) { return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); }
int shale_tty_control(int tty) { return ioctl(tty, TIOCSCTTY, 0); }
int shale_tty_size(int tty, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(tty, TIOCGWINSZ, &size) != 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
int shale_tty_resize(int tty, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(tty, TIOCSWINSZ, &size);
}

int shale_spawn_runner(const char *path, char *const *arguments, char *const *environment, int channel, int errors,
                       pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    // 3 first: it may stand where `errors` is, never below 3.
    if (error == 0 && errors >= 0) error = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, channel, 3);
    if (error == 0) error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, 0, 1);
    if (error == 0 && errors < 0) error = posix_spawn_file_actions_adddup2(&actions, 0, 2);
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    if (error == 0) error = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t length = write(fd, text, strlen(text));
    int error = errno;
    close(fd);
    errno = error;
    return length < 0 ? -1 : 0;
}

static int run_map(const char *const program, pid_t target, char *const *map) {
    char pid[16];
    char *arguments[64];
    size_t count = 0;
    snprintf(pid, sizeof pid, "%d", (int)target);
    arguments[count++] = (char *)program;
    arguments[count++] = pid;
    for (size_t i = 0; map[i] != NULL && count < 63; i++) arguments[count++] = map[i];
    arguments[count] = NULL;
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null >= 0) (void)dup2(null, 2);
        execvp(program, arguments);
        _exit(127);
    }
    int status = 0;
    if (child < 0) return -1;
    while (waitpid(child, &status, 0) == -1)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/// The helper outside: waits until the parent has unshared, then maps its ids; its exit status is the failed step.
static pid_t start_mapper(char *const *uid_map, char *const *gid_map, int ready[2]) {
    pid_t parent = getpid();
    pid_t mapper = fork();
    if (mapper != 0) return mapper;
    char byte;
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) _exit(1);
    if (run_map("newuidmap", parent, uid_map) != 0) _exit(2);
    if (run_map("newgidmap", parent, gid_map) != 0) _exit(3);
    _exit(0);
}

static int map_one_id(uint32_t uid, uint32_t gid, int *step) {
    char text[64];
    *step = 4;
    // Without it an unprivileged process may not write gid_map.
    if (write_file("/proc/self/setgroups", "deny") != 0 && errno != ENOENT) return -1;
    *step = 2;
    snprintf(text, sizeof text, "0 %u 1\n", uid);
    if (write_file("/proc/self/uid_map", text) != 0) return -1;
    *step = 3;
    snprintf(text, sizeof text, "0 %u 1\n", gid);
    return write_file("/proc/self/gid_map", text);
}

int shale_enter_user_namespace(char *const *uid_map, char *const *gid_map, int *step) {
    uint32_t uid = geteuid(), gid = getegid();
    int ready[2] = {-1, -1};
    pid_t mapper = -1;
    *step = 1;
    if (uid_map != NULL && gid_map != NULL) {
        if (pipe2(ready, O_CLOEXEC) != 0) return -1;
        mapper = start_mapper(uid_map, gid_map, ready);
        if (mapper < 0) return -1;
        close(ready[0]);
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        int error = errno;
        if (mapper > 0) {
            close(ready[1]);
            (void)waitpid(mapper, NULL, 0);
        }
        errno = error;
        return -1;
    }
    if (mapper > 0) {
        int status = 0;
        (void)!write(ready[1], "x", 1);
        close(ready[1]);
        while (waitpid(mapper, &status, 0) == -1 && errno == EINTR) {
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            *step = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
            // The ranges were refused: one id still works, and is what the caller may fall back to.
            int ranged = *step;
            if (ranged == 2 && map_one_id(uid, gid, step) == 0) {
                *step = ranged;
            } else {
                errno = EPERM;
                return -1;
            }
        } else {
            *step = 0;
        }
    } else {
        if (map_one_id(uid, gid, step) != 0) return -1;
        *step = 0;
    }
    int mapped = *step;
    *step = 5;
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) return -1;
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) return -1;
    *step = mapped;
    return 0;
}

pid_t shale_fork(void) { return fork(); }

int shale_utimens_restore(int directory, int64_t seconds, int64_t nanoseconds) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    return futimens(directory, times);
}

// One relay at a time owns the terminal's signals; the handlers only write a byte.
static volatile sig_atomic_t relay_pipe = -1;
static int relay_signals[16];
static struct sigaction relay_former[16];
static size_t relay_count;

static void relay_signal(int number) {
    int error = errno;
    unsigned char byte = (unsigned char)number;
    if (relay_pipe >= 0) (void)!write(relay_pipe, &byte, 1);
    errno = error;
}

int shale_signal_pipe_open(const int *signals, size_t count, int pipe) {
    if (relay_pipe >= 0 || count > 16) {
        errno = EBUSY;
        return -1;
    }
    relay_pipe = pipe;
    relay_count = count;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = relay_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < count; i++) {
        relay_signals[i] = signals[i];
        (void)sigaction(signals[i], &action, &relay_former[i]);
    }
    return 0;
}

void shale_signal_pipe_close(void) {
    for (size_t i = 0; i < relay_count; i++) (void)sigaction(relay_signals[i], &relay_former[i], NULL);
    relay_count = 0;
    relay_pipe = -1;
}
