package import ArgumentParser
package import Basics
import Explorer
import Layers
import OCI
import Rendering

/// `ls PLACE`: what is in a directory of an image, a layer or a container.
package struct Ls: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List files of an image, a layer or a container, without running anything",
        usage: "ls [-l] [-a] [-R] [-h] [-n] [-t|-S] [-r] PLACE...")
    package static let operandKinds: [ValueKind] = [.place]
    package static let isWorthKeeping = false
    package static let examples = ["ls ubuntu:22.04:/etc", "ls -la web:/tmp", "ls -a app:1#3:/var/cache"]
    package static let differences = ["Docker has no such command. No process is started, nothing need be running."]

    @Flag(name: .short, help: "Mode, owner, size and time.") var long = false
    @Flag(name: [.customShort("a"), .customShort("A")], help: "Hidden names too, and in a layer what it deletes.")
    var all = false
    @Flag(name: [.customShort("R"), .customLong("recursive")], help: "Directories below, too.") var recursive = false
    @Flag(name: .customShort("h"), help: "Sizes for people.") var human = false
    @Flag(name: .short, help: "A directory itself, not what is in it.") var directory = false
    @Flag(name: .customShort("1"), help: "One name a line.") var single = false
    @Flag(name: .customShort("n"), help: "As -l, owners as numbers.") var numeric = false
    @Flag(name: .customShort("t"), help: "The newest first.") var byTime = false
    @Flag(name: .customShort("S"), help: "The largest first.") var bySize = false
    @Flag(name: .customShort("r"), help: "In reverse.") var reversed = false
    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "IMAGE:/path, IMAGE#N:/path or CONTAINER:/path.") var places: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if numeric { long = true }
        let views = try PlaceWords(shell, remote).views(places)
        var blocks: [Block] = []
        for (place, view) in views {
            var top = try view.require(place.path, followingLinks: !long && !directory || place.path.hasSuffix("/"))
            // As ls does: -l shows a link itself, unless it is the only way to the directory it names.
            if top.kind == .symlink, !directory, let end = try view.entry(place.path, followingLinks: true),
                end.kind == .directory, place.path.cleanPath == "/"
            {
                top = end
            }
            guard top.kind == .directory, !directory else {
                blocks.append(Block(title: nil, view: view, directory: nil, entries: [top], name: place.path))
                continue
            }
            try view.walk(top, shell.cancellation) { entry throws(ShaleError) in
                guard entry.kind == .directory else { return false }
                if entry != top, !isShown(entry) { return false }
                let entries = sorted(try view.children(of: entry).filter { isShown($0) })
                let title = entry == top ? place.path : entry.path
                blocks.append(
                    Block(
                        title: "\(views.count > 1 ? "\(place.label):" : "")\(title)", view: view, directory: entry,
                        entries: entries))
                return recursive
            }
        }
        if format != nil {
            return EntryText.listing(blocks.flatMap(\.entries)).outcome(format: format, width: shell.console.width)
        }
        return .paged(lines(blocks, shell))
    }

    private struct Block {
        var title: String?
        var view: PlaceView
        var directory: ViewEntry?
        var entries: [ViewEntry]
        var name: String?
    }

    private func isShown(_ entry: ViewEntry) -> Bool { all || (entry.kind != .whiteout && !entry.name.hasPrefix(".")) }

    /// By name, unless something else was asked for; what is alike stays in the order of names.
    private func sorted(_ entries: [ViewEntry]) -> [ViewEntry] {
        var entries = entries
        if bySize { entries.sort { $0.size > $1.size } }
        if byTime { entries.sort { $0.modified > $1.modified } }
        return reversed ? entries.reversed() : entries
    }

    private func lines(_ blocks: [Block], _ shell: ShellContext) -> [String] {
        let hasTitles = recursive || blocks.count > 1
        var lines: [String] = []
        for (number, block) in blocks.enumerated() {
            if hasTitles, let title = block.title {
                if number > 0 { lines.append("") }
                lines.append("\(title.visible):")
            }
            if all, let directory = block.directory, directory.isOpaque { lines.append("O . \(Self.opaque)") }
            lines += long ? longLines(block) : shortLines(block, shell)
        }
        return lines
    }

    private static let opaque = "(opaque: hides what the layers below have in it)"

    private func shortLines(_ block: Block, _ shell: ShellContext) -> [String] {
        let names = block.entries.map { entry in
            switch entry.kind {
            case .whiteout: "D \(entry.name.visible) (whiteout)"
            default:
                entry.isOpaque && all
                    ? "O \(entry.name.visible) \(Self.opaque)" : (block.name ?? entry.name).visible
            }
        }
        guard !single, let width = shell.console.width else { return names }
        return NameColumns.lines(names, width: width)
    }

    private func longLines(_ block: Block) -> [String] {
        let text = EntryText(block.view, isNumeric: numeric)
        let rows = block.entries.map { $0.kind == .whiteout ? [] : text.fields($0, isHuman: human) }
        let widths = (0..<6).map { column in rows.map { column < $0.count ? $0[column].displayWidth : 0 }.max() ?? 0 }
        return zip(block.entries, rows).map { entry, fields in
            if fields.isEmpty { return "D \(entry.name.visible) (whiteout)" }
            // Numbers are aligned at the right, words at the left.
            let cells = fields.enumerated().map { column, cell in
                column == 1 || column == 4 ? cell.rightAligned(in: widths[column]) : cell.padded(to: widths[column])
            }
            let mark = entry.isOpaque && all ? " \(Self.opaque)" : ""
            return cells.joined(separator: " ") + " " + EntryText.name(entry, as: block.name) + mark
        }
    }
}

/// Names in columns, down and then across, as ls lays them out on a terminal.
enum NameColumns {
    static func lines(_ names: [String], width: Int) -> [String] {
        guard names.count > 1, !names.contains(where: { $0.displayWidth > width / 2 }) else { return names }
        for rows in 1...names.count {
            let columns = stride(from: 0, to: names.count, by: rows).map {
                Array(names[$0..<min($0 + rows, names.count)])
            }
            let widths = columns.map { ($0.map(\.displayWidth).max() ?? 0) + 2 }
            guard widths.reduce(0, +) - 2 <= width else { continue }
            return (0..<rows).map { row in
                var line = ""
                for (column, cells) in columns.enumerated() where row < cells.count {
                    line += cells[row].padded(to: widths[column])
                }
                return line.trimmedSpaces
            }
        }
        return names
    }
}
