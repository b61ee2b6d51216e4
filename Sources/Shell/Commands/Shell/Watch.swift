package import ArgumentParser
package import Basics
import Glibc
import Rendering

/// `watch [SECONDS] COMMAND…`: a command again and again, until Ctrl-C.
package struct Watch: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Run a command again and again, until Ctrl-C",
        usage: "watch [SECONDS] [--count N] COMMAND [ARG…]",
        discussion: "Without a number, every two seconds. On a terminal each time has the screen for itself.",
        helpNames: .long)
    package static let operandKinds: [ValueKind] = [.verb, .none]
    package static let holdsCommand = true
    package static let takesNumberBeforeCommand = true
    package static let takesWorkingImageAsTyped = true
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false
    package static let isRecorded = false
    package static let examples = ["watch ps", "watch 0.5 --count 3 df", "watch 5 steps"]
    package static let differences = [
        "Docker has none; a command that fails ends it, with its status.",
        "Only commands that look are watched: what changes something is typed once, and recorded.",
    ]

    @Option(help: "End after so many times") var count: Int?
    @Argument(parsing: .captureForPassthrough, help: "Seconds, then the command and its words") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var words = words
        var seconds = 2.0
        if let number = words.first.flatMap({ Double($0) }) {
            guard number.isFinite, (0.1...86_400).contains(number) else {
                throw ShaleError(
                    .usage, "watch: \(words[0].visible) is not between 0.1 and 86400 seconds", hint: "watch 2 ps")
            }
            seconds = number
            words.removeFirst()
        }
        var left = count
        if words.first == "--count", words.count > 1 {
            left = Int(words[1])
            if left == nil {
                throw ShaleError(.usage, "watch: --count \(words[1].visible) is no number", hint: "watch --count 3 ps")
            }
            words.removeFirst(2)
        }
        if let left, left < 1 { throw ShaleError(.usage, "watch: --count is 1 or more", hint: "watch --count 3 ps") }
        if let flag = words.first, flag.hasPrefix("-") { throw CommandTable.unknownFlag(flag, of: Self.verb) }
        let inner = try InnerWords(words, of: Self.self)
        // A recording has no such line, so nothing may come of it.
        guard !inner.isWorthKeeping else {
            throw ShaleError(
                .usage, "watch: \(inner.words[0].visible) may change something; watch is for commands that look",
                hint: "watch ps")
        }
        while true {
            // From the top of the screen; what an earlier, longer answer left goes.
            if shell.console.canRedraw(.output) { shell.console.write("\u{1B}[H\u{1B}[2J") }
            let status = try inner.run(in: shell)
            try shell.console.checkWritten()
            left = left.map { $0 - 1 }
            if status != 0 || left == 0 { return .status(status) }
            let end = SteadyTime.now() &+ UInt64(seconds * 1e9)
            while SteadyTime.now() < end, !shell.cancellation.isCancelled { usleep(50_000) }
            if shell.cancellation.isCancelled { return .status(Interrupt.status) }
        }
    }
}
