#define _GNU_SOURCE
#include "CEditline.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

// The functions of libedit, found on first use.
static struct {
    EditLine *(*init)(const char *, FILE *, FILE *, FILE *);
    void (*end)(EditLine *);
    int (*set)(EditLine *, int, ...);
    int (*wset)(EditLine *, int, ...);
    int (*get)(EditLine *, int, ...);
    const char *(*gets)(EditLine *, int *);
    int (*wgetc)(EditLine *, wchar_t *);
    int (*source)(EditLine *, const char *);
    void (*resize)(EditLine *);
    const LineInfo *(*line)(EditLine *);
    const LineInfoW *(*wline)(EditLine *);
    int (*insertstr)(EditLine *, const char *);
    int (*winsertstr)(EditLine *, const wchar_t *);
    void (*deletestr)(EditLine *, int);
    int (*cursor)(EditLine *, int);
    History *(*history_init)(void);
    void (*history_end)(History *);
    int (*history)(History *, HistEvent *, int, ...);
} lib;

// An editor may be opened while another rests: each has lines of its own.
enum { EDITORS = 4 };
static struct {
    EditLine *editor;
    History *past;
} opened[EDITORS];
static int signal_pipe[2] = {-1, -1};
static const int handled[] = {SIGINT, SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP, SIGQUIT};
enum { HANDLED = sizeof handled / sizeof *handled };
static struct sigaction before[HANDLED];
static bool is_bracketing;
static bool was_at_end;
static shale_editline_status stopped;

const char *shale_editline_load(void) {
    static void *library;
    if (library) { return NULL; }
    void *handle = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!handle) { return dlerror(); }
    const struct {
        const char *name;
        void *slot;
    } symbols[] = {
        {"el_init", &lib.init}, {"el_end", &lib.end}, {"el_set", &lib.set}, {"el_wset", &lib.wset},
        {"el_get", &lib.get}, {"el_gets", &lib.gets}, {"el_wgetc", &lib.wgetc}, {"el_source", &lib.source},
        {"el_resize", &lib.resize}, {"el_line", &lib.line}, {"el_wline", &lib.wline},
        {"el_insertstr", &lib.insertstr}, {"el_winsertstr", &lib.winsertstr}, {"el_deletestr", &lib.deletestr},
        {"el_cursor", &lib.cursor}, {"history_init", &lib.history_init}, {"history_end", &lib.history_end},
        {"history", &lib.history},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *address = dlsym(handle, symbols[i].name);
        if (!address) {
            const char *words = dlerror();
            return words ? words : "libedit.so.2: incomplete";
        }
        memcpy(symbols[i].slot, &address, sizeof address);
    }
    library = handle;
    return NULL;
}

// MARK: Signals

static void note_signal(int number) {
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(signal_pipe[1], &byte, 1);
    (void)written;
    errno = saved;
}

static void install_handlers(void) {
    for (size_t i = 0; i < HANDLED; i++) {
        struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
        sigemptyset(&action.sa_mask);
        sigaction(handled[i], NULL, &before[i]);
        // What whoever started us ignores (nohup) stays ignored; Ctrl-C is ours at a prompt.
        if (before[i].sa_handler == SIG_IGN && handled[i] != SIGINT && handled[i] != SIGQUIT) { continue; }
        sigaction(handled[i], &action, NULL);
    }
}

static void restore_handlers(void) {
    for (size_t i = 0; i < HANDLED; i++) { sigaction(handled[i], &before[i], NULL); }
}

static void put(const char *text) {
    ssize_t written = write(STDOUT_FILENO, text, strlen(text));
    (void)written;
}

static void take_terminal(EditLine *editor) {
    lib.set(editor, EL_PREP_TERM, 1);
    if (is_bracketing) { put("\033[?2004h"); }
}

static void give_terminal(EditLine *editor) {
    if (is_bracketing) { put("\033[?2004l"); }
    lib.set(editor, EL_PREP_TERM, 0);
}

/// Lets a signal do what it would have done without us.
static void pass_on(EditLine *editor, int number) {
    give_terminal(editor);
    restore_handlers();
    raise(number);
    install_handlers();
    take_terminal(editor);
}

