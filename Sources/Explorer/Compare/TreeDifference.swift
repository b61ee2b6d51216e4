package import Basics
package import Layers
import Linux
package import OCI

/// One path that differs between two trees.
package struct TreeDifference: Sendable, Hashable {
    package var kind: Change.Kind
    package var path: String
    /// What differs.
    ///
    /// Empty for a path that only one side has, and for a directory that only contains differences.
    package var reasons: Set<Change.Reason> = []
    package var before: ViewEntry?
    package var after: ViewEntry?

    package init(kind: Change.Kind, path: String, before: ViewEntry? = nil, after: ViewEntry? = nil) {
        self.kind = kind
        self.path = path
        self.before = before
        self.after = after
    }

    /// A change in a container's upper directory.
    package init(_ change: Change) {
        kind = change.kind
        path = change.path
        reasons = change.reasons
        before = change.before.map { ViewEntry(change.path, $0) }
        after = change.status.map { ViewEntry(change.path, $0, link: change.link) }
    }

    /// Whether it is a directory that is listed only because an entry below it differs.
    package var isParentOnly: Bool { kind == .changed && reasons.isEmpty }
    package var line: String { "\(kind.rawValue) \(path)" }
}

/// Sums the bytes of differences, before and after.
///
/// A file with several hard links counts once on each side.
package struct DifferenceBytes {
    private var seenBefore: Set<String> = []
    private var seenAfter: Set<String> = []

    package init() {}

    /// The bytes that a difference adds; negative when it removes bytes.
    package mutating func growth(_ difference: TreeDifference) -> Int64 {
        Self.bytes(difference.after, &seenAfter) &- Self.bytes(difference.before, &seenBefore)
    }

    private static func bytes(_ entry: ViewEntry?, _ seen: inout Set<String>) -> Int64 {
        guard let entry else { return 0 }
        if let identity = entry.identity, !seen.insert(identity).inserted { return 0 }
        return entry.storedSize
    }
}

/// Compares the trees of two views path by path: type, mode, owner, size, content, time, link target and attributes.
///
/// The result has the same lines as `diff CONTAINER`: every added path, a deleted directory once, and the parent
/// directories of each change. Files that both take from the same layer are not read.
package struct TreeComparison {
    private let old: PlaceView
    private let new: PlaceView
    /// Mount points that shale created in containers.
    ///
    /// They are left out unless they were changed.
    private let ignored: Set<PathKey>
    /// Whether times are compared.
    ///
    /// Without them two builds of the same files are equal.
    package var comparesTimes = true

    package init(_ old: PlaceView, _ new: PlaceView) {
        self.old = old
        self.new = new
        ignored = Set([old, new].flatMap { $0.ownStubs.map { PathKey($0) } })
    }

    /// All differences, sorted by the bytes of their paths.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the layers and files throws.
    package func differences(_ cancellation: Cancellation) throws(ShaleError) -> [TreeDifference] {
        var found: [TreeDifference] = []
        var pending: [(ViewEntry, ViewEntry)] = [(try old.require("/"), try new.require("/"))]
        while let (left, right) = pending.popLast() {
            try cancellation.check()
            var before = try old.children(of: left)[...]
            var after = try new.children(of: right)[...]
            while before.first != nil || after.first != nil {
                let order = Self.order(before.first, after.first)
                if order < 0, let gone = before.popFirst() {
                    found.append(TreeDifference(kind: .deleted, path: gone.path, before: gone))
                } else if order > 0, let added = after.popFirst() {
                    try add(added, to: &found, cancellation)
                } else if let one = before.popFirst(), let other = after.popFirst() {
                    try compare(one, other, &found, &pending, cancellation)
                }
            }
        }
        return withParents(withoutStubs(found))
    }

    /// Removes unchanged mount points, the deepest first.
    private func withoutStubs(_ found: [TreeDifference]) -> [TreeDifference] {
        guard !ignored.isEmpty else { return found }
        var kept: [TreeDifference] = []
        var occupied: Set<PathKey> = []
        for difference in found.sorted(by: { PathOrder.precedes($1.path, $0.path) }) {
            let key = PathKey(difference.path)
            let entry = difference.after ?? difference.before
            if difference.kind != .changed, ignored.contains(key), !occupied.contains(key), let entry,
                entry.kind == .directory || (entry.kind == .file && entry.size == 0)
            {
                continue
            }
            kept.append(difference)
            occupied.formUnion(Blame.ancestors(of: difference.path).map { PathKey($0) })
        }
        return kept
    }

    /// Negative when `left` comes first, positive when `right` does.
    ///
    /// A missing entry comes last.
    private static func order(_ left: ViewEntry?, _ right: ViewEntry?) -> Int {
        guard let left else { return 1 }
        guard let right else { return -1 }
        if PathOrder.same(left.path, right.path) { return 0 }
        return PathOrder.precedes(left.path, right.path) ? -1 : 1
    }

    private func add(
        _ entry: ViewEntry, to found: inout [TreeDifference], _ cancellation: Cancellation
    ) throws(ShaleError) {
        var added: [TreeDifference] = []
        try new.walk(entry, cancellation) { entry throws(ShaleError) in
            added.append(TreeDifference(kind: .added, path: entry.path, after: entry))
            return true
        }
        found += added
    }

    private func compare(
        _ one: ViewEntry, _ other: ViewEntry, _ found: inout [TreeDifference],
        _ pending: inout [(ViewEntry, ViewEntry)], _ cancellation: Cancellation
    ) throws(ShaleError) {
        var difference = TreeDifference(kind: .changed, path: other.path, before: one, after: other)
        difference.reasons = try reasons(one, other)
        if !difference.reasons.isEmpty { found.append(difference) }
        if one.kind == .directory, other.kind == .directory {
            pending.append((one, other))
        } else if other.kind == .directory {
            for child in try new.children(of: other) { try add(child, to: &found, cancellation) }
        }
    }

    private func reasons(_ one: ViewEntry, _ other: ViewEntry) throws(ShaleError) -> Set<Change.Reason> {
        // Both are the same path of the same layer.
        if one.kind != .directory, isSameLayer(one, other) { return [] }
        var reasons: Set<Change.Reason> = []
        if one.kind != other.kind { reasons.insert(.type) }
        // A whiteout has no other attributes to compare.
        if one.kind == .whiteout || other.kind == .whiteout { return reasons }
        if one.mode != other.mode, one.kind != .symlink || other.kind != .symlink { reasons.insert(.mode) }
        if one.uid != other.uid || one.gid != other.gid { reasons.insert(.owner) }
        if one.isOpaque != other.isOpaque { reasons.insert(.xattr) }
        if try old.attributes(of: one) != new.attributes(of: other) { reasons.insert(.xattr) }
        guard one.kind == other.kind, one.kind != .directory else { return reasons }
        if comparesTimes, one.modified.seconds != other.modified.seconds { reasons.insert(.mtime) }
        if !PathOrder.same(one.link, other.link) { reasons.insert(.link) }
        if one.deviceMajor != other.deviceMajor || one.deviceMinor != other.deviceMinor { reasons.insert(.device) }
        guard one.kind == .file else { return reasons }
        if one.size != other.size {
            reasons.formUnion([.size, .content])
        } else if one.size > 0, try old.contentHash(of: one) != new.contentHash(of: other) {
            reasons.insert(.content)
        }
        return reasons
    }

    private func isSameLayer(_ one: ViewEntry, _ other: ViewEntry) -> Bool {
        guard let left = one.layer, let right = other.layer, PathOrder.same(one.path, other.path),
            left <= old.layers.layers.count, right <= new.layers.layers.count
        else { return false }
        return old.layers.layers[left - 1].diffID == new.layers.layers[right - 1].diffID
    }

    /// Adds the parent directories of differences, except the root.
    private func withParents(_ found: [TreeDifference]) -> [TreeDifference] {
        var known = Set(found.map { PathKey($0.path) })
        var all = found
        for difference in found {
            for parent in Blame.ancestors(of: difference.path) where parent != "/" {
                guard known.insert(PathKey(parent)).inserted else { break }
                all.append(TreeDifference(kind: .changed, path: parent))
            }
        }
        return all.sorted { PathOrder.precedes($0.path, $1.path) }
    }
}

