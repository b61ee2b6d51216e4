// Unpacking of byte streams by libarchive's filters (gzip, bzip2, xz, zstd), and packing of pieces (gzip, zstd).
//
// libarchive.so.13 is opened on first use; nothing is linked. Only filters are used: the tar format is read and written
// by Layers itself, because libarchive converts names between character sets and composes Unicode names on reading.
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

/// Loads the library. NULL when it is there, else why not (a static or loader-owned text).
const char *SHALE_NULLABLE shale_archive_load(void);

typedef enum {
    SHALE_FILTER_GZIP = 1,
    SHALE_FILTER_BZIP2 = 2,
    SHALE_FILTER_XZ = 3,
    SHALE_FILTER_ZSTD = 4,
} shale_filter;

/// Answers packed bytes: their count, 0 at the end, -1 for an error. They stay valid until the next call.
typedef ssize_t (*shale_read_function)(void *SHALE_NULLABLE context, const void *SHALE_NULLABLE *SHALE_NONNULL bytes);

typedef struct shale_unpacking shale_unpacking;

/// Begins to unpack; NULL when the library is not there or memory is short.
shale_unpacking *SHALE_NULLABLE shale_unpacking_open(shale_filter filter, void *SHALE_NULLABLE context,
                                                     shale_read_function SHALE_NONNULL read);
/// The next unpacked bytes, valid until the next call: 1 with bytes, 0 at the end, -1 with an error's text.
int shale_unpacking_next(shale_unpacking *SHALE_NONNULL unpacking, const void *SHALE_NULLABLE *SHALE_NONNULL bytes,
                         size_t *SHALE_NONNULL count);
/// The last error's text, never NULL; valid until the unpacking is closed.
const char *SHALE_NONNULL shale_unpacking_error(shale_unpacking *SHALE_NONNULL unpacking);
void shale_unpacking_close(shale_unpacking *SHALE_NULLABLE unpacking);

/// Packs bytes as one member of gzip, without a time in it, or one frame of zstd: the same bytes each time.
///
/// How many bytes were written to `target`, or -1 with the reason in `error`, cut to its room.
ssize_t shale_pack(shale_filter filter, int level, const void *SHALE_NONNULL bytes, size_t count,
                   void *SHALE_NONNULL target, size_t room, char *SHALE_NONNULL error, size_t error_room);
