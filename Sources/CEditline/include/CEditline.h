#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What shale needs of libedit, without its variadic calls. libedit.so.2 is loaded by the first call of
// shale_editline_load; there is one editor in a process, and one thread uses it.

#pragma clang assume_nonnull begin

/// libedit's EditLine.
typedef struct editline shale_editline;

/// Returns the text before the cursor's line; valid until the next call.
typedef char *_Nonnull (*shale_editline_prompt)(shale_editline *editor);

/// A function that keys are bound to; returns one of libedit's CC_ codes.
typedef unsigned char (*shale_editline_function)(shale_editline *editor, int key);

/// How shale_editline_read ended.
typedef enum {
    SHALE_EDITLINE_LINE = 0,
    SHALE_EDITLINE_INTERRUPTED = 1,
    SHALE_EDITLINE_END_OF_INPUT = 2,
} shale_editline_status;

/// The line being edited, in UTF-8; offsets in characters.
typedef struct {
    const char *text;
    size_t bytes;
    size_t length;
    size_t cursor;
} shale_editline_state;

/// Loads libedit; NULL when it is there, else the loader's words.
const char *_Nullable shale_editline_load(void);

/// Starts an editor on standard input and output, with an empty history of `history_size` lines.
shale_editline *_Nullable shale_editline_open(const char *program, int history_size, void *client);
void shale_editline_close(shale_editline *editor);
void *_Nullable shale_editline_client(shale_editline *editor);

/// Sets both prompts; parts between two \1 bytes take no columns.
void shale_editline_set_prompts(
    shale_editline *editor, shale_editline_prompt prompt, shale_editline_prompt right);

/// Sets what is called when every key typed so far has been acted on, with the cursor where libedit believes it is.
///
/// True says that it drew behind the cursor: that is erased, to the end of the row, before the next key is acted on.
void shale_editline_set_idle(bool (*_Nullable idle)(shale_editline *editor));

/// Says whether an ESC that nothing follows at once is a key of its own, SHALE_EDITLINE_ESCAPE: vi's maps need it.
void shale_editline_set_escape_alone(bool on);

/// The key sequence of such an ESC; no terminal sends it.
#define SHALE_EDITLINE_ESCAPE "\033[9004~"

/// Sets what is asked at Enter when more was already waiting behind it: whether both are one pasted text, of a terminal
/// that does not bracket pastes. All that comes without a pause is then taken into the line as a bracketed paste.
void shale_editline_set_gather(bool (*_Nullable gathers)(shale_editline *editor));

/// Whether the line read last was gathered so.
bool shale_editline_gathered(void);

/// Reads one byte while a line is being read; 3 for a Ctrl-C, -1 at the end.
int shale_editline_read_key(void);

/// Makes a function known under a name. A name must be known before it is bound: libedit does not check.
int shale_editline_add(
    shale_editline *editor, const char *name, const char *help, shale_editline_function function);

/// Binds a key sequence in the main map, or in vi's command map.
int shale_editline_bind(shale_editline *editor, const char *keys, const char *function, bool in_command_map);

/// Makes a key sequence stand for other keys.
int shale_editline_bind_macro(shale_editline *editor, const char *keys, const char *text);

/// Reads the user's own key bindings ($EDITRC or ~/.editrc); returns whether vi's keys are on afterwards.
bool shale_editline_source(shale_editline *editor);

/// Reads lines as they stand in such a file.
void shale_editline_source_text(shale_editline *editor, const char *text);

/// Adds a line to the history that libedit itself searches.
void shale_editline_remember(shale_editline *editor, const char *line);

/// Reads one line, with its newline; NULL when `status` says otherwise.
///
/// While it reads, and only then, SIGINT, SIGWINCH, SIGTSTP, SIGCONT, SIGTERM, SIGHUP and SIGQUIT are handled here, and
/// the terminal brackets pastes if `brackets_paste`.
const char *_Nullable shale_editline_read(
    shale_editline *editor, bool brackets_paste, shale_editline_status *status);

/// Whether the cursor stood behind the last character when the last read was interrupted.
bool shale_editline_interrupted_at_end(void);

shale_editline_state shale_editline_line(shale_editline *editor);

/// Puts UTF-8 text at the cursor.
int shale_editline_insert(shale_editline *editor, const char *text);

/// Deletes characters before the cursor.
void shale_editline_delete_before(shale_editline *editor, int count);

/// Moves the cursor by characters, and returns where it is then.
int shale_editline_move(shale_editline *editor, int by);

/// Reads a bracketed paste up to its end into the line: control characters dropped, CR made LF, last newlines dropped.
unsigned char shale_editline_paste(shale_editline *editor, int key);

/// Draws prompt and line anew where the terminal's cursor is.
void shale_editline_refresh(shale_editline *editor);

/// Gives the terminal back for another program, or takes it again; signals that came in between are forgotten.
void shale_editline_lend_terminal(shale_editline *editor, bool lent);

/// Takes the locale's character set, or UTF-8 where the locale has none; libedit counts columns by it.
void shale_editline_use_utf8(void);

#pragma clang assume_nonnull end
