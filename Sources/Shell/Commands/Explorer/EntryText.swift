import Basics
import Explorer
import Linux
import OCI

/// One file as text: `ls -l` lines, JSON documents.
struct EntryText {
    private let users: [UInt32: String]
    private let groups: [UInt32: String]

    /// Owners' names come from the image's own `/etc/passwd` and `/etc/group`, unless numbers are wanted.
    ///
    /// Nothing is fetched from a registry for them.
    init(_ view: PlaceView, isNumeric: Bool = false) {
        let isNumeric = isNumeric || view.layers.isRemote
        users = isNumeric ? [:] : Self.names(view, "/etc/passwd")
        groups = isNumeric ? [:] : Self.names(view, "/etc/group")
    }

    private static func names(_ view: PlaceView, _ path: String) -> [UInt32: String] {
        let bytes = view.wholeContents(of: path, limit: 1 << 20)
        var names: [UInt32: String] = [:]
        for line in String(pathBytes: bytes).split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count >= 3, let id = UInt32(fields[2]), names[id] == nil, !fields[0].isEmpty else { continue }
            names[id] = String(fields[0]).visible
        }
        return names
    }

    func owner(_ entry: ViewEntry) -> String { users[entry.uid] ?? String(entry.uid) }
    func group(_ entry: ViewEntry) -> String { groups[entry.gid] ?? String(entry.gid) }

    /// The fields of a long line; a whiteout has none.
    func fields(_ entry: ViewEntry, isHuman: Bool) -> [String] {
        let isDevice = entry.kind == .characterDevice || entry.kind == .blockDevice
        let size =
            isDevice
            ? "\(entry.deviceMajor), \(entry.deviceMinor)"
            : isHuman ? HumanUnits.size(entry.size) : String(entry.size)
        return [
            Self.mode(entry), String(entry.names), owner(entry), group(entry), size, Self.time(entry.modified),
        ]
    }

    /// `drwxr-xr-x`.
    static func mode(_ entry: ViewEntry) -> String {
        let type =
            switch entry.kind {
            case .file: "-"
            case .directory: "d"
            case .symlink: "l"
            case .fifo: "p"
            case .socket: "s"
            case .characterDevice: "c"
            case .blockDevice: "b"
            case .whiteout: "D"
            }
        func triple(_ bits: UInt32, _ special: Bool, _ letter: String) -> String {
            let runs = bits & 1 != 0
            let last = special ? (runs ? letter : letter.uppercased()) : (runs ? "x" : "-")
            return (bits & 4 != 0 ? "r" : "-") + (bits & 2 != 0 ? "w" : "-") + last
        }
        let mode = entry.mode
        return type + triple(mode >> 6, mode & 0o4000 != 0, "s") + triple(mode >> 3, mode & 0o2000 != 0, "s")
            + triple(mode, mode & 0o1000 != 0, "t")
    }

    /// `2023-11-14 22:13`, in UTC.
    static func time(_ time: Timestamp) -> String {
        let text = Timestamp(seconds: time.seconds).description
        return String(text.prefix { $0 != "T" }) + " " + String(text.drop { $0 != "T" }.dropFirst().prefix(5))
    }

    /// The name with what it leads to, as a long line ends.
    static func name(_ entry: ViewEntry, as name: String? = nil) -> String {
        let name = (name ?? entry.name).visible
        return entry.kind == .symlink ? "\(name) -> \(entry.link.visible)" : name
    }

    /// `0644`.
    static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    static func document(_ entry: ViewEntry) -> JSONDocument {
        var members: [JSONDocument.Member] = [
            .init("name", .string(entry.name)), .init("path", .string(entry.path)),
            .init("type", .string(entry.kind.rawValue)),
        ]
        if entry.kind != .whiteout {
            members += [
                .init("mode", .string(octal(entry.mode))), .init("uid", .integer(Int64(entry.uid))),
                .init("gid", .integer(Int64(entry.gid))), .init("size", .integer(entry.size)),
                .init("modified", .string(entry.modified.description)),
            ]
        }
        if entry.kind == .symlink { members.append(.init("link", .string(entry.link))) }
        if entry.isOpaque { members.append(.init("opaque", true)) }
        members.append(.init("layer", entry.layer.map { .integer(Int64($0)) } ?? .null))
        return .object(members)
    }

    /// Entries as documents and a plain table.
    static func listing(_ entries: [ViewEntry]) -> Rows {
        let keys = ["name", "path", "type", "mode", "uid", "gid", "size", "modified", "layer"]
        var rows = Rows(keys.map { Rows.Column(key: $0, header: $0.uppercased()) })
        for entry in entries {
            let document = document(entry)
            rows.add(keys.map { key in document[key].map { $0.string ?? $0.text() } ?? "" }, document)
        }
        return rows
    }
}
