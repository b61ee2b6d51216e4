// libseccomp, loaded on first use. Functions return 0, or a negative errno unless said otherwise.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if __has_feature(nullability)
#define SHALE_NONNULL _Nonnull
#define SHALE_NULLABLE _Nullable
#else
#define SHALE_NONNULL
#define SHALE_NULLABLE
#endif

/// Loads libseccomp.so.2; NULL when that worked, else what went wrong (static memory).
const char *SHALE_NULLABLE shale_seccomp_load_library(void);

typedef struct shale_seccomp shale_seccomp;

typedef enum {
    SHALE_SECCOMP_ALLOW,
    SHALE_SECCOMP_ERRNO,
    SHALE_SECCOMP_KILL_THREAD,
    SHALE_SECCOMP_KILL_PROCESS,
    SHALE_SECCOMP_TRAP,
    SHALE_SECCOMP_TRACE,
    SHALE_SECCOMP_LOG,
} shale_seccomp_action;

typedef enum {
    SHALE_SECCOMP_NE = 1,
    SHALE_SECCOMP_LT,
    SHALE_SECCOMP_LE,
    SHALE_SECCOMP_EQ,
    SHALE_SECCOMP_GE,
    SHALE_SECCOMP_GT,
    SHALE_SECCOMP_MASKED_EQ,
} shale_seccomp_comparison;

typedef struct {
    uint32_t index;
    shale_seccomp_comparison comparison;
    /// For MASKED_EQ the mask, and then the value.
    uint64_t first;
    uint64_t second;
} shale_seccomp_argument;

/// A filter for the host's architecture; NULL without memory. `data` is the errno or trace number of the action.
shale_seccomp *SHALE_NULLABLE shale_seccomp_new(shale_seccomp_action action, uint32_t data);
void shale_seccomp_free(shale_seccomp *SHALE_NONNULL filter);
/// `name` as libseccomp has it: x86, x86_64, x32, aarch64, …; one that is there already is no error.
int shale_seccomp_add_architecture(shale_seccomp *SHALE_NONNULL filter, const char *SHALE_NONNULL name);
/// The number of a system call on the host's architecture, negative for one it does not have.
int shale_seccomp_number(const char *SHALE_NONNULL name);
/// All arguments must match; 1 for a name libseccomp does not know.
int shale_seccomp_add_rule(shale_seccomp *SHALE_NONNULL filter, shale_seccomp_action action, uint32_t data,
                           const char *SHALE_NONNULL name, const shale_seccomp_argument *SHALE_NULLABLE arguments,
                           size_t count);
/// Writes the program (struct sock_filter, one after another) to a descriptor.
int shale_seccomp_export(shale_seccomp *SHALE_NONNULL filter, int fd);
/// An unnamed file in memory, -1 with errno on failure.
int shale_seccomp_memory_file(void);
/// The audit architecture number of the host.
uint32_t shale_seccomp_native_audit(void);
