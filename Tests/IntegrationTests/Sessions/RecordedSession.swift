import FoundationEssentials
import Glibc
import TestSupport

/// One session of `Tests/Fixtures/Recipes`: a script, what its recipe is of, and what that must say.
struct RecordedSession: Sendable {
    let name: String
    let script: String
    /// `@`, an image or a container.
    private(set) var subject = "@"
    private(set) var contains: [String] = []
    private(set) var lacks: [String] = []

    static let folder = Corpus.packageRoot + "/Tests/Fixtures/Recipes"

    static func all() throws -> [RecordedSession] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".shale") }.sorted()
            .map { try RecordedSession(script: "\(folder)/\($0)", name: String($0.dropLast(6))) }
    }

    private init(script: String, name: String) throws {
        self.script = script
        self.name = name
        let text = String(decoding: try Data(contentsOf: URL(filePath: script)), as: UTF8.self)
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# recipe: ") { subject = String(line.dropFirst(10)) }
            if line.hasPrefix("# contains: ") { contains.append(String(line.dropFirst(12))) }
            if line.hasPrefix("# lacks: ") { lacks.append(String(line.dropFirst(9))) }
        }
    }
}

/// A root file system with its config, as a test compares them: every path with its names, attributes and content.
struct WholeImage {
    private(set) var files: [String: ImageFile] = [:]
    /// Other names of the same file, by each.
    private(set) var names: [String: [String]] = [:]
    var config: [String: JSONValue] = [:]

    static let fields = [
        "Env", "Cmd", "Entrypoint", "User", "WorkingDir", "ExposedPorts", "Volumes", "Labels", "OnBuild", "StopSignal",
        "Shell", "Healthcheck",
    ]
    private static let defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    init(tar: Data) {
        var groups: [String: [String]] = [:]
        for (path, entry) in TarListing(tar).entries where path != "/" {
            files[path] = entry.type == "hardlink" ? files[entry.target ?? ""] ?? entry : entry
            if entry.type == "hardlink", let target = entry.target { groups[target, default: [target]].append(path) }
        }
        for group in groups.values { for name in group { names[name] = group.sorted() } }
    }

    /// No files, and a config.
    init(config document: JSONValue?) { if let document { take(config: document) } }

    /// Takes docker's or shale's `Config`.
    mutating func take(config document: JSONValue) {
        for field in Self.fields {
            switch document[field] {
            case nil, .null: continue
            case .string(let text) where text.isEmpty: continue
            case .array(let list) where list.isEmpty: continue
            case .object(let members) where members.isEmpty: continue
            case let value?: config[field] = value
            }
        }
        // A builder gives every image a PATH, and puts its own variables behind those it inherits.
        var list = config["Env"]?.array?.compactMap(\.string) ?? []
        if !list.contains(where: { $0.hasPrefix("PATH=") }) { list.append(Self.defaultPath) }
        config["Env"] = .array(list.sorted().map { .string($0) })
    }

    /// What `other` has otherwise, in words; `isDockers` names paths that are left out.
    func differences(
        from other: WholeImage, attributes: Bool, ignoring isIgnored: (String) -> Bool = { _ in false }
    ) -> [String] {
        var found: [String] = []
        for path in Set(files.keys).union(other.files.keys).sorted() where !isIgnored(path) {
            var (mine, theirs) = (files[path], other.files[path])
            if !attributes {
                mine?.attributes = nil
                theirs?.attributes = nil
            }
            let isSame = mine == theirs && names[path] == other.names[path]
            if !isSame {
                found.append(
                    "\(path): was \(mine?.description ?? "nothing") \(names[path] ?? []), is "
                        + "\(theirs?.description ?? "nothing") \(other.names[path] ?? [])")
            }
        }
        for field in Self.fields where config[field] != other.config[field] {
            found.append(
                "\(field): was \(String(describing: config[field])), is \(String(describing: other.config[field]))")
        }
        return found
    }
}
