package import Basics
import Linux

/// Compares two trees path by path.
package struct FileTreeComparison {
    package struct Difference: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable {
            case onlyLeft, onlyRight, differs
        }

        package var path: String
        package var kind: Kind
        /// The attributes that differ; empty for a path that only one tree has.
        ///
        /// `link` means another target text, or another set of hard links.
        package var reasons: Set<Change.Reason>

        package init(path: String, kind: Kind, reasons: Set<Change.Reason> = []) {
            self.path = path
            self.kind = kind
            self.reasons = reasons
        }
    }

    private let left: MergedTree
    private let right: MergedTree
    private let comparesTimes: Bool

    /// Times are compared as archives store them: a time without nanoseconds equals every time within its second.
    package init(_ left: MergedTree, _ right: MergedTree, comparingTimes: Bool = true) {
        self.left = left
        self.right = right
        comparesTimes = comparingTimes
    }

    /// All differences below a path, sorted.
    ///
    /// For a directory that one tree lacks, its content is left out.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the trees throws.
    package func differences(
        below path: String = "/", cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> [Difference] {
        var found: [Difference] = []
        var names = (left: [FileIdentity: String](), right: [FileIdentity: String]())
        var pending = [
            (try left.entry(path, followingLinks: true), try right.entry(path, followingLinks: true))
        ]
        while let pair = pending.popLast() {
            try cancellation.check()
            guard case (let one?, let other?) = pair else {
                if let only = pair.0 { found.append(Difference(path: only.path, kind: .onlyLeft)) }
                if let only = pair.1 { found.append(Difference(path: only.path, kind: .onlyRight)) }
                continue
            }
            var reasons = try reasons(one, other)
            if one.status.kind != .directory, other.status.kind != .directory {
                let first = Self.firstName(one, &names.left)
                if !PathOrder.same(first, Self.firstName(other, &names.right)) { reasons.insert(.link) }
            }
            if !reasons.isEmpty { found.append(Difference(path: one.path, kind: .differs, reasons: reasons)) }
            guard one.status.kind == .directory, other.status.kind == .directory else { continue }
            pending.append(contentsOf: Self.pairs(try left.children(of: one), try right.children(of: other)).reversed())
        }
        return found.sorted { PathOrder.precedes($0.path, $1.path) }
    }

    private static func firstName(_ entry: TreeEntry, _ names: inout [FileIdentity: String]) -> String {
        guard entry.status.links > 1 else { return entry.path }
        let identity = entry.status.identity
        if let known = names[identity] { return known }
        names[identity] = entry.path
        return entry.path
    }

    /// Pairs the entries of two sorted listings by name.
    private static func pairs(_ left: [TreeEntry], _ right: [TreeEntry]) -> [(TreeEntry?, TreeEntry?)] {
        var pairs: [(TreeEntry?, TreeEntry?)] = []
        var one = left[...]
        var other = right[...]
        while let first = one.first, let second = other.first {
            if PathOrder.same(first.name, second.name) {
                pairs.append((first, second))
                one.removeFirst()
                other.removeFirst()
            } else if PathOrder.precedes(first.name, second.name) {
                pairs.append((first, nil))
                one.removeFirst()
            } else {
                pairs.append((nil, second))
                other.removeFirst()
            }
        }
        return pairs + one.map { ($0, nil) } + other.map { (nil, $0) }
    }

    private func reasons(_ one: TreeEntry, _ other: TreeEntry) throws(ShaleError) -> Set<Change.Reason> {
        var reasons = FileComparison.reasons(one.status, other.status, newLink: one.link, oldLink: other.link)
        if !comparesTimes {
            reasons.remove(.mtime)
        } else if one.status.kind == .directory, other.status.kind == .directory, one.path != "/",
            !FileComparison.areSame(one.status.modified, other.status.modified)
        {
            reasons.insert(.mtime)
        }
        if reasons.contains(.type) { return reasons }
        if try left.attributes(of: one) != right.attributes(of: other) { reasons.insert(.xattr) }
        guard one.status.kind == .regular, !reasons.contains(.size), one.status.size > 0 else { return reasons }
        let first = try left.open(one)
        let second = try right.open(other)
        do throws(SystemCallError) {
            if try !FileComparison.haveSameContents(first, second) { reasons.insert(.content) }
        } catch {
            throw error.shaleError(one.path)
        }
        return reasons
    }
}
