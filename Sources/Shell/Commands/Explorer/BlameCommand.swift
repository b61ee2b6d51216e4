package import ArgumentParser
package import Basics
import Explorer
import OCI
import Rendering

/// `blame IMAGE:/path`: the layers a path's every version comes from.
package struct BlameCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "blame", abstract: "Show every layer that made, changed or removed a path",
        usage: "blame [-r] IMAGE:/path")
    package static let operandKinds: [ValueKind] = [.place]
    package static let isWorthKeeping = false
    package static let examples = [
        "blame app:1:/etc/passwd", "blame -r app:1:/usr", "blame --no-trunc app:1:/etc/passwd",
    ]
    package static let differences = ["Docker has no such command."]

    @Flag(name: .customShort("r"), help: "A directory: how much each layer holds of what can be seen.") var recursive =
        false
    @Flag(name: .customLong("no-trunc"), help: "Whole instructions.") var isWhole = false
    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "IMAGE:/path or CONTAINER:/path.") var place: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let words = try PlaceWords(shell, remote)
        let place = try words.place(self.place)
        let view = try words.view(place)
        let history = PathHistory(view)
        let rows = recursive ? try summary(history, view, place, shell) : try story(history, place)
        return rows.outcome(format: format, width: isWhole ? nil : shell.console.width)
    }

    private func story(_ history: PathHistory, _ place: Place) throws(ShaleError) -> Rows {
        var rows = Rows([
            .init(key: "layer", header: "LAYER"), .init(key: "event", header: "EVENT"),
            .init(key: "size", header: "SIZE"),
            .init(key: "mode", header: "MODE"), .init(key: "instruction", header: "INSTRUCTION", shrinks: true),
        ])
        let story = try history.story(of: place.path)
        for line in story.lines {
            let isGone = line.event == .removed
            var event = line.event.rawValue
            if line.event == .changed { event += " (\(line.reasons.joined(separator: ", ")))" }
            if isGone, line.path != story.path { event += " with \(line.path)" }
            rows.add(
                [
                    "#\(line.layer)", event, isGone ? "" : HumanUnits.size(line.size),
                    isGone ? "" : EntryText.octal(line.mode), isWhole ? line.instruction : line.headline.ellipsis(60),
                ], document(line, story.path))
        }
        if let own = story.own {
            rows.add(
                [
                    "container", own.event.rawValue, own.entry.map { HumanUnits.size($0.size) } ?? "",
                    own.entry.map { EntryText.octal($0.mode) } ?? "", "the container's own change",
                ],
                .members([
                    "path": .string(story.path), "layer": .null, "event": .string(own.event.rawValue),
                    "type": own.entry.map { .string($0.kind.rawValue) } ?? .null,
                    "mode": own.entry.map { .string(EntryText.octal($0.mode)) } ?? .null,
                    "uid": own.entry.map { .integer(Int64($0.uid)) } ?? .null,
                    "gid": own.entry.map { .integer(Int64($0.gid)) } ?? .null,
                    "size": own.entry.map { .integer($0.size) } ?? .null, "instruction": .null,
                ]))
        }
        return rows
    }

    private func document(_ line: BlameLine, _ path: String) -> JSONDocument {
        .members([
            "path": .string(path), "layer": .integer(Int64(line.layer)), "event": .string(line.event.rawValue),
            "by": .string(line.path), "type": .string(line.kind), "mode": .string(EntryText.octal(line.mode)),
            "uid": .integer(Int64(line.uid)), "gid": .integer(Int64(line.gid)), "size": .integer(line.size),
            "reasons": .array(line.reasons.map { .string($0) }), "digest": line.digest.map { .string($0) } ?? .null,
            "instruction": .string(line.instruction),
        ])
    }

    private func summary(
        _ history: PathHistory, _ view: PlaceView, _ place: Place, _ shell: ShellContext
    ) throws(ShaleError) -> Rows {
        var rows = Rows([
            .init(key: "layer", header: "LAYER"), .init(key: "files", header: "FILES"),
            .init(key: "size", header: "SIZE"),
            .init(key: "instruction", header: "INSTRUCTION", shrinks: true),
        ])
        for line in try history.summary(below: place.path, shell.cancellation) {
            let layer = try line.layer.map { number throws(ShaleError) in try view.layers.layer(number) }
            let instruction = layer?.headline ?? "the container's own changes"
            rows.add(
                [
                    line.layer.map { "#\($0)" } ?? "container", String(line.files), HumanUnits.size(line.bytes),
                    isWhole ? instruction : instruction.ellipsis(60),
                ],
                .members([
                    "layer": line.layer.map { .integer(Int64($0)) } ?? .null, "files": .integer(Int64(line.files)),
                    "size": .integer(line.bytes), "instruction": layer.map { .string($0.instruction) } ?? .null,
                ]))
        }
        return rows
    }
}
