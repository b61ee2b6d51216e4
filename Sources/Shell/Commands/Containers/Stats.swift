package import ArgumentParser
package import Basics
import Containers
import Glibc
import OCI
import Recipes
import Rendering
import Stores

/// `stats [CONTAINER…]`: what containers use; at a terminal again and again until Ctrl-C.
package struct Stats: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Show what containers use", usage: "stats [OPTIONS] [CONTAINER…]")
    package static let operandKinds: [ValueKind] = [.runningContainer]
    package static let managementNames: [ManagementName] = ["container stats"]
    package static let examples = [
        "stats", "stats --no-stream", "stats --no-stream --format '{{.Name}} {{.MemUsage}}' web",
    ]
    package static let differences = ["Goes on only at a terminal; into a pipe it prints once, as with --no-stream."]
    package static let isWorthKeeping = false

    @Flag(name: .shortAndLong, help: "Show all containers (default shows just running)") var all = false
    @Flag(name: .customLong("no-stream"), help: "Print once") var noStream = false
    @Flag(help: "Don't cut ids") var noTrunc = false
    @Option(help: "table, table TEMPLATE, json, or a Go template") var format: String?
    @Argument(help: "Names or ids; none for all that run") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let console = shell.console
        let engine = try shell.engine()
        let failures = containers.compactMap { name -> ShaleError? in
            do throws(ShaleError) {
                _ = try engine.containers.container(name)
                return nil
            } catch {
                return error
            }
        }
        if !failures.isEmpty { return try shell.outcome(.none, failures: failures) }
        guard !noStream, format == nil, console.canRedraw(.output) else {
            return .listing(try listing(shell), format: format)
        }
        while !shell.cancellation.isCancelled {
            let table = try listing(shell).text(format: .table(template: nil), width: console.size(.output)?.columns)
            // Print from the top of the screen, and erase the rest of an earlier, longer table.
            console.write("\u{1B}[H\u{1B}[2J" + table)
            for _ in 0..<8 where !shell.cancellation.isCancelled { usleep(100_000) }
        }
        return .status(Interrupt.status)
    }

    private func listing(_ shell: ShellContext) throws(ShaleError) -> Listing {
        let engine = try shell.engine()
        var views: [ContainerView] = []
        if containers.isEmpty {
            var filter = ContainerFilter()
            filter.all = all
            // `ps` tells of a container that cannot be read; here it would be told at each redraw.
            views = try engine.containers.list(filter) { _ in }.map(\.view)
        } else {
            for name in containers { views.append(try engine.containers.container(name)) }
        }
        var listing = Listing(columns: [
            Listing.Column("ID", "CONTAINER ID"), Listing.Column("Name", "NAME"), Listing.Column("CPUPerc", "CPU %"),
            Listing.Column("MemUsage", "MEM USAGE / LIMIT"), Listing.Column("MemPerc", "MEM %"),
            Listing.Column("NetIO", "NET I/O"), Listing.Column("BlockIO", "BLOCK I/O"),
            Listing.Column("PIDs", "PIDS"), Listing.Column("Container", "CONTAINER", isShown: false),
        ])
        for view in views {
            try shell.cancellation.check()
            let record = view.record
            let usage = engine.containers.usage(of: record)
            listing.rows.append(
                Self.row(usage, id: noTrunc ? record.id : Identifier.short(record.id), name: record.name, of: record.id)
            )
        }
        return listing
    }

    /// A row; `container` is what it was asked for by.
    static func row(_ usage: ContainerUsage, id: String, name: String, of container: String) -> JSONDocument {
        let share = usage.memoryLimit > 0 ? Double(usage.memory) / Double(usage.memoryLimit) * 100 : 0
        let memory = "\(HumanUnits.binarySize(usage.memory)) / \(HumanUnits.binarySize(usage.memoryLimit))"
        return .members([
            "ID": .string(id), "Name": .string(name), "CPUPerc": .string(percent(usage.processor)),
            "MemUsage": .string(memory), "MemPerc": .string(percent(share)), "NetIO": .string(traffic(usage)),
            "BlockIO": .string("\(HumanUnits.size(usage.read)) / \(HumanUnits.size(usage.written))"),
            "PIDs": .string("\(usage.processes)"), "Container": .string(container),
        ])
    }

    private static func traffic(_ usage: ContainerUsage) -> String {
        guard let received = usage.received, let sent = usage.sent else { return "-- / --" }
        return "\(HumanUnits.size(received)) / \(HumanUnits.size(sent))"
    }

    /// Two digits after the point.
    private static func percent(_ value: Double) -> String {
        let hundredths = Int64((value * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)%"
    }
}
