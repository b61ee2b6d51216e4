package import ArgumentParser
package import Basics
import Lessons
import Recipes
import Sessions
import ShellLanguage

/// `explain`: what the last line did on disk, what a thing is, or what a command would do.
package struct Explain: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what the last line did on disk, what a word means, or what a command would do",
        usage: """
            explain [last]
            explain TOPIC
            explain COMMAND [ARG…]
            """,
        discussion: """
            At most eight lines, with the numbers and names of this home at this moment. Topics: \
            \(Topics.things.names.joined(separator: ", ")).
            """, helpNames: .long)
    package static let operandKinds: [ValueKind] = [.topic, .object]
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let leasesWhatItUses = false
    package static let takesWorkingImageAsTyped = true
    package static let examples = ["explain", "explain whiteout", "explain rmi busybox"]
    package static let differences = [
        "Docker has no such command.", "A command is explained and not run.",
        "`set teach on` says one such line after every command.",
    ]

    @Argument(parsing: .captureForPassthrough, help: "last, a topic, or a command and its words.")
    var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let word = words.first, words != ["last"] else { return .lines(try Self.last(shell)) }
        if ["--help", "-h"].contains(word) { return .text(HelpText.of(Self.self)) }
        let (engine, session) = (try shell.engine(), try shell.session())
        let rest = Array(words.dropFirst())
        let name = word.lowercased()
        if rest.isEmpty, word != word.uppercased() || word == "@",
            let lines = try Topics.things.lines(of: name, engine, session)
        {
            return .lines(lines)
        }
        if rest.isEmpty, name == Help.keysTopic {
            return .line("What the keys do at the prompt. help \(Help.keysTopic) has all of it.")
        }
        if rest.isEmpty, name == Help.languageTopic {
            return .line("How a line is read. help \(Help.languageTopic) has all of it.")
        }
        return .lines(try Self.command(words, engine, session))
    }

    private static func command(
        _ words: [String], _ engine: Engine, _ session: Session
    ) throws(ShaleError) -> [String] {
        var spelled = words.map { Word($0) }
        _ = CommandTable.shared.spelling.normalise(&spelled)
        let words = spelled.map { $0.constant ?? $0.source }
        guard let first = words.first else { throw unknown(words) }
        let type = CommandTable.shared.find(words: words)
        let isInstruction = StepKeyword.names.contains(first)
        guard type != nil || isInstruction else {
            // Two words of a topic: `working image`.
            let topic = words.joined(separator: " ").lowercased()
            if let lines = try Topics.things.lines(of: topic, engine, session) { return lines }
            throw unknown(words)
        }
        let verb = type?.verb ?? first
        let subjects = Array(words.dropFirst(verb.split(separator: " ").count))
        for name in [verb, first] {
            if let lines = try Topics.commands.lines(of: name, about: subjects, engine, session) { return lines }
        }
        guard let type else { throw unknown(words) }
        return [
            "\(verb): \(type.configuration.abstract).",
            type.isWorthKeeping
                ? "explain, typed behind it, says what it did on disk."
                : "It only looks: no image, layer, container or volume is changed by it.",
        ]
    }

    private static func unknown(_ words: [String]) -> ShaleError {
        let text = words.joined(separator: " ")
        let known = Topics.things.allNames + CommandTable.shared.names
        let near = Suggestion.nearest(to: text.lowercased(), among: known).first
        return ShaleError(
            .notFound, "nothing to explain by the name \(text.visible)",
            hint: near.map { "explain \($0)" } ?? "help explain")
    }

    /// What the last line did that was no question about lines itself.
    private static func last(_ shell: ShellContext) throws(ShaleError) -> [String] {
        let session = try shell.session()
        try session.refresh()
        let entry = session.entries.last { entry in
            let facts = LineFacts(entry, failure: nil)
            return !(facts.type?.isAboutLines ?? false)
        }
        guard let entry else {
            return [
                "Nothing has been typed in this session yet.",
                "Try: FROM busybox, then explain; or explain image. lesson list shows the lessons.",
            ]
        }
        let failed = shell.lastFailure
        let facts = LineFacts(entry, failure: failed?.line == entry.line && entry.status != 0 ? failed?.error : nil)
        return Explainer(try shell.engine(), session: session).lines(facts)
    }
}
