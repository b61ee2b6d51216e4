package import ArgumentParser
package import Basics
import Explorer
import OCI
import Rendering

/// `stat PLACE`: all that is known about a file.
package struct Stat: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Show mode, owner, size, times, digest and layer of a file",
        usage: "stat PLACE...")
    package static let operandKinds: [ValueKind] = [.place]
    package static let isWorthKeeping = false
    package static let examples = [
        "stat ubuntu:22.04:/etc/passwd", "stat --format json web:/tmp", "stat @:/bin/sh",
    ]
    package static let differences = ["Docker has no such command."]

    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "IMAGE:/path, IMAGE#N:/path or CONTAINER:/path.") var places: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var lines: [String] = []
        var rows = Rows([.init(key: "path", header: "PATH"), .init(key: "type", header: "TYPE")])
        for (place, view) in try PlaceWords(shell, remote).views(places) {
            let entry = try view.require(place.path, followingLinks: false)
            let digest = try digest(of: entry, view)
            let attributes = try view.attributeNames(of: entry)
            rows.add([entry.path, entry.kind.rawValue], document(entry, digest, attributes))
            lines += self.lines(entry, view, digest, attributes)
        }
        return format == nil ? .lines(lines) : rows.outcome(format: format, width: shell.console.width)
    }

    /// The largest file of a container, in bytes, that is read for its digest, 256 MiB; a layer's index has the digests
    /// of its files.
    private static let readLimit: Int64 = 256 << 20

    private func digest(of entry: ViewEntry, _ view: PlaceView) throws(ShaleError) -> String? {
        let isOwn = entry.layer.map { $0 > view.layers.layers.count } ?? true
        if isOwn, entry.size > Self.readLimit { return nil }
        return try view.contentHash(of: entry)?.digest.description
    }

    private func document(_ entry: ViewEntry, _ digest: String?, _ attributes: [String]) -> JSONDocument {
        guard case .object(var members) = EntryText.document(entry) else { return .null }
        members.append(.init("links", .integer(Int64(entry.names))))
        members.append(.init("digest", digest.map { .string($0) } ?? .null))
        members.append(.init("xattrs", .array(attributes.map { .string($0) })))
        return .object(members)
    }

    private func lines(_ entry: ViewEntry, _ view: PlaceView, _ digest: String?, _ attributes: [String]) -> [String] {
        var lines = ["    File: \(EntryText.name(entry, as: entry.path))"]
        guard entry.kind != .whiteout else { return lines + ["    Type: whiteout: this layer deletes the path"] }
        let text = EntryText(view)
        let isDevice = entry.kind == .characterDevice || entry.kind == .blockDevice
        lines.append(
            "    Type: \(entry.kind.noun)\(entry.isOpaque ? ", opaque: hides what the layers below have in it" : "")")
        lines.append(
            isDevice ? "  Device: \(entry.deviceMajor), \(entry.deviceMinor)" : "    Size: \(entry.size)")
        lines += [
            "    Mode: \(EntryText.octal(entry.mode)) (\(EntryText.mode(entry)))",
            "   Owner: \(entry.uid) (\(text.owner(entry))), group \(entry.gid) (\(text.group(entry)))",
            "Modified: \(entry.modified)",
        ]
        if entry.kind != .directory { lines.append("   Links: \(entry.names)") }
        if !attributes.isEmpty { lines.append("  Xattrs: \(attributes.joined(separator: ", ").visible)") }
        if let digest {
            lines.append("  Digest: \(digest)")
        } else if entry.kind == .file {
            lines.append("  Digest: not read for so large a file: cat \(view.label):\(entry.path.visible) | sha256sum")
        }
        if let number = entry.layer, let layer = try? view.layers.layer(number) {
            lines.append("   Layer: #\(number) \(layer.headline.ellipsis(90).singleLine)")
        } else {
            let isImage = if case .image = view.source { true } else { false }
            lines.append("   Layer: \(isImage ? "none: the image has no layers" : "the container's own")")
        }
        return lines
    }
}
