package import Basics
import CEditline
import Glibc
import Linux
package import Rendering

/// The prompt's line editor: libedit with shale's keys, completion, hints and history.
///
/// One at a time in a process, used from one thread. Signals are handled here only while a line is read.
///
/// Defects of libedit 3.1-20221030 this lives with: no completion, prefix search, bracketed paste or Ctrl-arrows of its
/// own (all added here); a bind to an unknown name corrupts memory (functions are added first); its reader is not woken
/// by a signal that another thread got (the shim reads instead).
package final class LineEditor {
    /// How a read ended; never a nil or an empty text by convention.
    package enum ReadResult: Sendable, Equatable {
        /// One command, without its last newline; several lines when it was pasted or continued.
        case line(String)
        /// Ctrl-C: what was typed is dropped, and `^C` and a newline are printed.
        case interrupted
        /// Ctrl-D on an empty line, or the terminal went away.
        case endOfInput
    }

    /// What the editor asks its owner.
    package struct Questions {
        /// Whether a text needs more lines; the continuation prompt is shown then.
        package var isIncomplete: (String) -> Bool
        /// Whether a command may be kept in the history.
        package var mayRemember: (String) -> Bool
        /// The last word of a line as it was typed, for Alt-.; `nil` where there is none.
        package var lastWord: (String) -> String?
        /// Whether a text with more waiting behind it begins a pasted block, where the terminal does not bracket
        /// pastes.
        package var beginsBlock: (String) -> Bool = { _ in false }

        package init(
            isIncomplete: @escaping (String) -> Bool, lastWord: @escaping (String) -> String?,
            mayRemember: @escaping (String) -> Bool = { !($0.unicodeScalars.first?.isBlank ?? true) }
        ) {
            self.isIncomplete = isIncomplete
            self.lastWord = lastWord
            self.mayRemember = mayRemember
        }
    }

    package let history: HistoryFile
    package var questions: Questions
    package var completer: (any Completer)?

    let console: Console
    private(set) var handle: OpaquePointer?
    /// The lines of an unfinished command that are already read, each with its newline.
    private(set) var linesBefore = ""
    /// Whether the command read last came as a block without brackets.
    package private(set) var wasGathered = false
    private var prompt: UnsafeMutablePointer<CChar>?
    private(set) var promptText = ""
    private var hasWarned = false
    /// The rest of a line of the history, as it stands behind the cursor: only what was seen is accepted.
    private var suggestion: String?
    var search = HistorySearch()
    var lastArgument = LastArgument()
    /// The line and cursor that the last Tab left unchanged: the next one there lists.
    var lastTab: (line: String, cursor: Int)?

    /// Starts libedit on the terminal of standard input.
    ///
    /// - Parameters:
    ///   - console: Where lists are printed; its environment decides what the terminal can do.
    ///   - history: Lines typed before; added to as lines are read.
    ///   - completer: For Tab, hints and F1.
    ///   - questions: See ``Questions``.
    /// - Throws: `unavailable` when libedit cannot be loaded or started.
    package init(
        console: Console, history: HistoryFile, completer: (any Completer)? = nil, questions: Questions
    ) throws(ShaleError) {
        self.console = console
        self.history = history
        self.completer = completer
        self.questions = questions
        if let words = shale_editline_load() {
            throw ShaleError(
                .unavailable, "libedit cannot be loaded", cause: String(cString: words).visible,
                hint: "apt-get install libedit2")
        }
        shale_editline_use_utf8()
        let client = Unmanaged.passUnretained(self).toOpaque()
        guard let handle = shale_editline_open("shale", Int32(clamping: history.size), client) else {
            throw ShaleError(.unavailable, "libedit cannot be started", cause: "this terminal is not usable")
        }
        self.handle = handle
        shale_editline_set_prompts(
            handle, { LineEditor.of($0)?.promptPointer() ?? emptyText },
            { _ in emptyText })
        bindKeys(handle)
        if console.canRedraw(.output) { shale_editline_set_idle { LineEditor.of($0)?.drawHint() ?? false } }
        shale_editline_set_gather { LineEditor.of($0)?.gathers() ?? false }
        for entry in history.entries { shale_editline_remember(handle, entry) }
    }

    deinit {
        if let handle { shale_editline_close(handle) }
        free(prompt)
    }

    /// Reads one command: a line, and more lines as long as it is incomplete.
    ///
    /// - Parameters:
    ///   - prompt: Shown before the first line; may hold colour sequences.
    ///   - continuation: Shown before each further line.
    ///   - initial: Text to start with, as if typed.
    /// - Returns: How it ended. An unfinished command ended by Ctrl-D comes back as a line.
    package func read(prompt: String, continuation: String = "   … ", initial: String = "") -> ReadResult {
        linesBefore = ""
        wasGathered = false
        FreshLine.begin(on: console)
        var text = ""
        var isFirst = true
        while true {
            setPrompt(isFirst ? prompt : continuation)
            switch readLine(initial: isFirst ? initial : "") {
            case .interrupted: return .interrupted
            case .endOfInput:
                if isFirst { return .endOfInput }
                console.write("\n")
                return .line(text)
            case .line(let line):
                text = isFirst ? line : linesBefore + line
                isFirst = false
                if questions.isIncomplete(text) {
                    linesBefore = text + "\n"
                    continue
                }
                remember(text)
                linesBefore = ""
                return .line(text)
            }
        }
    }

    /// Adds a command to the history of this prompt and of the file; says once that the file cannot be written.
    package func remember(_ text: String) {
        guard let handle, !text.trimmingBlanks.isEmpty, questions.mayRemember(text) else { return }
        shale_editline_remember(handle, text)
        do throws(ShaleError) {
            try history.add(text)
        } catch {
            if !hasWarned { console.warning("\(error); lines typed here are known until you leave") }
            hasWarned = true
        }
    }

    private func readLine(initial: String) -> ReadResult {
        guard let handle else { return .endOfInput }
        search = HistorySearch()
        lastArgument = LastArgument()
        lastTab = nil
        pending = initial
        var status = SHALE_EDITLINE_LINE
        let line = shale_editline_read(handle, console.canRedraw(.output), &status)
        if shale_editline_gathered() { wasGathered = true }
        switch status {
        case SHALE_EDITLINE_INTERRUPTED:
            // Behind the last character nothing but a hint can stand.
            let clear = shale_editline_interrupted_at_end() && console.canRedraw(.output) ? "\u{1b}[K" : ""
            console.write(clear + "^C\n")
            return .interrupted
        case SHALE_EDITLINE_END_OF_INPUT: return .endOfInput
        default:
            guard let line else { return .endOfInput }
            return .line(String(path: line).droppingFinalNewline)
        }
    }

    // MARK: The line

    /// The line being edited; the cursor counts Unicode scalars.
    var line: (text: String, length: Int, cursor: Int) {
        guard let handle else { return ("", 0, 0) }
        let state = shale_editline_line(handle)
        let bytes = UnsafeRawBufferPointer(start: state.text, count: state.bytes)
        return (String(decoding: bytes, as: UTF8.self), Int(state.length), Int(state.cursor))
    }

    /// Whether what waits behind this line's Enter belongs to it.
    private func gathers() -> Bool {
        let line = line
        return line.cursor == line.length && questions.beginsBlock(linesBefore + line.text)
    }

    /// The line up to the cursor.
    var textBeforeCursor: String {
        let line = line
        return String(String.UnicodeScalarView(line.text.unicodeScalars.prefix(line.cursor)))
    }

    /// Puts another text in the line's place, the cursor behind it.
    func replaceLine(with text: String) {
        guard let handle else { return }
        let line = line
        _ = shale_editline_move(handle, Int32(clamping: line.length - line.cursor))
        shale_editline_delete_before(handle, Int32(clamping: line.length))
        if !text.isEmpty { _ = shale_editline_insert(handle, text) }
    }

    /// Puts a text in the place of the last `count` scalars before the cursor.
    func replaceBeforeCursor(_ count: Int, with text: String) {
        guard let handle else { return }
        if count > 0 { shale_editline_delete_before(handle, Int32(clamping: count)) }
        if !text.isEmpty { _ = shale_editline_insert(handle, text) }
    }

    // MARK: Prompts

    /// Text that the next refresh of the prompt puts into the line.
    private var pending = ""

    private func setPrompt(_ text: String) {
        promptText = text
        free(prompt)
        prompt = strdup(text.withColoursHidden)
    }

    private func promptPointer() -> UnsafeMutablePointer<CChar> {
        if !pending.isEmpty, let handle {
            let text = pending
            pending = ""
            _ = shale_editline_insert(handle, text)
        }
        return prompt ?? emptyText
    }

    /// Draws a suggestion behind the cursor and the rest of the usage at the right edge, and puts the cursor back; false
    /// where there is nothing to draw.
    ///
    /// Drawn here and not as libedit's right prompt: that one is overwritten by what is typed, and loses its colour's
    /// end when a part of it is drawn again. Only with the cursor behind the last character: nothing else is erased
    /// with it. A newline in the line is Ctrl-R's own prompt, or a text that gets no hint.
    private func drawHint() -> Bool {
        suggestion = nil
        guard console.canRedraw(.output) else { return false }
        let line = line
        guard line.length > 0, line.cursor == line.length, !line.text.contains("\n"), !line.text.contains("\t"),
            let columns = console.size(.output)?.columns
        else { return false }
        let before = promptText.withoutColours.displayWidth + line.text.displayWidth
        let room = columns - before - 1
        guard room > 0 else { return false }
        // Without colour it could not be told from what was typed.
        if linesBefore.isEmpty, console.hasColour(.output) { suggestion = history.suggestion(for: line.text) }
        let suggested = suggestion?.ellipsis(room) ?? ""
        let usage = completer?.hint(for: linesBefore + line.text)
        let free = room - suggested.displayWidth - 3
        let hint = free >= 8 ? usage?.singleLine.ellipsis(free) : nil
        guard hint != nil || !suggested.isEmpty else { return false }
        var text = suggested.isEmpty ? "" : TerminalStyle.dim(suggested)
        if let hint {
            let shown = console.hasColour(.output) ? TerminalStyle.dim(hint) : hint
            text += "\r\u{1b}[\(columns - hint.displayWidth - 1)C\(shown)"
        }
        console.write("\(text)\r\u{1b}[\(before)C")
        return true
    }

    /// Puts what is suggested into the line, all of it or its first word; false where nothing is.
    func acceptSuggestion(wordOnly: Bool = false) -> Bool {
        guard let handle, let rest = suggestion, line.cursor == line.length else { return false }
        suggestion = nil
        let scalars = Array(rest.unicodeScalars)
        let start = scalars.firstIndex { !$0.isBlank } ?? 0
        let end = wordOnly ? scalars[start...].firstIndex(where: \.isBlank) ?? scalars.count : scalars.count
        _ = shale_editline_insert(handle, String(String.UnicodeScalarView(scalars[..<end])))
        return true
    }

    /// The editor behind a handle, inside a callback.
    static func of(_ handle: OpaquePointer) -> LineEditor? {
        shale_editline_client(handle).map { Unmanaged<LineEditor>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// What a prompt callback returns when its editor is gone; never written to.
nonisolated(unsafe) private let emptyText: UnsafeMutablePointer<CChar> = {
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    text.initialize(to: 0)
    return text
}()

extension String {
    /// Colour sequences between `\1` marks: libedit gives what is there no columns.
    var withColoursHidden: String { mappingColours { "\u{1}\($0)\u{1}" } }

    var withoutColours: String { mappingColours { _ in "" } }

    private func mappingColours(_ change: (String) -> String) -> String {
        var out = ""
        var sequence: String?
        for scalar in unicodeScalars {
            if var open = sequence {
                open.unicodeScalars.append(scalar)
                sequence = open
                let isEnd = open.unicodeScalars.count > 2 && (0x40...0x7e).contains(scalar.value)
                if isEnd || (open.unicodeScalars.count == 2 && scalar != "[") {
                    out += change(open)
                    sequence = nil
                }
            } else if scalar == "\u{1b}" {
                sequence = "\u{1b}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out + (sequence ?? "")
    }
}
