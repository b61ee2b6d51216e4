package import ArgumentParser
package import Basics
import Diagnostics
import Rendering
import ShellLanguage

/// `trace COMMAND…`: runs a command and prints how long each part took.
package struct Trace: Verb {
    /// Its name, for the check that is made before the command line is parsed.
    static let word = "trace"
    package static let configuration = CommandConfiguration(
        commandName: word, abstract: "Run a command and show where its time went",
        usage: "trace [--format json] COMMAND [ARG…]",
        discussion: """
            The command runs as it would by itself, and its exit status is this one's. What took how long is printed
            afterwards on standard error, in the order in which it began: the lines that are not indented and "not
            accounted for" add up to the total. What is marked with | ran beside the command's own thread, and is a
            part of no sum.
            """, helpNames: .long)
    package static let operandKinds: [ValueKind] = [.verb, .none]
    package static let holdsCommand = true
    // The same as for the traced command.
    package static let takesWorkingImageAsTyped = true
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false
    package static let examples = [
        "trace run --rm busybox true", "trace pull alpine", "trace --format json build .",
    ]
    package static let differences = ["Docker has no such command."]

    @Option(help: "table, or json") var format: String?
    @Argument(parsing: .captureForPassthrough, help: "The command, and its words") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var words = words
        if words.first == "--" { words.removeFirst() }
        if words.first == Self.word {
            // `trace trace COMMAND` is the same as `trace COMMAND`.
            return try Self.invoke((format.map { ["--format", $0] } ?? []) + words.dropFirst(), in: shell)
        }
        if let flag = words.first, flag.hasPrefix("-") { throw CommandTable.unknownFlag(flag, of: Self.word) }
        guard ["json", "table", nil].contains(format) else {
            throw ShaleError(.usage, "trace: --format is json or table", hint: "help trace")
        }
        let inner = try InnerWords(words, of: Self.self)
        if shell.trace == nil {
            shell.trace = TraceUnderWay(
                recorder: .start(), words: inner.words, isJSON: format == "json", depth: shell.statementDepth)
        }
        return .status(try inner.run(in: shell))
    }
}

/// A trace that its statement's end will print.
struct TraceUnderWay {
    let recorder: SpanRecorder
    /// The traced command.
    let words: [String]
    let isJSON: Bool
    /// How deep its statement is within others.
    let depth: Int
}

extension ShellContext {
    /// Prints where the time went, where the statement that ends is a traced one.
    func endTrace(status: Int32) {
        guard let trace, trace.depth == statementDepth else { return }
        self.trace = nil
        let text = TraceText(trace.recorder.finish(), words: trace.words, status: status, home: options.home)
        console.write(trace.isJSON ? text.json : text.table, to: .errors)
    }
}
