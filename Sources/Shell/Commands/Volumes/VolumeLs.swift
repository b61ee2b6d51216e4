package import ArgumentParser
package import Basics
import Containers
package import Images
import Recipes
import Rendering
import Stores

/// `volume ls`: the volumes by name.
package struct VolumeLs: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "volume ls", abstract: "List volumes", usage: "volume ls [OPTIONS]")
    package static let leasesWhatItUses = false
    package static let filters = VolumeFilter.listed
    package static let filteredKind = ValueKind.volume
    package static let formatFields = [
        "Name", "Driver", "Mountpoint", "Scope", "Labels", "Links", "Size", "Status", "Availability", "Group",
    ]
    package static let examples = ["volume ls", "volume ls -qf dangling=true", "volume ls --format '{{.Mountpoint}}'"]
    package static let differences = ["Nothing: its options, its output and its status are docker's."]

    @Option(name: [.customShort("f", allowingJoined: true), .customLong("filter")], help: "name=value")
    var filter: [String] = []
    @Option(help: "table, table TEMPLATE, json, or a Go template") var format: String?
    @Flag(name: .shortAndLong, help: "Only show names") var quiet = false
    @Argument(help: .hidden) var extra: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard extra.isEmpty else { throw ShaleError(.usage, "'volume ls' accepts no arguments") }
        var conditions = VolumeFilter(keys: VolumeFilter.listed)
        for text in filter { try conditions.add(text) }
        let volumes = try shell.containers().volumes().filter(conditions.takes)
        return .listing(Self.listing(volumes), format: format, quiet: quiet)
    }

    static func listing(_ volumes: [Volume]) -> Listing {
        let hidden = ["Availability", "Group", "Labels", "Links", "Mountpoint", "Scope", "Size", "Status"]
        return Listing(
            columns: [Listing.Column("Driver", "DRIVER"), Listing.Column("Name", "VOLUME NAME", shrinks: true)]
                + hidden.map { Listing.Column($0, $0.uppercased(), isShown: false) },
            rows: volumes.map(row), quietKey: "Name", rawLines: [("name", "Name"), ("driver", "Driver")])
    }

    /// Docker counts links and sizes in `system df -v` only.
    private static func row(_ volume: Volume) -> JSONDocument {
        let labels = volume.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return .members([
            "Availability": "N/A", "Driver": "local", "Group": "N/A",
            "Labels": .string(labels.joined(separator: ",")), "Links": "N/A", "Mountpoint": .string(volume.data),
            "Name": .string(volume.name), "Scope": "local", "Size": "N/A", "Status": "N/A",
        ])
    }
}
