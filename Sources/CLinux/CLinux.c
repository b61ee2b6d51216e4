#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int shale_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int shale_o_path(void) { return O_PATH; }
int shale_o_tmpfile(void) { return O_TMPFILE; }
int shale_at_empty_path(void) { return AT_EMPTY_PATH; }

int shale_renameat2(int from, const char *old, int to, const char *new_name, unsigned flags) {
    return renameat2(from, old, to, new_name, flags);
}

int shale_fstatat(int directory, const char *path, int flags, shale_stat *out) {
    struct stat info;
    if (fstatat(directory, path, &info, flags) != 0) return -1;
    *out = (shale_stat){
        .mode = info.st_mode,
        .uid = info.st_uid,
        .gid = info.st_gid,
        .links = (uint32_t)info.st_nlink,
        .inode = info.st_ino,
        .device = info.st_dev,
        .rdev_major = major(info.st_rdev),
        .rdev_minor = minor(info.st_rdev),
        .size = info.st_size,
        .blocks = info.st_blocks,
        .mtime_seconds = info.st_mtim.tv_sec,
        .mtime_nanoseconds = info.st_mtim.tv_nsec,
        .ctime_seconds = info.st_ctim.tv_sec,
        .ctime_nanoseconds = info.st_ctim.tv_nsec,
    };
    return 0;
}

int shale_is_mount_point(int directory, const char *path) {
    struct statx info;
    if (statx(directory, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &info) != 0) return -1;
    return (info.stx_attributes & info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
}

int shale_mknodat(int directory, const char *path, uint32_t mode, uint32_t major_number, uint32_t minor_number) {
    return mknodat(directory, path, mode, makedev(major_number, minor_number));
}

ssize_t shale_llistxattr(const char *path, char *list, size_t size) { return llistxattr(path, list, size); }
ssize_t shale_lgetxattr(const char *path, const char *name, void *value, size_t size) {
    return lgetxattr(path, name, value, size);
}
int shale_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    return lsetxattr(path, name, value, size, flags);
}
int shale_lremovexattr(const char *path, const char *name) { return lremovexattr(path, name); }
ssize_t shale_flistxattr(int fd, char *list, size_t size) { return flistxattr(fd, list, size); }
ssize_t shale_fgetxattr(int fd, const char *name, void *value, size_t size) {
    return fgetxattr(fd, name, value, size);
}
int shale_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
    return fsetxattr(fd, name, value, size, flags);
}
int shale_fremovexattr(int fd, const char *name) { return fremovexattr(fd, name); }

ssize_t shale_copy_file_range(int from, int to, int64_t position, size_t count) {
    off64_t at[2] = {position, position};
    return copy_file_range(from, &at[0], to, &at[1], count, 0);
}

int shale_clone_file(int from, int to) { return ioctl(to, FICLONE, from); }

int shale_flock(int fd, int exclusive, int wait) {
    return flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB));
}

int shale_lock_place(int fd, int64_t place, int how, int wait) {
    struct flock lock = {0};
    lock.l_type = how == SHALE_PLACE_ALONE ? F_WRLCK : how == SHALE_PLACE_SHARED ? F_RDLCK : F_UNLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = place;
    lock.l_len = 1;
    return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
}

int shale_spread_subdirectories(int fd) {
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return -1;
    if (flags & FS_TOPDIR_FL) return 0;
    flags |= FS_TOPDIR_FL;
    return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

struct shale_directory {
    DIR *stream;
};

shale_directory *shale_directory_open(int fd) {
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int error = errno;
        close(fd);
        errno = error;
        return NULL;
    }
    shale_directory *directory = malloc(sizeof *directory);
    if (directory == NULL) {
        closedir(stream);
        errno = ENOMEM;
        return NULL;
    }
    directory->stream = stream;
    return directory;
}

int shale_directory_next(shale_directory *directory, const char **name, uint8_t *type) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(directory->stream);
        if (entry == NULL) return errno == 0 ? 0 : -1;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        *name = entry->d_name;
        *type = entry->d_type;
        return 1;
    }
}

void shale_directory_close(shale_directory *directory) {
    closedir(directory->stream);
    free(directory);
}