/// Acts on a signal; true when the line is over.
static bool act_on(EditLine *editor, int number) {
    switch (number) {
    case SIGINT: {
        const LineInfo *line = lib.line(editor);
        was_at_end = line->cursor == line->lastchar;
        stopped = SHALE_EDITLINE_INTERRUPTED;
        return true;
    }
    case SIGWINCH:
        if (is_bracketing) { put("\r\033[J"); } else { put("\n"); }
        lib.resize(editor);
        lib.set(editor, EL_REFRESH);
        return false;
    case SIGTSTP:
        put("\n");
        pass_on(editor, number);
        lib.set(editor, EL_REFRESH);
        return false;
    case SIGCONT:
        take_terminal(editor);
        lib.set(editor, EL_REFRESH);
        return false;
    case SIGTERM:
    case SIGHUP:
        pass_on(editor, number);
        return false;
    default:
        return false;
    }
}

static bool (*idle)(shale_editline *);
static const char *typed = "";
// Whether something stands behind the cursor that libedit knows nothing of.
static bool is_hinting;
static bool escape_alone;
enum { ESCAPE_MILLISECONDS = 50 };

void shale_editline_set_idle(bool (*function)(shale_editline *)) { idle = function; }

void shale_editline_set_escape_alone(bool on) { escape_alone = on; }

static void clear_hint(void) {
    if (is_hinting) { put("\033[K"); }
    is_hinting = false;
}

// MARK: Pastes without brackets

static bool (*gathers)(shale_editline *);
static bool has_gathered;
// A key that came behind a gathered Enter is for the next line.
static bool keeps_typed;
// A bracketed paste is being read: its newlines are text.
static bool is_pasting;
static char *gathered;
enum { ENTER_MILLISECONDS = 15, PAUSE_MILLISECONDS = 40, LONGEST_GATHERED = 1 << 20 };

void shale_editline_set_gather(bool (*function)(shale_editline *)) { gathers = function; }

bool shale_editline_gathered(void) { return has_gathered; }

// The terminal once more, opened so that a read does not wait; -1 where that was refused, and between two lines.
//
// A Ctrl-C throws away what was typed before it, also between the poll that says a byte is there and the read of it: a
// read that waits would then hide the signal until the next key.
static int terminal = -1;

static void open_terminal(void) {
    if (terminal < 0 && isatty(STDIN_FILENO)) { terminal = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); }
}

static void close_terminal(void) {
    if (terminal >= 0) { close(terminal); }
    terminal = -1;
}

static ssize_t read_byte(unsigned char *byte) { return read(terminal >= 0 ? terminal : STDIN_FILENO, byte, 1); }

static bool is_text(unsigned char byte) { return byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t'; }

/// Reads what stands behind an Enter that was just read, up to a pause or a key that is no text, and has it typed again
/// as a bracketed paste; false where that is not wanted.
static bool gather(EditLine *editor) {
    static const char begin[] = "\033[200~\n", end[] = "\033[201~";
    struct pollfd now = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!gathers || is_pasting || !gathers((shale_editline *)editor)) { return false; }
    if (poll(&now, 1, ENTER_MILLISECONDS) <= 0) { return false; }
    free(gathered);
    // Room for both marks, the Enter and a key that is no text, and zeros behind them for whoever decodes the last byte.
    gathered = calloc(1, LONGEST_GATHERED + 64);
    if (!gathered) { return false; }
    memcpy(gathered, begin, sizeof begin - 1);
    size_t start = sizeof begin - 1, length = start;
    unsigned char byte = 0;
    while (length < LONGEST_GATHERED && poll(&now, 1, PAUSE_MILLISECONDS) > 0 && read_byte(&byte) == 1) {
        if (!is_text(byte)) { break; }
        gathered[length++] = (char)byte;
    }
    bool is_ended = length > start && (gathered[length - 1] == '\n' || gathered[length - 1] == '\r');
    has_gathered = length > start;
    // A key right behind the Enter: there was nothing pasted.
    if (!has_gathered) { length = 0; }
    if (has_gathered) {
        memcpy(gathered + length, end, sizeof end - 1);
        length += sizeof end - 1;
    }
    if (is_ended || !has_gathered) { gathered[length++] = '\r'; }
    if (byte && !is_text(byte)) { gathered[length++] = (char)byte; }
    gathered[length] = '\0';
    typed = gathered;
    keeps_typed = true;
    return true;
}

