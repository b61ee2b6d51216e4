package import ArgumentParser
package import Basics
import Rendering

/// `time COMMAND…`: a command, and how long it took.
package struct Time: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "time", abstract: "Run a command and say how long it took", usage: "time COMMAND [ARG…]",
        discussion: "The time is printed on standard error, and the command's status is this one's.", helpNames: .long)
    package static let operandKinds: [ValueKind] = [.verb, .none]
    package static let holdsCommand = true
    package static let takesWorkingImageAsTyped = true
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false
    package static let examples = ["time run --rm busybox true", "time build -q .", "time layers app:1 > layers.txt"]
    package static let differences = ["Docker has none. 'trace' says more: which step took how long."]

    @Argument(parsing: .captureForPassthrough, help: "The command, and its words") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let flag = words.first, flag.hasPrefix("-") { throw CommandTable.unknownFlag(flag, of: Self.verb) }
        let inner = try InnerWords(words, of: Self.self)
        let begin = SteadyTime.now()
        defer {
            let milliseconds = (SteadyTime.now() &- begin) / 1_000_000
            let rest = String(milliseconds % 1000)
            let padding = String(repeating: "0", count: 3 - rest.count)
            shell.console.note("\(inner.words[0]): \(milliseconds / 1000).\(padding)\(rest) s")
        }
        return .status(try inner.run(in: shell))
    }
}
