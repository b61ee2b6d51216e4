#define _GNU_SOURCE
#include "CSeccomp.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct {
    scmp_filter_ctx (*init)(uint32_t);
    void (*release)(scmp_filter_ctx);
    uint32_t (*arch_resolve_name)(const char *);
    uint32_t (*arch_native)(void);
    int (*arch_add)(scmp_filter_ctx, uint32_t);
    int (*attr_set)(scmp_filter_ctx, enum scmp_filter_attr, uint32_t);
    int (*syscall_resolve_name)(const char *);
    int (*rule_add_array)(scmp_filter_ctx, uint32_t, int, unsigned int, const struct scmp_arg_cmp *);
    int (*export_bpf)(const scmp_filter_ctx, int);
} library;

static const char *problem = "libseccomp.so.2: not loaded";
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    void *handle = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        problem = "libseccomp.so.2 is not installed";
        return;
    }
    const struct {
        void *slot;
        const char *name;
    } symbols[] = {
        {&library.init, "seccomp_init"},
        {&library.release, "seccomp_release"},
        {&library.arch_resolve_name, "seccomp_arch_resolve_name"},
        {&library.arch_native, "seccomp_arch_native"},
        {&library.arch_add, "seccomp_arch_add"},
        {&library.attr_set, "seccomp_attr_set"},
        {&library.syscall_resolve_name, "seccomp_syscall_resolve_name"},
        {&library.rule_add_array, "seccomp_rule_add_array"},
        {&library.export_bpf, "seccomp_export_bpf"},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(handle, symbols[i].name);
        if (symbol == NULL) {
            problem = "libseccomp.so.2 is too old";
            return;
        }
        *(void **)symbols[i].slot = symbol;
    }
    problem = NULL;
}

const char *shale_seccomp_load_library(void) {
    pthread_once(&once, load);
    return problem;
}

struct shale_seccomp {
    scmp_filter_ctx context;
};

static uint32_t action_value(shale_seccomp_action action, uint32_t data) {
    switch (action) {
    case SHALE_SECCOMP_ALLOW: return SCMP_ACT_ALLOW;
    case SHALE_SECCOMP_ERRNO: return SCMP_ACT_ERRNO(data);
    case SHALE_SECCOMP_KILL_THREAD: return SCMP_ACT_KILL_THREAD;
    case SHALE_SECCOMP_KILL_PROCESS: return SCMP_ACT_KILL_PROCESS;
    case SHALE_SECCOMP_TRAP: return SCMP_ACT_TRAP;
    case SHALE_SECCOMP_TRACE: return SCMP_ACT_TRACE(data);
    case SHALE_SECCOMP_LOG: return SCMP_ACT_LOG;
    }
    return SCMP_ACT_KILL_PROCESS;
}

shale_seccomp *shale_seccomp_new(shale_seccomp_action action, uint32_t data) {
    if (shale_seccomp_load_library() != NULL) return NULL;
    shale_seccomp *filter = malloc(sizeof *filter);
    if (filter == NULL) return NULL;
    filter->context = library.init(action_value(action, data));
    if (filter->context == NULL) {
        free(filter);
        return NULL;
    }
    // A binary tree instead of a list; an older library does without.
    (void)library.attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return filter;
}

void shale_seccomp_free(shale_seccomp *filter) {
    library.release(filter->context);
    free(filter);
}

int shale_seccomp_add_architecture(shale_seccomp *filter, const char *name) {
    uint32_t token = library.arch_resolve_name(name);
    if (token == 0) return -EINVAL;
    int result = library.arch_add(filter->context, token);
    return result == -EEXIST ? 0 : result;
}

int shale_seccomp_number(const char *name) { return library.syscall_resolve_name(name); }

int shale_seccomp_add_rule(shale_seccomp *filter, shale_seccomp_action action, uint32_t data, const char *name,
                           const shale_seccomp_argument *arguments, size_t count) {
    int number = library.syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return 1;
    struct scmp_arg_cmp comparisons[6];
    if (count > 6) return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        comparisons[i] = (struct scmp_arg_cmp){
            .arg = arguments[i].index,
            .op = (enum scmp_compare)arguments[i].comparison,
            .datum_a = arguments[i].first,
            .datum_b = arguments[i].second,
        };
    }
    return library.rule_add_array(filter->context, action_value(action, data), number, (unsigned)count, comparisons);
}

int shale_seccomp_export(shale_seccomp *filter, int fd) { return library.export_bpf(filter->context, fd); }

int shale_seccomp_memory_file(void) { return memfd_create("seccomp", MFD_CLOEXEC); }

uint32_t shale_seccomp_native_audit(void) { return library.arch_native(); }
