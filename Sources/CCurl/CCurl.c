#define _GNU_SOURCE
#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

// The wrappers are the type check; curl's own macro form of it would only get in the way.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_share_setopt

#define SHALE_CURL_FUNCTIONS(X)                                                                                        \
    X(curl_global_init)                                                                                                \
    X(curl_easy_init)                                                                                                  \
    X(curl_easy_cleanup)                                                                                               \
    X(curl_easy_reset)                                                                                                 \
    X(curl_easy_setopt)                                                                                                \
    X(curl_easy_getinfo)                                                                                               \
    X(curl_easy_strerror)                                                                                              \
    X(curl_multi_init)                                                                                                 \
    X(curl_multi_cleanup)                                                                                              \
    X(curl_multi_add_handle)                                                                                           \
    X(curl_multi_remove_handle)                                                                                        \
    X(curl_multi_perform)                                                                                              \
    X(curl_multi_poll)                                                                                                 \
    X(curl_multi_info_read)                                                                                            \
    X(curl_share_init)                                                                                                 \
    X(curl_share_setopt)                                                                                               \
    X(curl_slist_append)                                                                                               \
    X(curl_slist_free_all)                                                                                             \
    X(curl_url)                                                                                                        \
    X(curl_url_cleanup)                                                                                                \
    X(curl_url_get)                                                                                                    \
    X(curl_url_set)                                                                                                    \
    X(curl_free)

static struct {
#define MEMBER(name) __typeof__(name) *name;
    SHALE_CURL_FUNCTIONS(MEMBER)
#undef MEMBER
} table;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char load_error[512];
static CURLSH *shared;
static pthread_mutex_t locks[CURL_LOCK_DATA_LAST];

static void fail(const char *words) {
    strncpy(load_error, words ? words : "libcurl.so.4 cannot be loaded", sizeof load_error - 1);
}

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *context) {
    (void)easy;
    (void)access;
    (void)context;
    pthread_mutex_lock(&locks[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *context) {
    (void)easy;
    (void)context;
    pthread_mutex_unlock(&locks[data]);
}

static void share(void) {
    for (int data = 0; data < CURL_LOCK_DATA_LAST; data++) pthread_mutex_init(&locks[data], NULL);
    shared = table.curl_share_init();
    if (!shared) return;
    table.curl_share_setopt(shared, CURLSHOPT_LOCKFUNC, lock);
    table.curl_share_setopt(shared, CURLSHOPT_UNLOCKFUNC, unlock);
    table.curl_share_setopt(shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    // Sharing connections between threads is not supported; sessions spare each of them the full handshake.
    table.curl_share_setopt(shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fail(dlerror());
        return;
    }
#define LOOK_UP(name)                                                                                                  \
    *(void **)&table.name = dlsym(library, #name);                                                                     \
    if (!table.name) {                                                                                                 \
        fail("libcurl.so.4 is too old: it has no " #name);                                                             \
        return;                                                                                                        \
    }
    SHALE_CURL_FUNCTIONS(LOOK_UP)
#undef LOOK_UP
    if (table.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        fail("libcurl cannot be initialised");
        return;
    }
    share();
}

const char *shale_curl_load(void) {
    pthread_once(&once, load);
    return load_error[0] ? load_error : NULL;
}

CURL *shale_curl_easy_new(void) {
    CURL *easy = table.curl_easy_init();
    if (easy) shale_curl_easy_reset(easy);
    return easy;
}

void shale_curl_easy_free(CURL *easy) { table.curl_easy_cleanup(easy); }

// No program started meanwhile may inherit a connection.
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void shale_curl_easy_reset(CURL *easy) {
    table.curl_easy_reset(easy);
    table.curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    table.curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    if (shared) table.curl_easy_setopt(easy, CURLOPT_SHARE, shared);
}

CURLM *shale_curl_multi_new(void) { return table.curl_multi_init(); }

void shale_curl_multi_free(CURLM *multi) { table.curl_multi_cleanup(multi); }

CURLcode shale_curl_set_long(CURL *easy, CURLoption option, long value) {
    return table.curl_easy_setopt(easy, option, value);
}

CURLcode shale_curl_set_offset(CURL *easy, CURLoption option, int64_t value) {
    return table.curl_easy_setopt(easy, option, (curl_off_t)value);
}

CURLcode shale_curl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return table.curl_easy_setopt(easy, option, &blob);
}

CURLcode shale_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return table.curl_easy_setopt(easy, option, value);
}

CURLcode shale_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return table.curl_easy_setopt(easy, option, value);
}

CURLcode shale_curl_set_body(CURL *easy, const void *bytes, int64_t count) {
    CURLcode code = table.curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : table.curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, (const char *)bytes);
}

CURLcode shale_curl_set_error_buffer(CURL *easy, char *buffer) {
    return table.curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, buffer);
}