extension PlaceView {
    fileprivate var ownStubs: Set<String> {
        if case .container(let own, _) = source { own.stubs } else { [] }
    }

    /// The SHA-256 of a file: from its layer's index, or else computed from its bytes.
    ///
    /// Throws what reading the layer's index or the file throws.
    package func contentHash(of entry: ViewEntry) throws(ShaleError) -> ContentHash? {
        guard entry.kind == .file else { return nil }
        if let known = try knownHash(of: entry) { return known }
        let file = try open(entry)
        var hasher = DigestHasher()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try translating("\(label):\(entry.path)") { try file.read(into: buffer) }
            if count == 0 { break }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return hasher.contentHash()
    }
}

extension TreeDifference {
    /// The changes of one layer of an image.
    ///
    /// Throws `notFound` for a number that is no layer's, and what reading the layers' indexes throws.
    package static func ofLayer(_ number: Int, _ layers: ImageLayers) throws(ShaleError) -> [TreeDifference] {
        _ = try layers.layer(number)
        var found: [TreeDifference] = []
        _ = try MergedIndex(layers, upTo: number) { layer, changes in
            guard layer == number else { return }
            found = changes.filter { $0.path != "/" }.map { change in
                var difference = TreeDifference(
                    kind: change.kind, path: change.path,
                    before: change.before.map { ViewEntry($0, layer: change.beforeLayer) },
                    after: change.entry.map { ViewEntry($0, layer: number) })
                difference.reasons = change.reasons
                // A file that was written again unchanged is in the layer as well.
                if change.kind == .changed, change.reasons.isEmpty { difference.reasons = [.content] }
                return difference
            }
        }
        var known = Set(found.map { PathKey($0.path) })
        for difference in found {
            for parent in Blame.ancestors(of: difference.path) where parent != "/" {
                guard known.insert(PathKey(parent)).inserted else { break }
                found.append(TreeDifference(kind: .changed, path: parent))
            }
        }
        return found.sorted { PathOrder.precedes($0.path, $1.path) }
    }
}
