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
    package static let formatFields = [
        "Type", "TotalCount", "Active", "Size", "Reclaimable",
    ]
    package static let examples = ["df", "df -v", "df --format json"]
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
        let steps = engine.building.cachedSteps
        if verbose {
            let report = DiskUsageReport(usage, steps, retained, uses: engine.building.cache.uses)
            guard let format, format != "table" else { return .text(report.text) }
            return .documents([report.document], format: format)
        }
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
            Self.row("Build Cache", steps.count, 0, usage.cache, usage.cache),
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
        return .listing(Self.listing(rows), format: format)
    }

    static func listing(_ rows: [JSONDocument]) -> Listing {
        let columns = [
            Listing.Column("Type", "TYPE"), Listing.Column("TotalCount", "TOTAL"), Listing.Column("Active", "ACTIVE"),
            Listing.Column("Size", "SIZE"), Listing.Column("Reclaimable", "RECLAIMABLE"),
        ]
        let raw = [
            ("type", "Type"), ("total", "TotalCount"), ("active", "Active"), ("size", "Size"),
            ("reclaimable", "Reclaimable"),
        ]
        return Listing(columns: columns, rows: rows, quietKey: "Type", rawLines: raw)
    }

    static func row(_ type: String, _ total: Int, _ active: Int, _ size: Int64, _ free: Int64) -> JSONDocument {
        var reclaimable = HumanUnits.preciseSize(free)
        if size > 0, type != "Build Cache" { reclaimable += " (\(free &* 100 / size)%)" }
        return .members([
            "Active": .string(String(active)), "Reclaimable": .string(reclaimable),
            "Size": .string(HumanUnits.preciseSize(size)), "TotalCount": .string(String(total)), "Type": .string(type),
        ])
    }
}