CURLcode shale_curl_set_write(CURL *easy, shale_curl_data_function function, void *context) {
    CURLcode code = table.curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
    return code != CURLE_OK ? code : table.curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

CURLcode shale_curl_set_header(CURL *easy, shale_curl_data_function function, void *context) {
    CURLcode code = table.curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, function);
    return code != CURLE_OK ? code : table.curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
}

CURLcode shale_curl_set_read(CURL *easy, shale_curl_data_function function, void *context) {
    CURLcode code = table.curl_easy_setopt(easy, CURLOPT_READFUNCTION, function);
    return code != CURLE_OK ? code : table.curl_easy_setopt(easy, CURLOPT_READDATA, context);
}

long shale_curl_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    return table.curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

int64_t shale_curl_get_offset(CURL *easy, CURLINFO info) {
    curl_off_t value = -1;
    return table.curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : -1;
}

const char *shale_curl_get_string(CURL *easy, CURLINFO info) {
    char *value = NULL;
    return table.curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : NULL;
}

const char *shale_curl_error_words(CURLcode code) { return table.curl_easy_strerror(code); }

struct curl_slist *shale_curl_list_append(struct curl_slist *list, const char *line) {
    return table.curl_slist_append(list, line);
}

void shale_curl_list_free(struct curl_slist *list) {
    if (list) table.curl_slist_free_all(list);
}

static CURLcode drive(CURL *easy, CURLM *multi, int interval, bool (*proceed)(void *), void *context) {
    for (;;) {
        int running = 0;
        CURLMcode status = table.curl_multi_perform(multi, &running);
        if (status != CURLM_OK) return status == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
        int left = 0;
        for (CURLMsg *message; (message = table.curl_multi_info_read(multi, &left));) {
            if (message->msg == CURLMSG_DONE && message->easy_handle == easy) return message->data.result;
        }
        if (!running) return CURLE_FAILED_INIT;
        if (!proceed(context)) return CURLE_ABORTED_BY_CALLBACK;
        status = table.curl_multi_poll(multi, NULL, 0, interval, NULL);
        if (status != CURLM_OK) return CURLE_FAILED_INIT;
        if (!proceed(context)) return CURLE_ABORTED_BY_CALLBACK;
    }
}

CURLcode shale_curl_perform(
    CURL *easy, CURLM *multi, int interval, bool (*proceed)(void *_Nullable context), void *context) {
    // With CURLOPT_NOSIGNAL curl leaves SIGPIPE alone, and a TLS library may still write to a closed socket.
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);

    CURLcode result = CURLE_FAILED_INIT;
    if (table.curl_multi_add_handle(multi, easy) == CURLM_OK) {
        result = drive(easy, multi, interval, proceed, context);
        table.curl_multi_remove_handle(multi, easy);
    }

    if (!sigismember(&pending, SIGPIPE)) {
        const struct timespec none = {0, 0};
        while (sigtimedwait(&pipe, NULL, &none) > 0) {}
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

CURLU *shale_curl_url_new(const char *text, const char *relative) {
    CURLU *url = table.curl_url();
    if (!url) return NULL;
    CURLUcode code = table.curl_url_set(url, CURLUPART_URL, text, 0);
    if (code == CURLUE_OK && relative) code = table.curl_url_set(url, CURLUPART_URL, relative, 0);
    if (code == CURLUE_OK) return url;
    table.curl_url_cleanup(url);
    return NULL;
}

void shale_curl_url_free(CURLU *url) { table.curl_url_cleanup(url); }

char *shale_curl_url_part(CURLU *url, CURLUPart part) {
    char *text = NULL;
    // An explicit port even when it is the scheme's own, so that two spellings of one host compare equal.
    unsigned int flags = part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0;
    return table.curl_url_get(url, part, &text, flags) == CURLUE_OK ? text : NULL;
}

void shale_curl_text_free(char *text) {
    if (text) table.curl_free(text);
}
