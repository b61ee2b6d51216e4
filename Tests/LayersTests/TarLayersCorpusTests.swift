import Basics
import Glibc
import Layers
import Linux
import TestSupport
import Testing

@Suite("layers of strangers", .serialized)
struct TarLayersCorpusTests {
    /// Rows whose facts describe another kind of engine; safety holds for them like for all.
    private static let otherwise: [String: String] = [
        "WhiteoutSymlinkPath": "a layer is unpacked by itself, so a lower link is not followed (as docker does)",
        "ImpliedDirThroughLowerSymlink":
            "a layer is unpacked by itself, so a lower link is not followed (as docker does)",
    ]

    private static let canary = "/tmp/shale-canary"

    @Test("every row of the corpus holds", .enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
    func corpus() throws {
        // The corpus names the canary's path: two suites, of whatever user, must not use it at once.
        let lock = try OwnedFD.open((Corpus.root ?? "/") + "/MANIFEST.md", O_RDONLY)
        #expect(flock(lock.raw, LOCK_EX) == 0)
        defer { flock(lock.raw, LOCK_UN) }
        let rows = try Corpus.rows("layer-cases/tar-layers.json")
        var failures: [String] = []
        for row in rows {
            let id = row["id"]?.string ?? ""
            let problems = try check(row)
            let counted = Self.otherwise[id] == nil ? problems : problems.filter { $0.hasPrefix("outside") }
            if !counted.isEmpty { failures.append("\(id): \(counted.joined(separator: "; "))") }
        }
        for failure in failures { Issue.record("\(failure)") }
        Corpus.score("layer-cases/tar-layers", rows.count - failures.count - Self.otherwise.count, of: rows.count)
    }

    private func check(_ row: JSONValue) throws -> [String] {
        let expect = row["expect"] ?? .null
        setUpCanary(expect["host_setup"]?.object ?? [:])
        defer { try? RootDirectory(hostPath: "/tmp").removeTree("shale-canary") }
        let before = snapshot()
        var stack = LayerStack()
        var failure: ShaleError?
        do {
            for layer in row["layers"]?.array ?? [] { try stack.push(TarBytes.layer(layer.array ?? [])) }
        } catch let error as ShaleError {
            failure = error
        }
        var problems: [String] = []
        if snapshot() != before { problems.append("outside changed") }
        let around = try RootDirectory(hostPath: stack.outside).names(in: "/").filter { !$0.hasPrefix("layer") }
        if !around.isEmpty { problems.append("outside \(around)") }
        let outcome = expect["outcome"]?.string ?? ""
        if let failure {
            return problems + (outcome == "success" ? ["failed: \(failure)"] : [])
        }
        if outcome == "error" || outcome.hasPrefix("error (") { return problems + ["no error"] }
        return problems + (try facts(expect, stack))
    }

    private func setUpCanary(_ files: [String: JSONValue]) {
        mkdir(Self.canary, 0o755)
        for (path, mode) in files {
            let bits = mode.string.flatMap { UInt32($0.prefix { $0 != "/" }, radix: 8) } ?? 0o644
            if path.hasSuffix("/") || mode.string?.hasSuffix("/") == true {
                mkdir(path, bits)
                continue
            }
            var folder = ""
            for part in path.split(separator: "/").dropLast() {
                folder += "/\(part)"
                mkdir(folder, 0o755)
            }
            if let file = fopen(path, "w") { fclose(file) }
            chmod(path, bits)
        }
    }

    /// Everything in the canary's folder with mode and size.
    private func snapshot() -> [String] {
        guard let root = try? RootDirectory(hostPath: Self.canary) else { return [] }
        var lines: [String] = []
        try? MergedTree(layers: [root]).walk("/") { entry in
            lines.append("\(entry.path) \(entry.status.permissions) \(entry.status.uid) \(entry.status.kind)")
        }
        return lines
    }

    private func facts(_ expect: JSONValue, _ stack: LayerStack) throws -> [String] {
        let tree = stack.tree
        var problems: [String] = []
        for (path, fact) in expect["tree"]?.object ?? [:] {
            guard let entry = try tree.entry(path, followingLinks: false) else {
                problems.append("\(path) missing")
                continue
            }
            problems += try differences(fact, entry, tree).map { "\(path) \($0)" }
        }
        for path in expect["present"]?.strings ?? [] where try tree.entry(path, followingLinks: false) == nil {
            problems.append("\(path) missing")
        }
        for path in expect["absent"]?.strings ?? [] where try tree.entry(path, followingLinks: false) != nil {
            problems.append("\(path) present")
        }
        for pair in expect["same_file"]?.array ?? [] {
            let inodes = try (pair.strings ?? []).map { try tree.entry($0, followingLinks: false)?.status.inode }
            if inodes.contains(nil) || Set(inodes).count != 1 { problems.append("\(pair.strings ?? []) not one file") }
        }
        if let exact = expect["exact_paths"]?.strings {
            var found: [String] = []
            try tree.walk("/") { entry in
                guard entry.path != "/" else { return }
                found.append(String(entry.path.dropFirst()) + (entry.status.kind == .directory ? "/" : ""))
            }
            if found.sorted() != exact.sorted() { problems.append("paths \(found)") }
        }
        for (path, mark) in expect["overlay"]?.object ?? [:] {
            problems += try overlayProblems(path, mark.string ?? "", stack)
        }
        return problems
    }

    private func overlayProblems(_ path: String, _ mark: String, _ stack: LayerStack) throws -> [String] {
        guard let top = stack.roots.first else { return ["no layer"] }
        if mark == "whiteout" { return try top.status(path).isWhiteout ? [] : ["\(path) no whiteout"] }
        return OverlayForm.current.isOpaque(try top.directory(path)) ? [] : ["\(path) not opaque"]
    }

    private func differences(_ fact: JSONValue, _ entry: TreeEntry, _ tree: MergedTree) throws -> [String] {
        var problems: [String] = []
        let kinds: [String: FileStatus.Kind] = [
            "reg": .regular, "dir": .directory, "symlink": .symlink, "fifo": .fifo, "char": .characterDevice,
            "block": .blockDevice,
        ]
        // A user namespace makes no devices and cannot give every owner.
        let isPlaceholder = OverlayForm.current == .user && ["char", "block"].contains(fact["type"]?.string)
        if isPlaceholder { return [] }
        if let type = fact["type"]?.string, kinds[type] != entry.status.kind {
            problems.append("is \(entry.status.kind)")
        }
        if let content = fact["content"]?.string {
            let bytes = try tree.open(entry).readAll()
            if bytes != Array(content.utf8) { problems.append("has other contents") }
        }
        if let link = fact["link"]?.string, link != entry.link { problems.append("links to \(entry.link)") }
        if let mode = fact["mode"]?.string.flatMap({ UInt32($0, radix: 8) }), mode != entry.status.permissions {
            problems.append("has mode \(String(entry.status.permissions, radix: 8))")
        }
        if OverlayForm.current == .trusted {
            if let uid = fact["uid"]?.int, uid != Int(entry.status.uid) {
                problems.append("has uid \(entry.status.uid)")
            }
            if let gid = fact["gid"]?.int, gid != Int(entry.status.gid) {
                problems.append("has gid \(entry.status.gid)")
            }
        }
        if let device = fact["dev"]?.array?.compactMap(\.int),
            device != [Int(entry.status.rdevMajor), Int(entry.status.rdevMinor)]
        {
            problems.append("is another device")
        }
        if fact["xattrs"] != nil, try tree.attributes(of: entry).isEmpty { problems.append("has no attributes") }
        return problems
    }
}

extension RootDirectory {
    func removeTree(_ name: String) throws { try TreeRemoval.remove(name, in: descriptor) }
}
