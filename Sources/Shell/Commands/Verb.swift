package import ArgumentParser
package import Basics
package import Images
package import Rendering

/// A command of the shell, one type and one file each: its options are what swift-argument-parser reads of it.
///
/// It calls the engine and returns a value that the interpreter prints. It prints only through the context's console
/// and operation contexts.
package protocol Verb: ParsableCommand {
    /// Does the work.
    ///
    /// Throws the error that the user reads; its exit status is the command's.
    mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome

    /// Whether the journal keeps a line of it that succeeded and changed nothing (`images`, `help` do not matter).
    static var isWorthKeeping: Bool { get }
    /// Whether what it makes and uses is leased while it works; not for verbs that remove, list everything, or run
    /// further lines.
    static var leasesWhatItUses: Bool { get }
    /// What its operands are, where the option model does not say; the last one repeats.
    static var operandKinds: [ValueKind] { get }
    /// Whether words behind its first operand belong to a container's program: its options end there, variables unknown
    /// to shale stay, and a failure of shale's own is told from the program's by its status, 125.
    static var holdsContainerCommand: Bool { get }
    /// Whether its operands are a command of shale's, with options of its own; the journal has that command in its
    /// place.
    static var holdsCommand: Bool { get }
    /// Whether a number may stand before that command.
    static var takesNumberBeforeCommand: Bool { get }
    /// Whether what it reads from a here-document has variables of its own.
    static var hasVariablesOfItsOwn: Bool { get }
    /// Whether it moves through the session's states, and writes its own journal entries.
    static var writesItsOwnEntries: Bool { get }
    /// Whether it needs nothing but the program: it works where no home can be made and no namespace be had.
    static var asksOnlyTheProgram: Bool { get }
    /// Whether `record` writes it down.
    static var isRecorded: Bool { get }
    /// Whether it is a question about what was typed or is to be typed: `explain last` passes it over, and neither a
    /// teaching line nor a lesson's check follows it.
    static var isAboutLines: Bool { get }
    /// Whether its words cannot be the name of an alias.
    static var isReserved: Bool { get }
    /// Whether it gets a word for the working image as it was typed, and not as the id of the image.
    static var takesWorkingImageAsTyped: Bool { get }
    /// Whether it gets a place in the working image with the image's id; other commands show the place as it was typed.
    static var takesWorkingPlaces: Bool { get }
    /// Whether it takes the lines behind it in a script for itself.
    static var takesFurtherLines: Bool { get }
    /// What a path means to it that names no image and no container.
    static var plainPaths: PlainPaths { get }
    /// The keys of its `--filter`, for Tab.
    static var filters: [FilterKey] { get }
    /// For those of its filters that take a name, the kind of thing that is named.
    static var filteredKind: ValueKind { get }
    /// The fields that its `--format` template knows, for Tab.
    static var formatFields: [String] { get }
    /// What docker's management commands call it: `image ls`.
    static var managementNames: [ManagementName] { get }
    /// Commands of two words that begin with this one; each is called by both words.
    static var subcommands: [any Verb.Type] { get }
    /// Other names of the second words, to those of `subcommands`.
    static var otherNames: [String: String] { get }
    /// The second words that its operands may begin with, where they are no commands of their own.
    static var secondWords: [SecondWord] { get }
    /// Example lines for `help`.
    static var examples: [String] { get }
    /// How it differs from docker's, one sentence each.
    static var differences: [String] { get }
    /// Docker's flags that it refuses by name, without their dashes, each with the reason.
    static var refusedFlags: [String: String] { get }
}

extension Verb {
    package static var isWorthKeeping: Bool { true }
    package static var leasesWhatItUses: Bool { true }
    package static var operandKinds: [ValueKind] { [] }
    package static var holdsContainerCommand: Bool { false }
    package static var holdsCommand: Bool { false }
    package static var takesNumberBeforeCommand: Bool { false }
    package static var hasVariablesOfItsOwn: Bool { false }
    package static var writesItsOwnEntries: Bool { false }
    package static var asksOnlyTheProgram: Bool { false }
    package static var isRecorded: Bool { true }
    package static var isAboutLines: Bool { false }
    package static var isReserved: Bool { false }
    package static var takesWorkingImageAsTyped: Bool { false }
    package static var takesWorkingPlaces: Bool { false }
    package static var takesFurtherLines: Bool { false }
    package static var plainPaths: PlainPaths { .ofBoth }
    package static var filters: [FilterKey] { [] }
    package static var filteredKind: ValueKind { .image }
    package static var formatFields: [String] { [] }
    package static var managementNames: [ManagementName] { [] }
    package static var subcommands: [any Verb.Type] { [] }
    package static var otherNames: [String: String] { [:] }
    package static var secondWords: [SecondWord] {
        subcommands.map { SecondWord(String($0.verb.dropFirst(verb.count + 1)), $0.configuration.abstract) }
    }
    package static var examples: [String] { [] }
    package static var differences: [String] { [] }
    package static var refusedFlags: [String: String] { [:] }

