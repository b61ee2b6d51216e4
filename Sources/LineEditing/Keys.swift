import CEditline
import Glibc
import Rendering

/// What a bound function asks libedit to do: its `CC_` codes.
enum KeyOutcome: UInt8 {
    case normal = 0
    case end = 2
    case refresh = 4
    /// A beep.
    case error = 6
}

/// Shale's key bindings, and the functions libedit has not.
extension LineEditor {
    private struct Function {
        let name: String
        let help: String
        let body: shale_editline_function
    }

    private static let functions: [Function] = [
        Function(name: "shale-complete", help: "complete the word") { editor, _ in run(editor) { $0.complete() } },
        Function(name: "shale-history-prev", help: "earlier line with this start") { editor, _ in
            run(editor) { $0.searchHistory(.earlier) }
        },
        Function(name: "shale-history-next", help: "later line with this start") { editor, _ in
            run(editor) { $0.searchHistory(.later) }
        },
        Function(name: "shale-last-argument", help: "last word of an earlier line") { editor, _ in
            run(editor) { $0.insertLastArgument() }
        },
        Function(name: "shale-edit", help: "edit the line in $EDITOR") { editor, _ in
            run(editor) { $0.editOutside() }
        },
        Function(name: "shale-delete-or-end", help: "delete, list completions, or leave") { editor, _ in
            run(editor) { $0.deleteOrEnd() }
        },
        Function(name: "shale-line-start", help: "to the start of the line") { editor, _ in
            run(editor) { $0.moveToLineStart() }
        },
        Function(name: "shale-line-end", help: "to the end of the line") { editor, _ in
            run(editor) { $0.moveToLineEnd() }
        },
        Function(name: "shale-next-char", help: "to the right, or take the suggestion") { editor, _ in
            run(editor) { $0.moveRight() }
        },
        Function(name: "shale-next-word", help: "to the next word, or take one of the suggestion") { editor, _ in
            run(editor) { $0.moveToNextWord() }
        },
        Function(name: "shale-help", help: "help on the command") { editor, _ in run(editor) { $0.showHelp() } },
        Function(name: "shale-ignore", help: "do nothing") { _, _ in KeyOutcome.normal.rawValue },
        Function(name: "shale-paste", help: "take a bracketed paste", body: shale_editline_paste),
    ]

    /// Keys that must work in any map, vi's included.
    private static let essential: [(keys: String, function: String)] = [
        ("^I", "shale-complete"), ("\\e[Z", "shale-complete"), ("\\e[200~", "shale-paste"),
        ("\\e[201~", "shale-ignore"), ("\\e[A", "shale-history-prev"), ("\\e[B", "shale-history-next"),
        ("\\eOA", "shale-history-prev"), ("\\eOB", "shale-history-next"), ("^D", "shale-delete-or-end"),
        ("\\eOP", "shale-help"), ("\\e[11~", "shale-help"),
        ("^R", "em-inc-search-prev"), ("^S", "em-inc-search-next"),
        ("^P", "shale-history-prev"), ("^N", "shale-history-next"), ("\\e.", "shale-last-argument"),
        ("\\e_", "shale-last-argument"), ("^X^E", "shale-edit"),
        ("\\e[C", "shale-next-char"), ("\\eOC", "shale-next-char"),
        ("\\e[1;5C", "shale-next-word"), ("\\e[1;5D", "ed-prev-word"), ("\\e[1;3C", "shale-next-word"),
        ("\\e[1;3D", "ed-prev-word"), ("\\e[5C", "shale-next-word"), ("\\e[5D", "ed-prev-word"),
        ("\\eOc", "shale-next-word"), ("\\eOd", "ed-prev-word"),
        ("\\e[H", "shale-line-start"), ("\\e[F", "shale-line-end"), ("\\eOH", "shale-line-start"),
        ("\\eOF", "shale-line-end"), ("\\e[1~", "shale-line-start"), ("\\e[4~", "shale-line-end"),
        ("\\e[3~", "ed-delete-next-char"), ("\\e[5~", "shale-history-prev"), ("\\e[6~", "shale-history-next"),
        ("\\e[2~", "shale-ignore"),
    ]

