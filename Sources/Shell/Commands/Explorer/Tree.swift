package import ArgumentParser
package import Basics
import Explorer
import OCI

/// `tree PLACE`: a directory and all below it, as a drawing.
package struct Tree: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "Draw the tree of files of an image, a layer or a container",
        usage: "tree [-L N] [-a] PLACE")
    package static let operandKinds: [ValueKind] = [.place]
    package static let isWorthKeeping = false
    package static let examples = ["tree -L 2 ubuntu:22.04:/etc", "tree app:1#3", "tree web:/etc"]
    package static let differences = ["Docker has no such command."]

    @Option(name: .customShort("L"), help: "Levels below the place.") var levels: Int?
    @Flag(name: .short, help: "Hidden names too, and in a layer what it deletes.") var all = false
    @Flag(name: .short, help: "Directories only.") var directories = false
    @Flag(name: .short, help: "Sizes, too.") var sizes = false
    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "IMAGE:/path, IMAGE#N:/path or CONTAINER:/path.") var place: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let levels, levels < 1 { throw ShaleError(.usage, "tree: -L is at least 1") }
        let words = try PlaceWords(shell, remote)
        let place = try words.place(self.place)
        let view = try words.view(place)
        let top = try view.require(place.path)
        if format != nil { return try documents(view, top, shell) }
        var lines = [place.hasPath ? place.text.visible : place.label.visible]
        var counts = (directories: 0, files: 0)
        var pending = try level(view, top, prefix: "", depth: 1).reversed() as [Node]
        while let node = pending.popLast() {
            try shell.cancellation.check()
            lines.append(node.prefix + (node.isLast ? "└── " : "├── ") + text(node.entry))
            guard node.entry.kind == .directory else {
                counts.files += 1
                continue
            }
            counts.directories += 1
            if let levels, node.depth >= levels { continue }
            let prefix = node.prefix + (node.isLast ? "    " : "│   ")
            pending += try level(view, node.entry, prefix: prefix, depth: node.depth + 1).reversed()
        }
        lines += ["", summary(counts)]
        return .paged(lines)
    }

    private struct Node {
        var entry: ViewEntry
        var prefix: String
        var depth: Int
        var isLast: Bool
    }

    private func level(
        _ view: PlaceView, _ directory: ViewEntry, prefix: String, depth: Int
    ) throws(ShaleError) -> [Node] {
        let shown = try view.children(of: directory).filter { isShown($0) }
        return shown.enumerated().map { position, entry in
            Node(entry: entry, prefix: prefix, depth: depth, isLast: position == shown.count - 1)
        }
    }

    private func isShown(_ entry: ViewEntry) -> Bool {
        if directories, entry.kind != .directory { return false }
        return all || (entry.kind != .whiteout && !entry.name.hasPrefix("."))
    }

    private func text(_ entry: ViewEntry) -> String {
        if entry.kind == .whiteout { return "D \(entry.name.visible) (whiteout)" }
        let size = sizes && entry.kind == .file ? "  \(HumanUnits.size(entry.size))" : ""
        return (entry.isOpaque && all ? "O " : "") + EntryText.name(entry) + size
    }

    private func summary(_ counts: (directories: Int, files: Int)) -> String {
        let directories = "\(counts.directories) director\(counts.directories == 1 ? "y" : "ies")"
        return self.directories ? directories : "\(directories), \(counts.files) file\(counts.files == 1 ? "" : "s")"
    }

    private func documents(
        _ view: PlaceView, _ top: ViewEntry, _ shell: ShellContext
    ) throws(ShaleError) -> Outcome {
        var found: [ViewEntry] = []
        let start = top.path == "/" ? 0 : top.path.count { $0 == "/" }
        try view.walk(top, shell.cancellation) { entry throws(ShaleError) in
            if entry == top { return true }
            guard isShown(entry) else { return false }
            found.append(entry)
            return levels.map { entry.path.count { $0 == "/" } - start < $0 } ?? true
        }
        return EntryText.listing(found).outcome(format: format, width: nil)
    }
}