    /// The command of two words that begins with this one.
    static func subcommand(_ word: String) -> (any Verb.Type)? {
        subcommands.first { $0.verb == "\(verb) \(otherNames[word] ?? word)" }
    }

    /// What to type for a second word that is none: the nearest, else its help.
    static func hint(forSecondWord word: String) -> String {
        let near = Suggestion.nearest(to: word, among: secondWords.map(\.word)).first
        return near.map { "\(verb) \($0)" } ?? "help \(verb)"
    }

    /// The word it is called by.
    package static var verb: String { configuration.commandName ?? String(describing: Self.self).lowercased() }
}

/// A second word of a command: `switch` of `session switch`.
package struct SecondWord: Sendable {
    package let word: String
    package let meaning: String
    /// What stands behind it.
    package let operand: ValueKind

    package init(_ word: String, _ meaning: String, _ operand: ValueKind = .none) {
        self.word = word
        self.meaning = meaning
        self.operand = operand
    }
}

/// Where a path leads that names no image and no container, while the shell is inside one (`cd IMAGE:/path`).
package enum PlainPaths: Sendable {
    case ofBoth
    /// Into the image or container, as with `cd`.
    case ofPlace
    /// To the host's files, as with `cp`.
    case ofHost
}

/// A name that one of docker's management commands has for a verb of shale's.
package struct ManagementName: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The `image` of `image ls`.
    package let noun: String
    /// The `ls` of `image ls`.
    package let verb: String
    /// What stands behind shale's verb then.
    package let operands: [String]

    /// `words` are the two of docker's.
    package init(_ words: String, _ operands: [String]) {
        let parts = words.split(separator: " ", maxSplits: 1)
        noun = parts.first.map(String.init) ?? ""
        verb = parts.dropFirst().first.map(String.init) ?? ""
        self.operands = operands
    }

    package init(stringLiteral words: String) { self.init(words, []) }
}

/// The result of a command.
package struct Outcome: Sendable {
    package enum Output: Sendable {
        case none
        /// Whole lines, without their newlines.
        case lines([String])
        /// Whole lines that may be many: through the pager where a terminal is too small for them.
        case paged([String])
        /// The same with styles of shale's own.
        case drawing([String])
        /// Printed unchanged.
        case text(String)
        /// A table without any other form.
        case table(Table)
        case listing(Listing, format: Listing.Format, quiet: Bool, quietWins: Bool)
        /// `inspect`: a JSON array with four spaces, or a template for each.
        case documents([JSONDocument], template: String?)
    }

    package var status: Int32 = 0
    package var output: Output
    /// Whether the prompt or the script ends with it.
    package var leaves = false

    package init(_ output: Output = .none, status: Int32 = 0) {
        self.output = output
        self.status = status
    }

    package static let done = Outcome()
    package static func status(_ status: Int32) -> Outcome { Outcome(.none, status: status) }
    package static func leave(_ status: Int32) -> Outcome {
        var outcome = Outcome(.none, status: status)
        outcome.leaves = true
        return outcome
    }
    package static func lines(_ lines: [String]) -> Outcome { Outcome(.lines(lines)) }
    package static func paged(_ lines: [String]) -> Outcome { Outcome(.paged(lines)) }
    package static func drawing(_ lines: [String]) -> Outcome { Outcome(.drawing(lines)) }
    package static func line(_ line: String) -> Outcome { Outcome(.lines([line])) }
    package static func text(_ text: String) -> Outcome { Outcome(.text(text)) }

    package static func listing(
        _ listing: Listing, format: String?, quiet: Bool = false, quietWins: Bool = false
    ) -> Outcome {
        Outcome(.listing(listing, format: Listing.Format(format), quiet: quiet, quietWins: quietWins))
    }

    package static func documents(_ documents: [JSONDocument], format: String?) -> Outcome {
        Outcome(.documents(documents, template: format))
    }
}
