// What Glibc's Swift module does not show: hidden system calls, and macros. No feature macro is defined here;
// CLinux.c defines _GNU_SOURCE for itself.
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

/// openat2(2); returns a descriptor, or -1 with errno set.
int shale_openat2(int directory, const char *SHALE_NONNULL path, uint64_t flags, uint64_t mode, uint64_t resolve);

enum {
    SHALE_RESOLVE_NO_XDEV = 0x01,
    SHALE_RESOLVE_NO_MAGICLINKS = 0x02,
    SHALE_RESOLVE_NO_SYMLINKS = 0x04,
    SHALE_RESOLVE_BENEATH = 0x08,
    SHALE_RESOLVE_IN_ROOT = 0x10,
};

int shale_o_path(void);
int shale_o_tmpfile(void);

/// renameat2(2).
int shale_renameat2(int from, const char *SHALE_NONNULL old, int to, const char *SHALE_NONNULL new_name, unsigned flags);
enum { SHALE_RENAME_NOREPLACE = 1, SHALE_RENAME_EXCHANGE = 2 };

/// What lstat tells, in fixed widths.
typedef struct {
    uint32_t mode;
    uint32_t uid;
    uint32_t gid;
    uint32_t links;
    uint64_t inode;
    uint64_t device;
    uint32_t rdev_major;
    uint32_t rdev_minor;
    int64_t size;
    int64_t blocks;
    int64_t mtime_seconds;
    int64_t mtime_nanoseconds;
    int64_t ctime_seconds;
    int64_t ctime_nanoseconds;
} shale_stat;

/// fstatat(2); flags as there (AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH).
int shale_fstatat(int directory, const char *SHALE_NONNULL path, int flags, shale_stat *SHALE_NONNULL out);
int shale_at_empty_path(void);
/// statx(2): 1 when something is mounted at a name, in whichever namespace the directory is of; 0 when not; else -1.
int shale_is_mount_point(int directory, const char *SHALE_NONNULL path);

int shale_mknodat(int directory, const char *SHALE_NONNULL path, uint32_t mode, uint32_t major, uint32_t minor);

// Extended attributes of /proc/self/fd/N and the like; each as its *xattr(2).
ssize_t shale_llistxattr(const char *SHALE_NONNULL path, char *SHALE_NULLABLE list, size_t size);
ssize_t shale_lgetxattr(const char *SHALE_NONNULL path, const char *SHALE_NONNULL name, void *SHALE_NULLABLE value,
                        size_t size);
int shale_lsetxattr(const char *SHALE_NONNULL path, const char *SHALE_NONNULL name, const void *SHALE_NONNULL value,
                    size_t size, int flags);
int shale_lremovexattr(const char *SHALE_NONNULL path, const char *SHALE_NONNULL name);
ssize_t shale_flistxattr(int fd, char *SHALE_NULLABLE list, size_t size);
ssize_t shale_fgetxattr(int fd, const char *SHALE_NONNULL name, void *SHALE_NULLABLE value, size_t size);
int shale_fsetxattr(int fd, const char *SHALE_NONNULL name, const void *SHALE_NONNULL value, size_t size, int flags);
int shale_fremovexattr(int fd, const char *SHALE_NONNULL name);

/// copy_file_range(2) from a position to the same one; returns bytes copied or -1.
ssize_t shale_copy_file_range(int from, int to, int64_t position, size_t count);
/// FICLONE; 0, or -1 with errno.
int shale_clone_file(int from, int to);
/// flock(2) with LOCK_* spelled out: exclusive or shared, waiting or not.
int shale_flock(int fd, int exclusive, int wait);
/// How a place of a file is locked.
enum { SHALE_PLACE_FREE = 0, SHALE_PLACE_SHARED = 1, SHALE_PLACE_ALONE = 2 };
/// F_OFD_SETLK, or with wait F_OFD_SETLKW, of one byte, which need not be there; 0, or -1 with errno.
int shale_lock_place(int fd, int64_t place, int how, int wait);
/// FS_TOPDIR_FL on a directory, as `chattr +T` sets it; 0, or -1 with errno.
int shale_spread_subdirectories(int fd);

/// One directory entry's name and d_type; 1 while there are more, 0 at the end, -1 with errno.
typedef struct shale_directory shale_directory;
/// Takes the descriptor over.
shale_directory *SHALE_NULLABLE shale_directory_open(int fd);
int shale_directory_next(shale_directory *SHALE_NONNULL directory, const char *SHALE_NULLABLE *SHALE_NONNULL name,
                         uint8_t *SHALE_NONNULL type);
void shale_directory_close(shale_directory *SHALE_NONNULL directory);

#include "runtime.h"
