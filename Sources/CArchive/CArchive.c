#define _GNU_SOURCE
#include "CArchive.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

// One line per function of libarchive that is used, so that table and loading cannot differ.
#define FUNCTIONS(X)                      \
    X(archive_read_new)                   \
    X(archive_read_support_format_raw)    \
    X(archive_read_support_filter_gzip)   \
    X(archive_read_support_filter_bzip2)  \
    X(archive_read_support_filter_xz)     \
    X(archive_read_support_filter_zstd)   \
    X(archive_read_open)                  \
    X(archive_read_next_header)           \
    X(archive_read_data_block)            \
    X(archive_read_free)                  \
    X(archive_write_new)                  \
    X(archive_write_set_format_raw)       \
    X(archive_write_add_filter_gzip)      \
    X(archive_write_add_filter_zstd)      \
    X(archive_write_set_filter_option)    \
    X(archive_write_open_memory)          \
    X(archive_write_header)               \
    X(archive_write_data)                 \
    X(archive_write_close)                \
    X(archive_write_free)                 \
    X(archive_entry_new)                  \
    X(archive_entry_set_filetype)         \
    X(archive_entry_free)                 \
    X(archive_error_string)

static struct {
#define MEMBER(name) __typeof__(&name) name;
    FUNCTIONS(MEMBER)
#undef MEMBER
} library;

static pthread_once_t loading = PTHREAD_ONCE_INIT;
static char load_error[256];

static void load(void) {
    void *handle = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *reason = dlerror();
        snprintf(load_error, sizeof load_error, "%s", reason != NULL ? reason : "cannot open libarchive.so.13");
        return;
    }
#define RESOLVE(name)                                                                       \
    *(void **)&library.name = dlsym(handle, #name);                                         \
    if (library.name == NULL) {                                                             \
        snprintf(load_error, sizeof load_error, "libarchive.so.13 has no function " #name); \
        return;                                                                             \
    }
    FUNCTIONS(RESOLVE)
#undef RESOLVE
}

const char *shale_archive_load(void) {
    pthread_once(&loading, load);
    return load_error[0] != '\0' ? load_error : NULL;
}

static const char *error_text(struct archive *archive, const char *fallback) {
    const char *text = library.archive_error_string(archive);
    return text != NULL ? text : fallback;
}

// Unpacking

struct shale_unpacking {
    struct archive *archive;
    void *context;
    shale_read_function read;
    int began;
};

static la_ssize_t feed(struct archive *archive, void *data, const void **bytes) {
    (void)archive;
    shale_unpacking *unpacking = data;
    ssize_t count = unpacking->read(unpacking->context, bytes);
    return count < 0 ? ARCHIVE_FATAL : count;
}

shale_unpacking *shale_unpacking_open(shale_filter filter, void *context, shale_read_function read) {
    if (shale_archive_load() != NULL) return NULL;
    shale_unpacking *unpacking = calloc(1, sizeof *unpacking);
    if (unpacking == NULL) return NULL;
    unpacking->archive = library.archive_read_new();
    if (unpacking->archive == NULL) {
        free(unpacking);
        return NULL;
    }
    unpacking->context = context;
    unpacking->read = read;
    switch (filter) {
    case SHALE_FILTER_GZIP: library.archive_read_support_filter_gzip(unpacking->archive); break;
    case SHALE_FILTER_BZIP2: library.archive_read_support_filter_bzip2(unpacking->archive); break;
    case SHALE_FILTER_XZ: library.archive_read_support_filter_xz(unpacking->archive); break;
    case SHALE_FILTER_ZSTD: library.archive_read_support_filter_zstd(unpacking->archive); break;
    }
    library.archive_read_support_format_raw(unpacking->archive);
    return unpacking;
}

// Opens the raw "archive" and steps to its one member; ARCHIVE_EOF when nothing was packed.
static int begin(shale_unpacking *unpacking) {
    unpacking->began = 1;
    int result = library.archive_read_open(unpacking->archive, unpacking, NULL, feed, NULL);
    if (result != ARCHIVE_OK) return result;
    struct archive_entry *entry = NULL;
    return library.archive_read_next_header(unpacking->archive, &entry);
}

int shale_unpacking_next(shale_unpacking *unpacking, const void **bytes, size_t *count) {
    if (!unpacking->began) {
        int result = begin(unpacking);
        if (result == ARCHIVE_EOF) return 0;
        if (result != ARCHIVE_OK) return -1;
    }
    for (;;) {
        la_int64_t offset = 0;
        int result = library.archive_read_data_block(unpacking->archive, bytes, count, &offset);
        if (result == ARCHIVE_EOF) return 0;
        if (result == ARCHIVE_RETRY) continue;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return -1;
        if (*count > 0) return 1;
    }
}

const char *shale_unpacking_error(shale_unpacking *unpacking) {
    return error_text(unpacking->archive, "damaged data");
}

void shale_unpacking_close(shale_unpacking *unpacking) {
    if (unpacking == NULL) return;
    library.archive_read_free(unpacking->archive);
    free(unpacking);
}

// Packing

// Sets the filter up; ARCHIVE_OK, or what refused.
static int prepare_packing(struct archive *archive, shale_filter filter, int level) {
    char text[12];
    snprintf(text, sizeof text, "%d", level);
    int result = filter == SHALE_FILTER_GZIP ? library.archive_write_add_filter_gzip(archive)
                                             : library.archive_write_add_filter_zstd(archive);
    if (result != ARCHIVE_OK) return result;
    // A time would make each packing another one.
    if (filter == SHALE_FILTER_GZIP) {
        result = library.archive_write_set_filter_option(archive, NULL, "timestamp", NULL);
        if (result != ARCHIVE_OK) return result;
    }
    result = library.archive_write_set_filter_option(archive, NULL, "compression-level", text);
    return result != ARCHIVE_OK ? result : library.archive_write_set_format_raw(archive);
}

static int write_packed(struct archive *archive, const void *bytes, size_t count) {
    struct archive_entry *entry = library.archive_entry_new();
    if (entry == NULL) return ARCHIVE_FATAL;
    library.archive_entry_set_filetype(entry, AE_IFREG);
    int result = library.archive_write_header(archive, entry);
    library.archive_entry_free(entry);
    if (result != ARCHIVE_OK) return result;
    if (count > 0 && library.archive_write_data(archive, bytes, count) != (la_ssize_t)count) return ARCHIVE_FATAL;
    return library.archive_write_close(archive);
}

ssize_t shale_pack(shale_filter filter, int level, const void *bytes, size_t count, void *target, size_t room,
                   char *error, size_t error_room) {
    const char *reason = shale_archive_load();
    if (reason != NULL) {
        snprintf(error, error_room, "%s", reason);
        return -1;
    }
    struct archive *archive = library.archive_write_new();
    if (archive == NULL) {
        snprintf(error, error_room, "no memory");
        return -1;
    }
    size_t used = 0;
    int result = prepare_packing(archive, filter, level);
    if (result == ARCHIVE_OK) result = library.archive_write_open_memory(archive, target, room, &used);
    if (result == ARCHIVE_OK) result = write_packed(archive, bytes, count);
    if (result != ARCHIVE_OK) snprintf(error, error_room, "%s", error_text(archive, "cannot pack"));
    library.archive_write_free(archive);
    return result == ARCHIVE_OK ? (ssize_t)used : -1;
}
