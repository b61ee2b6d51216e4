import Basics
import Building
import Images
import OCI
import Rendering
import RunnerProtocol
import Stores

/// `df -v`, as docker lays it out.
struct DiskUsageReport {
    /// A table of it: docker's names of the columns, their headers, and the rows.
    private struct Part {
        let name: String
        let columns: [(key: String, header: String)]
        let rows: [[String]]

        var text: String { Table(headers: columns.map(\.header), rows: rows).text() }

        var document: JSONDocument {
            .array(
                rows.map { row in
                    .object(
                        zip(columns, row).map { JSONDocument.Member($0.key, .string($1)) }.sorted { $0.key < $1.key })
                })
        }
    }

    private let usage: DiskUsage
    private let steps: [(key: Digest, record: BuildCache.Record)]
    /// How often a step was used, and when the last time.
    private let uses: (BuildCache.Record, Digest) -> (count: Int64, last: Timestamp)
    private let retained: RetainedCost
    private let now = Timestamp.now()

    init(
        _ usage: DiskUsage, _ steps: [(key: Digest, record: BuildCache.Record)], _ retained: RetainedCost,
        uses: @escaping (BuildCache.Record, Digest) -> (count: Int64, last: Timestamp)
    ) {
        self.usage = usage
        self.steps = steps
        self.uses = uses
        self.retained = retained
    }

    var text: String {
        var text = [
            "Images space usage:\n\n", images.text, "\nContainers space usage:\n\n", containers.text,
            "\nLocal Volumes space usage:\n\n", volumes.text,
            "\nBuild cache usage: \(HumanUnits.preciseSize(usage.cache))\n\n", cache.text,
        ].joined()
        // What docker has not.
        if !retained.isNothing {
            text += "\nHeld for undo: \(RetainedBySessions.text(retained)) (prune --history lets go of it)\n"
        }
        if usage.packed > 0 { text += "\nPacked layers and documents: \(HumanUnits.preciseSize(usage.packed))\n" }
        if usage.ingest > 0 { text += "\nUnfinished downloads: \(HumanUnits.preciseSize(usage.ingest))\n" }
        return text
    }

    /// The same as one object, for `--format`.
    var document: JSONDocument {
        .object([images, containers, volumes, cache].map { JSONDocument.Member($0.name, $0.document) })
    }

    private var images: Part {
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
        return Part(
            name: "Images",
            columns: [
                ("Repository", "REPOSITORY"), ("Tag", "TAG"), ("ID", "IMAGE ID"), ("CreatedSince", "CREATED"),
                ("Size", "SIZE"), ("SharedSize", "SHARED SIZE"), ("UniqueSize", "UNIQUE SIZE"),
                ("Containers", "CONTAINERS"),
            ], rows: rows)
    }

    private var volumes: Part {
        let rows = usage.volumes.map { entry in
            [entry.volume.name, String(entry.volume.users.count), HumanUnits.preciseSize(entry.bytes)]
        }
        return Part(
            name: "Volumes", columns: [("Name", "VOLUME NAME"), ("Links", "LINKS"), ("Size", "SIZE")], rows: rows)
    }

    private var containers: Part {
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
        return Part(
            name: "Containers",
            columns: [
                ("ID", "CONTAINER ID"), ("Image", "IMAGE"), ("Command", "COMMAND"), ("LocalVolumes", "LOCAL VOLUMES"),
                ("Size", "SIZE"), ("RunningFor", "CREATED"), ("Status", "STATUS"), ("Names", "NAMES"),
            ], rows: rows)
    }

    private var cache: Part {
        let rows = steps.map { step in
            let uses = uses(step.record, step.key)
            return [
                step.key.short, "regular", HumanUnits.preciseSize(step.record.summary.bytes),
                DockerTime.since(step.record.made, now: now), DockerTime.since(uses.last, now: now),
                String(uses.count), "true",
            ]
        }
        return Part(
            name: "BuildCache",
            columns: [
                ("ID", "CACHE ID"), ("CacheType", "CACHE TYPE"), ("Size", "SIZE"), ("CreatedSince", "CREATED"),
                ("LastUsedSince", "LAST USED"), ("UsageCount", "USAGE"), ("Shared", "SHARED"),
            ], rows: rows)
    }
}
