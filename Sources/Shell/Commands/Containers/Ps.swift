package import ArgumentParser
package import Basics
import Containers
package import Images
import OCI
import Recipes
import Rendering
import RunnerProtocol
import Stores

/// `ps`: the containers.
package struct Ps: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List containers", usage: "ps [OPTIONS]")
    package static let managementNames: [ManagementName] = ["container ls", "container list", "container ps"]
    package static let filters = ContainerFilter.known
    package static let filteredKind = ValueKind.container
    package static let formatFields = [
        "ID", "Names", "Image", "Command", "Status", "State", "HealthStatus", "Ports", "CreatedAt", "RunningFor",
        "Size", "Labels", "Mounts", "LocalVolumes", "Networks", "Platform",
    ]
    package static let examples = [
        "ps", "ps -a", "ps -aq --filter status=exited", "ps --format '{{.Names}}: {{.Status}}'",
    ]
    package static let differences = [
        "It lists what every shale on this home made: there is no daemon that would know of others."
    ]
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false

    @Flag(name: .shortAndLong, help: "Show all containers (default shows just running)") var all = false
    @Flag(name: .shortAndLong, help: "Show the newest container, running or not") var latest = false
    @Option(name: [.customShort("n", allowingJoined: true), .customLong("last")], help: "Show the newest N containers")
    var last: Int?
    @Flag(name: .shortAndLong, help: "Only show ids") var quiet = false
    @Flag(name: .shortAndLong, help: "Show sizes") var size = false
    @Flag(help: "Don't cut anything") var noTrunc = false
    @Option(name: [.customShort("f", allowingJoined: true), .customLong("filter")], help: "name=value") var filter:
        [String] = []
    @Option(help: "table, table TEMPLATE, json, raw, or a Go template") var format: String?
    @Argument(help: .hidden) var extra: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard extra.isEmpty else { throw ShaleError(.usage, "'ps' accepts no arguments", hint: "ps -a") }
        var conditions = ContainerFilter()
        conditions.all = all
        conditions.last = latest ? 1 : last.flatMap { $0 > 0 ? $0 : nil }
        for text in filter { try conditions.add(text) }
        let wantsSize = size || format?.contains(".Size") == true
        let console = shell.console
        let summaries = try shell.containers().list(conditions, sizes: wantsSize) { console.warning($0.withHint) }
        let now = Timestamp.now()
        let listing = Listing(
            columns: columns, rows: summaries.map { row(of: $0, now: now) }, quietKey: "ID",
            rawLines: rawLines)
        if quiet, let format, !format.isEmpty, format != "table" {
            shell.console.note("WARNING: Ignoring custom format, because both --format and --quiet are set.")
        }
        return .listing(listing, format: format, quiet: quiet, quietWins: true)
    }

    private var columns: [Listing.Column] {
        [
            Listing.Column("ID", "CONTAINER ID"), Listing.Column("Image", "IMAGE", shrinks: true),
            Listing.Column("Command", "COMMAND", shrinks: true), Listing.Column("RunningFor", "CREATED", shrinks: true),
            Listing.Column("Status", "STATUS", shrinks: true), Listing.Column("Ports", "PORTS", shrinks: true),
            Listing.Column("Names", "NAMES", shrinks: true), Listing.Column("Size", "SIZE", isShown: size),
            Listing.Column("CreatedAt", "CREATED AT", isShown: false),
            Listing.Column("State", "STATE", isShown: false), Listing.Column("Labels", "LABELS", isShown: false),
            Listing.Column("Mounts", "MOUNTS", isShown: false),
            Listing.Column("LocalVolumes", "LOCAL VOLUMES", isShown: false),
            Listing.Column("Networks", "NETWORKS", isShown: false),
            Listing.Column("Platform", "PLATFORM", isShown: false),
            Listing.Column("HealthStatus", "HEALTH STATUS", isShown: false),
        ]
    }

    private var rawLines: [(label: String, key: String)] {
        [
            ("container_id", "ID"), ("image", "Image"), ("command", "Command"), ("created_at", "CreatedAt"),
            ("state", "State"), ("status", "Status"), ("names", "Names"), ("labels", "Labels"), ("ports", "Ports"),
        ] + (size ? [("size", "Size")] : [])
    }

    /// The image as docker shows it: its familiar name without a digest, or the short id.
    private func image(of summary: ContainerSummary) -> String {
        let given = summary.imageName
        if noTrunc || given.hasPrefix(summary.view.record.image.short) {
            return noTrunc ? given : String(given.prefix(12))
        }
        guard let reference = try? Reference(parsing: given) else { return given }
        return reference.tag.map { "\(reference.familiarName):\($0)" } ?? reference.familiarName
    }

    func row(of summary: ContainerSummary, now: Timestamp) -> JSONDocument {
        let record = summary.view.record
        let age = HumanUnits.duration(seconds: max(0, now.seconds(since: record.created)))
        let command = noTrunc ? summary.command : summary.command.ellipsis(20)
        let mounts = record.host.mounts.map { $0.name ?? $0.source }.map { noTrunc ? $0 : $0.ellipsis(15) }
        var size = ""
        if let bytes = summary.size {
            size = HumanUnits.size(bytes.own)
            if bytes.virtual > 0 { size += " (virtual \(HumanUnits.size(bytes.virtual)))" }
        }
        return .members([
            "ID": .string(noTrunc ? record.id : Identifier.short(record.id)),
            "Image": .string(image(of: summary)),
            "Command": .string(JSONDocument.string(command).text()),
            "CreatedAt": .string(DockerTime.at(record.created)),
            "RunningFor": .string("\(age) ago"),
            "Ports": .string(summary.ports),
            "State": .string(summary.view.state.status.rawValue),
            "Status": .string(summary.view.statusWords(now: now)),
            "Size": .string(size),
            "Names": .string(record.name),
            "Labels": .string(
                record.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")),
            "Mounts": .string(mounts.joined(separator: ",")),
            "LocalVolumes": .string("\(record.host.mounts.count { $0.type == "volume" })"),
            "Networks": .string(record.host.network),
            "Platform": nil,
            "HealthStatus": "",
        ])
    }
}
