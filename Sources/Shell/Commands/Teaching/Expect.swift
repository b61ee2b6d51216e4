package import ArgumentParser
package import Basics
import Rendering
import ShellLanguage

/// `expect COMMAND…`: succeeds where the command does what was expected of it.
package struct Expect: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "expect", abstract: "Run a command and fail where it shows something else than expected",
        usage: "expect [--is TEXT|--has TEXT|--lacks TEXT|--some|--none|--fails] COMMAND [ARG…]",
        discussion: "For the checks of lessons, and for scripts. What the command prints is not shown.",
        helpNames: .long)
    package static let operandKinds: [ValueKind] = [.verb, .none]
    package static let holdsCommand = true
    package static let takesWorkingImageAsTyped = true
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false
    package static let examples = [
        "expect --some images -q busybox", "expect --is exited inspect -f '{{.State.Status}}' box",
        "expect --fails stat busybox:/note",
    ]
    package static let differences = ["Docker has no such command; its users write `docker … | grep -q …`."]

    @Option(help: "It prints this text, and no more.") var `is`: String?
    @Option(help: "It prints this text somewhere.") var has: [String] = []
    @Option(help: "It prints this text nowhere.") var lacks: [String] = []
    @Flag(help: "It prints something.") var some = false
    @Flag(help: "It prints nothing.") var none = false
    @Flag(help: "It fails.") var fails = false
    @Argument(parsing: .captureForPassthrough, help: "The command, and its words") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if words.first == "--" { words.removeFirst() }
        guard let verb = words.first else {
            throw ShaleError(.usage, "'expect' requires at least 1 argument", hint: Self.examples[0])
        }
        if verb.hasPrefix("-") { throw CommandTable.unknownFlag(verb, of: Self.verb) }
        let command = words.map(\.shellQuoted).joined(separator: " ")
        let (text, failure) = HeardCommand(shell).run(words)
        if fails {
            guard failure == nil else { return .done }
            throw Self.other("\(command) should fail, but succeeds")
        }
        if let failure { throw failure }
        if let `is`, text != `is` { throw Self.other("\(command) should print \"\(`is`)\"", text) }
        for part in has where !text.contains(part) { throw Self.other("\(command) should print \"\(part)\"", text) }
        for part in lacks where text.contains(part) {
            throw Self.other("\(command) should not print \"\(part)\"", text)
        }
        if some, text.isEmpty { throw Self.other("\(command) should print something, but prints nothing") }
        if none, !text.isEmpty { throw Self.other("\(command) should print nothing", text) }
        return .done
    }

    private static func other(_ message: String, _ text: String? = nil) -> ShaleError {
        let first = text.map { $0.split(separator: "\n").first.map(String.init) ?? "" }
        return ShaleError(
            .conflict, message.visible,
            cause: first.map { $0.isEmpty ? "it prints nothing" : "it prints \"\($0.visible.ellipsis(60))\"" })
    }
}

/// A command of which only the output and the failure are wanted.
struct HeardCommand {
    private let shell: ShellContext
    private static let longest = 4 << 20

    init(_ shell: ShellContext) { self.shell = shell }

    /// What it prints, without blanks at its ends, and why it fails.
    func run(_ words: [String]) -> (text: String, failure: ShaleError?) {
        let output = OutputBuffer(limit: Self.longest)
        let before = shell.console
        let wordsBefore = shell.wordsUnderWay
        shell.console = before.redirected(
            output: .buffer(output), errors: .buffer(OutputBuffer(limit: Self.longest)))
        defer {
            shell.console = before
            shell.wordsUnderWay = wordsBefore
        }
        var failure: ShaleError?
        do throws(ShaleError) {
            let status = try Interpreter(shell).run(arguments: words, aliasDepth: Interpreter.deepestAlias)
            if status != 0 {
                failure = ShaleError(
                    .conflict, "\(words.map(\.shellQuoted).joined(separator: " ").visible): exit status \(status)")
            }
        } catch {
            failure = error
        }
        return (output.text.trimmingBlanks, failure)
    }
}