/// The next character of what is typed again.
static wchar_t next_typed(void) {
    wchar_t character = (unsigned char)*typed;
    size_t length = 1;
    if (*typed & 0x80) {
        mbstate_t state = {0};
        length = mbrtowc(&character, typed, strnlen(typed, MB_LEN_MAX), &state);
        if (length == (size_t)-1 || length == (size_t)-2 || length == 0) {
            character = 0xfffd;
            length = 1;
        }
    }
    typed += length;
    return character;
}

static void forget_signals(void) {
    unsigned char bytes[64];
    while (read(signal_pipe[0], bytes, sizeof bytes) > 0) {}
}

/// What came first: a byte of the terminal's, or a signal.
enum arrival { ARRIVED_BYTE, ARRIVED_SIGNAL, ARRIVED_END, ARRIVED_FAILURE };

/// Waits for the terminal's next byte or for a signal; `byte` becomes the byte, or the signal's number.
static enum arrival next_arrival(unsigned char *byte) {
    for (;;) {
        struct pollfd waits[2] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = signal_pipe[0], .events = POLLIN},
        };
        if (poll(waits, 2, -1) < 0) {
            if (errno == EINTR) { continue; }
            return ARRIVED_FAILURE;
        }
        if (waits[1].revents & POLLIN) {
            if (read(signal_pipe[0], byte, 1) == 1) { return ARRIVED_SIGNAL; }
            continue;
        }
        ssize_t count = read_byte(byte);
        if (count == 1) { return ARRIVED_BYTE; }
        if (count == 0 || errno == EIO) { return ARRIVED_END; }
        if (errno != EINTR && errno != EAGAIN) { return ARRIVED_FAILURE; }
    }
}

/// Reads one character: libedit's own reader cannot be woken by a signal that another thread received.
static int read_character(EditLine *editor, wchar_t *out) {
    mbstate_t state = {0};
    struct pollfd now = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!*typed && idle && !is_hinting && poll(&now, 1, 0) == 0) { is_hinting = idle((shale_editline *)editor); }
    if (*typed) {
        *out = next_typed();
        return 1;
    }
    for (;;) {
        unsigned char byte;
        switch (next_arrival(&byte)) {
        case ARRIVED_FAILURE: return -1;
        case ARRIVED_END: stopped = SHALE_EDITLINE_END_OF_INPUT; return 0;
        case ARRIVED_SIGNAL:
            clear_hint();
            if (act_on(editor, byte)) {
                errno = EINTR;
                return -1;
            }
            continue;
        case ARRIVED_BYTE: break;
        }
        clear_hint();
        if ((byte == '\r' || byte == '\n') && gather(editor)) {
            *out = next_typed();
            return 1;
        }
        // libedit would wait for the rest of a key's sequence: an ESC with nothing behind it is one key.
        if (byte == 27 && escape_alone && poll(&now, 1, ESCAPE_MILLISECONDS) == 0) { typed = &SHALE_EDITLINE_ESCAPE[1]; }
        wchar_t decoded;
        size_t length = mbrtowc(&decoded, (const char *)&byte, 1, &state);
        if (length == (size_t)-2) { continue; }
        // A byte that is no UTF-8 becomes the replacement character; a NUL is read as such.
        *out = length == (size_t)-1 ? 0xfffd : (length == 0 ? L'\0' : decoded);
        return 1;
    }
}

int shale_editline_read_key(void) {
    for (;;) {
        unsigned char byte;
        switch (next_arrival(&byte)) {
        case ARRIVED_BYTE: return byte;
        case ARRIVED_END:
        case ARRIVED_FAILURE: return -1;
        case ARRIVED_SIGNAL:
            if (byte == SIGINT || byte == SIGTERM || byte == SIGHUP) { return 3; }
        }
    }
}

// MARK: Life

