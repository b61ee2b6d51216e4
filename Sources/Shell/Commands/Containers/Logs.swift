package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering

/// `logs CONTAINER`.
package struct Logs: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what a container wrote", usage: "logs [OPTIONS] CONTAINER")
    package static let operandKinds: [ValueKind] = [.container]
    package static let managementNames: [ManagementName] = ["container logs"]
    package static let examples = ["logs web", "logs -f --since 10m web", "logs -n 20 -t web"]
    package static let differences = [
        "The files are docker's json-file, below the home; a new one begins at 20 MB, and five are kept."
    ]
    package static let isWorthKeeping = false

    @Flag(name: .shortAndLong, help: "Go on as it writes") var follow = false
    @Option(
        name: [.customShort("n", allowingJoined: true), .customLong("tail")], parsing: .unconditional,
        help: "Only the last N lines")
    var tail = "all"
    @Flag(name: [.customShort("t"), .customLong("timestamps")], help: "Show the time of each line") var timestamps =
        false
    @Option(help: "Only what came after a time or within an age (10m)") var since: String?
    @Option(help: "Only what came before") var until: String?
    @Flag(help: "Begin each line with what the log's driver was told to keep: here nothing, so a space") var details =
        false
    @Argument(help: "Name or id") var container: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var options = LogOptions()
        options.follow = follow
        // Docker shows all for what is no number, and for a negative one.
        options.tail = Int(tail).flatMap { $0 >= 0 ? $0 : nil }
        options.since = try since.map { text throws(ShaleError) in try Self.moment(text, "since") }
        options.until = try until.map { text throws(ShaleError) in try Self.moment(text, "until") }
        let containers = try shell.containers()
        let record = try containers.container(container).record
        let (console, showsTime, showsDetails) = (shell.console, timestamps, details)
        // A terminal has only one stream: its bytes are printed unchanged.
        try containers.logs(of: record, options, cancellation: shell.cancellation) { entry in
            // The further pieces of a long line follow the first one.
            let lead = entry.continuesLine ? "" : (showsTime ? "\(entry.timeText) " : "") + (showsDetails ? " " : "")
            let line = lead.isEmpty ? entry.text : Array(lead.utf8) + entry.text
            console.write(line, to: entry.isError ? .errors : .output)
            return !console.isOutputClosed
        }
        return follow && shell.cancellation.isCancelled ? .status(Interrupt.status) : .done
    }

    private static func moment(_ text: String, _ option: String) throws(ShaleError) -> Timestamp {
        do throws(ShaleError) {
            return try Timestamp(typed: text)
        } catch {
            throw ShaleError(
                error.code, "invalid value for \"\(option)\"", cause: error.message, hint: error.hint)
        }
    }
}
