package import ArgumentParser
package import Basics
import Building
import OCI
import Recipes
import Rendering
import RunnerProtocol
import Stores

/// `df`: what takes space in the home.
package struct Df: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "df", abstract: "Show disk usage", usage: "df [OPTIONS]")
    package static let managementNames: [ManagementName] = ["system df", "buildx du"]
    package static let examples = ["df", "df -v"]
    package static let differences = [
        "a layer that several images share is counted once",
        "what only undo could bring back has a row of its own, and so have downloads that were broken off",
    ]
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false

    @Flag(name: .shortAndLong, help: "Show each image and container")
    var verbose = false
    @Option(help: "table, json, or a Go template")
    var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        let retained = try RetainedBySessions(shell, limit: nil).cost()
        var usage = try engine.home.diskUsage()
        // As in `images`: the nameless steps of a build are part of what was built on them.
        usage.images.removeAll { $0.image.isIntermediate }
        if verbose {
            if format != nil { throw ShaleError(.usage, "the verbose and the format options conflict") }
            return .text(DiskUsageReport(usage, retained).text)
        }
        let columns = [
            Listing.Column("Type", "TYPE"), Listing.Column("TotalCount", "TOTAL"), Listing.Column("Active", "ACTIVE"),
            Listing.Column("Size", "SIZE"), Listing.Column("Reclaimable", "RECLAIMABLE"),
        ]
        let containers = usage.containers
        let stopped = containers.filter { !$0.state.isRunning }
        let volumes = usage.volumes
        let unused = volumes.filter(\.volume.users.isEmpty)
        var rows = [
            Self.row(
                "Images", usage.images.count, usage.images.count { $0.containers > 0 }, usage.unpacked,
                usage.reclaimable),
            Self.row(
                "Containers", containers.count, containers.count - stopped.count,
                containers.reduce(0) { $0 &+ $1.bytes },
                stopped.reduce(0) { $0 &+ $1.bytes }),
            Self.row(
                "Local Volumes", volumes.count, volumes.count - unused.count, volumes.reduce(0) { $0 &+ $1.bytes },
                unused.reduce(0) { $0 &+ $1.bytes }),
            Self.row("Build Cache", engine.building.cachedStepCount, 0, usage.cache, usage.cache),
        ]
        if !retained.isNothing {
            rows.append(
                Self.row("Held for undo", retained.images + retained.containers, 0, retained.bytes, retained.bytes))
        }
        let downloads = usage.downloads
        if !downloads.isEmpty {
            rows.append(
                Self.row(
                    "Unfinished downloads", downloads.count, downloads.count { $0.isUnderWay },
                    downloads.reduce(0) { $0 &+ $1.bytes },
                    downloads.reduce(0) { $0 &+ ($1.isUnderWay ? 0 : $1.bytes) }))
        }
        return .listing(Listing(columns: columns, rows: rows, quietKey: "Type"), format: format)
    }

    private static func row(_ type: String, _ total: Int, _ active: Int, _ size: Int64, _ free: Int64) -> JSONDocument {
        var reclaimable = HumanUnits.preciseSize(free)
        if size > 0, type != "Build Cache" { reclaimable += " (\(free &* 100 / size)%)" }
        return .members([
            "Active": .string(String(active)), "Reclaimable": .string(reclaimable),
            "Size": .string(HumanUnits.preciseSize(size)), "TotalCount": .string(String(total)), "Type": .string(type),
        ])
    }
}

/// `df -v`, as docker lays it out.
struct DiskUsageReport {
    private let usage: DiskUsage
    private let retained: RetainedCost

    init(_ usage: DiskUsage, _ retained: RetainedCost) {
        self.usage = usage
        self.retained = retained
    }

    var text: String {
        [
            "Images space usage:\n\n", images, "\nContainers space usage:\n\n", containers,
            "\nLocal Volumes space usage:\n\n", volumes,
            "\nBuild cache usage: \(HumanUnits.preciseSize(usage.cache))\n",
            retained.isNothing
                ? "" : "\nHeld for undo: \(RetainedBySessions.text(retained)) (prune --history lets go of it)\n",
            "\nPacked layers and documents: \(HumanUnits.preciseSize(usage.packed))",
            "\nUnfinished downloads: \(HumanUnits.preciseSize(usage.ingest))\n",
        ].joined()
    }

    private var images: String {
        let now = Timestamp.now()
        let rows = usage.images.flatMap { entry -> [[String]] in
            let image = entry.image
            let names = image.references.map { [$0.familiarName, $0.tag ?? "<none>"] }
            return (names.isEmpty ? [["<none>", "<none>"]] : names).map { name in
                name + [
                    image.id.short, DockerTime.since(image.created, now: now), HumanUnits.size(image.size),
                    HumanUnits.preciseSize(entry.shared), HumanUnits.preciseSize(entry.unique),
                    String(entry.containers),
                ]
            }
        }
        return Table(
            headers: [
                "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS",
            ], rows: rows
        ).text()
    }

    private var volumes: String {
        let rows = usage.volumes.map { entry in
            [entry.volume.name, String(entry.volume.users.count), HumanUnits.preciseSize(entry.bytes)]
        }
        return Table(headers: ["VOLUME NAME", "LINKS", "SIZE"], rows: rows).text()
    }

    private var containers: String {
        let now = Timestamp.now()
        let rows = usage.containers.map { entry in
            let record = entry.record
            return [
                Identifier.short(record.id), record.imageName,
                "\"\(record.command.joined(separator: " "))\"".ellipsis(20),
                String(record.host.mounts.count { $0.type == "volume" }), HumanUnits.preciseSize(entry.bytes),
                HumanUnits.duration(seconds: now.seconds(since: record.created)) + " ago",
                entry.state.status.rawValue, record.name,
            ]
        }
        return Table(
            headers: ["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"],
            rows: rows
        ).text()
    }
}