    /// Keys of the line itself, in emacs mode and where vi's mode takes text.
    private static let typing: [(keys: String, function: String)] = [
        ("^A", "shale-line-start"), ("^E", "shale-line-end"), ("^F", "shale-next-char"),
    ]

    private static let emacs: [(keys: String, function: String)] = [
        ("\\ef", "shale-next-word"), ("^W", "ed-delete-prev-word"), ("\\e^?", "ed-delete-prev-word"),
    ]

    /// ``SHALE_EDITLINE_ESCAPE`` as bindings write it.
    private static let escapeKeys = "\\e[9004~"

    /// Adds the functions, binds the keys, and reads the user's own bindings.
    func bindKeys(_ handle: OpaquePointer) {
        for function in Self.functions { _ = shale_editline_add(handle, function.name, function.help, function.body) }
        bind(Self.emacs + Self.typing + Self.essential, in: handle)
        // `bind -v` in ~/.editrc makes new key maps: the most important keys are bound again.
        guard shale_editline_source(handle) else { return }
        for isCommandMap in [false, true] { bind(Self.essential, in: handle, isCommandMap: isCommandMap) }
        bind(Self.typing, in: handle)
        // libedit keeps one table of sequences for both maps.
        _ = shale_editline_bind(handle, Self.escapeKeys, "vi-command-mode", false)
        shale_editline_set_escape_alone(true)
        // What the person bound themselves stays theirs.
        let own = PersonsBindings.lines
        if !own.isEmpty { shale_editline_source_text(handle, own) }
    }

    private func bind(
        _ keys: [(keys: String, function: String)], in handle: OpaquePointer, isCommandMap: Bool = false
    ) {
        for key in keys { _ = shale_editline_bind(handle, key.keys, key.function, isCommandMap) }
    }

    private static func run(
        _ handle: OpaquePointer, _ body: (LineEditor) -> KeyOutcome
    ) -> UInt8 {
        guard let editor = of(handle) else { return KeyOutcome.error.rawValue }
        return body(editor).rawValue
    }

    // MARK: Ctrl-D

    func deleteOrEnd() -> KeyOutcome {
        let line = line
        if line.length == 0 { return .end }
        if line.cursor == line.length {
            listCompletions()
            return .normal
        }
        if let handle {
            _ = shale_editline_move(handle, 1)
            shale_editline_delete_before(handle, 1)
        }
        return .refresh
    }

    // MARK: History

    func searchHistory(_ direction: HistorySearch.Direction) -> KeyOutcome {
        let line = line
        // Inside a text of several lines it goes from line to line, but for one just found: that goes on searching.
        let isFound = search.isShowing(line.text) && line.cursor == line.length
        if !isFound, moveByLine(direction) { return .refresh }
        guard
            let found = search.move(
                direction, line: line.text, beforeCursor: textBeforeCursor, entries: history.entries)
        else { return .error }
        replaceLine(with: found)
        return .refresh
    }

    func insertLastArgument() -> KeyOutcome {
        guard
            let (length, word) = lastArgument.next(
                line: line.text, entries: history.entries, lastWord: questions.lastWord)
        else {
            return .error
        }
        replaceBeforeCursor(length, with: word)
        lastArgument.leave(line: line.text)
        return .refresh
    }

    // MARK: Lines of one text

    /// Moves to the same column of the line above or below; false where there is none.
    private func moveByLine(_ direction: HistorySearch.Direction) -> Bool {
        let line = line
        guard let target = LineMotion(line.text, cursor: line.cursor).vertical(direction) else { return false }
        return move(to: target)
    }

    func moveToLineStart() -> KeyOutcome {
        let line = line
        return move(to: LineMotion(line.text, cursor: line.cursor).start) ? .refresh : .normal
    }

    func moveToLineEnd() -> KeyOutcome {
        if acceptSuggestion() { return .refresh }
        let line = line
        return move(to: LineMotion(line.text, cursor: line.cursor).end) ? .refresh : .normal
    }

    func moveRight() -> KeyOutcome {
        if acceptSuggestion() { return .refresh }
        let line = line
        guard line.cursor < line.length else { return .error }
        return move(to: line.cursor + 1) ? .refresh : .normal
    }