static bool open_signal_pipe(void) {
    return signal_pipe[0] >= 0 || pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

shale_editline *shale_editline_open(const char *program, int history_size, void *client) {
    if (!lib.init || !open_signal_pipe()) { return NULL; }
    EditLine *editor = lib.init(program, stdin, stdout, stderr);
    if (!editor) { return NULL; }
    History *past = NULL;
    for (int i = 0; i < EDITORS && !past; i++) {
        if (opened[i].editor) { continue; }
        past = lib.history_init();
        if (past) {
            opened[i].editor = editor;
            opened[i].past = past;
        }
    }
    HistEvent event;
    if (past) {
        lib.history(past, &event, H_SETSIZE, history_size);
        lib.history(past, &event, H_SETUNIQUE, 1);
        lib.set(editor, EL_HIST, lib.history, past);
    }
    lib.set(editor, EL_CLIENTDATA, client);
    lib.set(editor, EL_SIGNAL, 0);
    lib.set(editor, EL_EDITOR, "emacs");
    lib.wset(editor, EL_GETCFN, read_character);
    // Ctrl-S searches here; it must not stop the terminal.
    lib.set(editor, EL_SETTY, "-d", "-ixon", NULL);
    return (shale_editline *)editor;
}

void shale_editline_close(shale_editline *editor) {
    // Type-ahead belongs to whoever reads next: el_end in edit mode would drop it.
    lib.set((EditLine *)editor, EL_EDITMODE, 0);
    lib.end((EditLine *)editor);
    for (int i = 0; i < EDITORS; i++) {
        if (opened[i].editor != (EditLine *)editor) { continue; }
        lib.history_end(opened[i].past);
        opened[i].editor = NULL;
        opened[i].past = NULL;
    }
}

void *shale_editline_client(shale_editline *editor) {
    void *client = NULL;
    lib.get((EditLine *)editor, EL_CLIENTDATA, &client);
    return client;
}

void shale_editline_set_prompts(
    shale_editline *editor, shale_editline_prompt prompt, shale_editline_prompt right) {
    lib.set((EditLine *)editor, EL_PROMPT_ESC, prompt, '\1');
    lib.set((EditLine *)editor, EL_RPROMPT_ESC, right, '\1');
}

int shale_editline_add(
    shale_editline *editor, const char *name, const char *help, shale_editline_function function) {
    return lib.set((EditLine *)editor, EL_ADDFN, name, help, function);
}

int shale_editline_bind(shale_editline *editor, const char *keys, const char *function, bool in_command_map) {
    if (in_command_map) { return lib.set((EditLine *)editor, EL_BIND, "-a", keys, function, NULL); }
    return lib.set((EditLine *)editor, EL_BIND, keys, function, NULL);
}

int shale_editline_bind_macro(shale_editline *editor, const char *keys, const char *text) {
    return lib.set((EditLine *)editor, EL_BIND, "-s", keys, text, NULL);
}

bool shale_editline_source(shale_editline *editor) {
    lib.source((EditLine *)editor, NULL);
    const char *map = NULL;
    lib.get((EditLine *)editor, EL_EDITOR, &map);
    return map && strcmp(map, "vi") == 0;
}

void shale_editline_source_text(shale_editline *editor, const char *text) {
    int fd = memfd_create("editrc", MFD_CLOEXEC);
    if (fd < 0) { return; }
    size_t length = strlen(text), done = 0;
    while (done < length) {
        ssize_t count = write(fd, text + done, length - done);
        if (count <= 0) { break; }
        done += (size_t)count;
    }
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (done == length) { lib.source((EditLine *)editor, path); }
    close(fd);
}

void shale_editline_remember(shale_editline *editor, const char *line) {
    HistEvent event;
    for (int i = 0; i < EDITORS; i++) {
        if (opened[i].editor == (EditLine *)editor) { lib.history(opened[i].past, &event, H_ENTER, line); }
    }
}

// MARK: Reading

const char *shale_editline_read(shale_editline *editor, bool brackets_paste, shale_editline_status *status) {
    stopped = SHALE_EDITLINE_LINE;
    if (!keeps_typed) { typed = ""; }
    keeps_typed = false;
    is_hinting = false;
    has_gathered = false;
    was_at_end = false;
    is_bracketing = brackets_paste;
    forget_signals();
    // The window may have changed while a command ran.
    lib.resize((EditLine *)editor);
    install_handlers();
    open_terminal();
    // libedit would show the prompt first: keys typed at once would still be echoed and edited by the kernel.
    take_terminal((EditLine *)editor);
    int count = 0;
    const char *line = lib.gets((EditLine *)editor, &count);
    if (brackets_paste) { put("\033[?2004l"); }
    close_terminal();
    restore_handlers();
    if (!line || count <= 0) {
        *status = stopped == SHALE_EDITLINE_INTERRUPTED ? stopped : SHALE_EDITLINE_END_OF_INPUT;
        return NULL;
    }
    *status = SHALE_EDITLINE_LINE;
    return line;
}

bool shale_editline_interrupted_at_end(void) { return was_at_end; }

shale_editline_state shale_editline_line(shale_editline *editor) {
    const LineInfoW *wide = lib.wline((EditLine *)editor);
    size_t length = (size_t)(wide->lastchar - wide->buffer);
    size_t cursor = (size_t)(wide->cursor - wide->buffer);
    const LineInfo *narrow = lib.line((EditLine *)editor);
    return (shale_editline_state){
        .text = narrow->buffer,
        .bytes = (size_t)(narrow->lastchar - narrow->buffer),
        .length = length,
        .cursor = cursor,
    };
}

int shale_editline_insert(shale_editline *editor, const char *text) {
    return lib.insertstr((EditLine *)editor, text);
}

void shale_editline_delete_before(shale_editline *editor, int count) {
    lib.deletestr((EditLine *)editor, count);
}

int shale_editline_move(shale_editline *editor, int by) { return lib.cursor((EditLine *)editor, by); }

enum { LONGEST_PASTE = 1 << 24 };

unsigned char shale_editline_paste(shale_editline *editor, int key) {
    (void)key;
    static const wchar_t end[] = L"\033[201~";
    const size_t end_length = 6;
    size_t capacity = 1024, length = 0;
    wchar_t *text = malloc(capacity * sizeof *text);
    unsigned char result = CC_ERROR;
    wchar_t next;
    if (!text) { return result; }
    is_pasting = true;
    while (lib.wgetc((EditLine *)editor, &next) == 1 && length < LONGEST_PASTE) {
        if (length + 2 > capacity) {
            wchar_t *larger = realloc(text, 2 * capacity * sizeof *text);
            if (!larger) { goto done; }
            text = larger;
            capacity *= 2;
        }
        text[length++] = next;
        if (length >= end_length && wmemcmp(text + length - end_length, end, end_length) == 0) {
            length -= end_length;
            result = CC_REFRESH;
            break;
        }
    }
    if (result != CC_REFRESH) { goto done; }
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        wchar_t character = text[i];
        if (character == L'\r') {
            if (i + 1 < length && text[i + 1] == L'\n') { continue; }
            character = L'\n';
        }
        bool is_control = (character < 0x20 && character != L'\n' && character != L'\t')
            || (character >= 0x7f && character < 0xa0);
        if (!is_control) { text[kept++] = character; }
    }
    while (kept > 0 && text[kept - 1] == L'\n') { kept--; }
    text[kept] = L'\0';
    if (kept > 0 && lib.winsertstr((EditLine *)editor, text) != 0) { result = CC_ERROR; }
done:
    is_pasting = false;
    free(text);
    return result;
}

// MARK: The terminal

void shale_editline_refresh(shale_editline *editor) { lib.set((EditLine *)editor, EL_REFRESH); }

void shale_editline_lend_terminal(shale_editline *editor, bool lent) {
    if (lent) {
        give_terminal((EditLine *)editor);
        // The program's Ctrl-C is not ours, and must not end us either.
        signal(SIGINT, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
    } else {
        restore_handlers();
        install_handlers();
        forget_signals();
        take_terminal((EditLine *)editor);
        lib.resize((EditLine *)editor);
    }
}

void shale_editline_use_utf8(void) {
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 && !setlocale(LC_CTYPE, "C.UTF-8")) {
        setlocale(LC_CTYPE, "en_US.UTF-8");
    }
}
