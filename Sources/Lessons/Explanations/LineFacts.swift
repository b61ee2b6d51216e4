package import Basics
package import Sessions

/// What is known of a line that has run: from the session's journal, or of the line that just ended.
package struct LineFacts: Sendable {
    /// As it was typed, secrets masked.
    package var line: String
    /// The command that it calls, in shale's own spelling (`volume create`); an instruction's keyword; empty for others.
    package var verb: String
    /// The words behind the verb.
    package var words: [String]
    /// The exit status; 0 is success.
    package var status: Int32
    /// Ids of images and containers that it made.
    package var made: [String]
    package var changes: [StateChange]
    /// For `undo`, `redo` and `goto`: the state that is current again; 0 is the beginning.
    package var movedTo: Int?
    /// Why it failed, where that is still known.
    package var failure: ShaleError?

    package init(
        line: String, verb: String, words: [String], status: Int32, made: [String] = [], changes: [StateChange] = [],
        movedTo: Int? = nil, failure: ShaleError? = nil
    ) {
        self.line = line
        self.verb = verb
        self.words = words
        self.status = status
        self.made = made
        self.changes = changes
        self.movedTo = movedTo
        self.failure = failure
    }

    /// Its first line, short enough for the beginning of a sentence.
    var shortLine: String {
        let first = line.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
        let isWhole = first.count <= Self.longest && first.utf8.count == line.utf8.count
        return isWhole ? first : String(first.prefix(Self.longest)) + "…"
    }

    private static let longest = 48
}