    func moveToNextWord() -> KeyOutcome {
        if acceptSuggestion(wordOnly: true) { return .refresh }
        let line = line
        return move(to: LineMotion(line.text, cursor: line.cursor).wordEnd) ? .refresh : .normal
    }

    private func move(to target: Int) -> Bool {
        guard let handle else { return false }
        _ = shale_editline_move(handle, Int32(clamping: target - line.cursor))
        return true
    }

    // MARK: Help

    func showHelp() -> KeyOutcome {
        guard let text = completer?.help(for: linesBefore + textBeforeCursor) else { return .error }
        printBelow(text.visibleLines.hasSuffix("\n") ? text.visibleLines : text.visibleLines + "\n")
        return .normal
    }
}

/// Up and Down: through the lines that start with what stands before the cursor.
struct HistorySearch {
    enum Direction {
        case earlier
        case later
    }

    private var prefix = ""
    private var original = ""
    private var index: Int?
    private var shown: String?

    /// Whether a text is the line found last.
    func isShowing(_ text: String) -> Bool { index != nil && shown == text }

    /// The next line in a direction; `nil` when there is none.
    mutating func move(
        _ direction: Direction, line: String, beforeCursor: String, entries: [String]
    ) -> String? {
        if index == nil || line != shown {
            // Something was typed since: a new search.
            guard direction == .earlier else { return nil }
            prefix = beforeCursor
            original = line
            index = entries.count
        }
        var position = min(index ?? entries.count, entries.count)
        while true {
            position += direction == .earlier ? -1 : 1
            if position < 0 { return nil }
            if position >= entries.count {
                index = nil
                shown = nil
                return direction == .later ? original : nil
            }
            let entry = entries[position]
            if entry.hasPrefix(prefix), entry != line {
                index = position
                shown = entry
                return entry
            }
        }
    }
}

/// Places in a text of several lines, counted in Unicode scalars.
struct LineMotion {
    private let scalars: [Unicode.Scalar]
    private let cursor: Int

    init(_ text: String, cursor: Int) {
        scalars = Array(text.unicodeScalars)
        self.cursor = max(0, min(cursor, scalars.count))
    }

    /// Where the line of the cursor begins; from there, where the text begins.
    var start: Int {
        let start = start(at: cursor)
        return start == cursor ? 0 : start
    }

    /// Where the line of the cursor ends; from there, where the text ends.
    var end: Int {
        let end = end(at: cursor)
        return end == cursor ? scalars.count : end
    }

    /// Where the word at the cursor ends, or else the next one.
    var wordEnd: Int {
        let isPart = { (scalar: Unicode.Scalar) in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
        let start = scalars[cursor...].firstIndex(where: isPart) ?? scalars.count
        return scalars[start...].firstIndex { !isPart($0) } ?? scalars.count
    }

    /// The same column of the line above or below, or its end; `nil` where there is none.
    func vertical(_ direction: HistorySearch.Direction) -> Int? {
        let start = start(at: cursor)
        let column = cursor - start
        switch direction {
        case .earlier:
            guard start > 0 else { return nil }
            return min(self.start(at: start - 1) + column, start - 1)
        case .later:
            let end = end(at: cursor)
            guard end < scalars.count else { return nil }
            return min(end + 1 + column, self.end(at: end + 1))
        }
    }

    private func start(at place: Int) -> Int { (scalars[..<place].lastIndex(of: "\n") ?? -1) + 1 }
    private func end(at place: Int) -> Int { scalars[place...].firstIndex(of: "\n") ?? scalars.count }
}

/// Alt-.: the last word of the line before, and with each further press of the one before that.
struct LastArgument {
    private var index: Int?
    private var length = 0
    private var shown: String?

    /// How many scalars to take back, and what to put there.
    mutating func next(line: String, entries: [String], lastWord: (String) -> String?) -> (Int, String)? {
        let isContinued = index != nil && line == shown
        var position = isContinued ? index ?? entries.count : entries.count
        while position > 0 {
            position -= 1
            guard let word = lastWord(entries[position]) else { continue }
            let before = isContinued ? length : 0
            index = position
            length = word.unicodeScalars.count
            return (before, word)
        }
        return nil
    }

    mutating func leave(line: String) { shown = line }
}
