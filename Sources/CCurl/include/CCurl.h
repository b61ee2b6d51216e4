#pragma once

// libcurl for Swift: loaded on first use, its variadic functions given one wrapper per type of argument.
//
// libcurl(3), curl_easy_setopt(3), curl_easy_getinfo(3), curl_multi_poll(3), curl_share_setopt(3), curl_url(3).
// Nothing here may be called before shale_curl_load() returned NULL.

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Loads libcurl.so.4 once; NULL, or why it cannot be loaded (static storage).
const char *_Nullable shale_curl_load(void);

/// A new easy handle that shares names and TLS sessions with all others; NULL without memory.
CURL *_Nullable shale_curl_easy_new(void);
void shale_curl_easy_free(CURL *easy);
/// Back to the defaults, connections kept.
void shale_curl_easy_reset(CURL *easy);

/// What drives an easy handle and keeps its connections between two transfers.
CURLM *_Nullable shale_curl_multi_new(void);
void shale_curl_multi_free(CURLM *multi);

CURLcode shale_curl_set_long(CURL *easy, CURLoption option, long value);
CURLcode shale_curl_set_offset(CURL *easy, CURLoption option, int64_t value);
CURLcode shale_curl_set_string(CURL *easy, CURLoption option, const char *_Nullable value);
CURLcode shale_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *_Nullable value);
/// Bytes that curl copies, for an option that takes a file's contents.
CURLcode shale_curl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count);
/// Bytes that curl copies.
CURLcode shale_curl_set_body(CURL *easy, const void *bytes, int64_t count);
/// A buffer of CURL_ERROR_SIZE bytes that outlives the transfer.
CURLcode shale_curl_set_error_buffer(CURL *easy, char *buffer);

typedef size_t (*shale_curl_data_function)(
    char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);

CURLcode shale_curl_set_write(CURL *easy, shale_curl_data_function function, void *context);
CURLcode shale_curl_set_header(CURL *easy, shale_curl_data_function function, void *context);
CURLcode shale_curl_set_read(CURL *easy, shale_curl_data_function function, void *context);

long shale_curl_get_long(CURL *easy, CURLINFO info);
int64_t shale_curl_get_offset(CURL *easy, CURLINFO info);
/// Owned by the handle, good until its next transfer.
const char *_Nullable shale_curl_get_string(CURL *easy, CURLINFO info);

const char *shale_curl_error_words(CURLcode code);

/// The list with one more line, or NULL (the old list is still the caller's then).
struct curl_slist *_Nullable shale_curl_list_append(struct curl_slist *_Nullable list, const char *line);
void shale_curl_list_free(struct curl_slist *_Nullable list);

/// Runs one transfer; `proceed` is asked at least every `interval` milliseconds and stops it with false
/// (CURLE_ABORTED_BY_CALLBACK). SIGPIPE is kept from the process.
CURLcode shale_curl_perform(
    CURL *easy, CURLM *multi, int interval, bool (*proceed)(void *_Nullable context), void *_Nullable context);

/// A URL, `relative` taken against it when given; NULL when either is none. Freed with shale_curl_url_free.
CURLU *_Nullable shale_curl_url_new(const char *text, const char *_Nullable relative);
void shale_curl_url_free(CURLU *url);
/// One part, or NULL when the URL has none; freed with shale_curl_text_free.
char *_Nullable shale_curl_url_part(CURLU *url, CURLUPart part);
void shale_curl_text_free(char *_Nullable text);

#pragma clang assume_nonnull end
