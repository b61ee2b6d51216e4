package import Basics
package import Layers

/// The efficiency of an image, computed as the tool dive computes it, so that both print the same number.
///
/// A path counts when it is a leaf in some layer: the sum of its sizes over all layers, and the smallest of these
/// sizes.
/// The score is the sum of the smallest sizes divided by the sum of all. Paths in two or more layers are waste. A
/// whiteout
/// of a directory counts with the bytes that it hides, a whiteout of a file with 0, and opaque marks are ignored. When
/// a
/// whiteout hides nothing, dive does not count the rest of its layer, so the rest is not counted here either.
package struct DiveEfficiency: Sendable {
    /// A path in more than one layer.
    package struct Waste: Sendable, Hashable {
        package var path: String
        /// The number of layers.
        package var count: Int
        /// The bytes in all these layers.
        package var bytes: Int64
        /// The layer numbers, from 1.
        package var layers: [Int]
    }

    /// From 0 to 1; 1 when there are no bytes.
    package private(set) var score = 1.0
    /// Sorted by bytes, the largest first, then by path.
    package private(set) var waste: [Waste] = []
    package private(set) var wastedBytes: Int64 = 0
    /// The bytes of all layers, and of all layers except the lowest.
    package private(set) var totalBytes: Int64 = 0
    package private(set) var userBytes: Int64 = 0
    /// Wasted bytes divided by user bytes; 0 without waste, infinite when there are no user bytes.
    package var wastedUserShare: Double {
        wastedBytes == 0 ? 0 : Double(wastedBytes) / Double(userBytes)
    }

    private struct Weight {
        var sum: Int64 = 0
        var smallest: Int64?
        var layers: [Int] = []
    }

    /// Reads the indexes of an image's layers, the lowest first.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the layers' indexes throws.
    package init(_ layers: ImageLayers, _ cancellation: Cancellation = Cancellation()) throws(ShaleError) {
        var indexes: [LayerIndex] = []
        for number in 1..<(layers.count + 1) {
            try cancellation.check()
            indexes.append(try layers.index(number))
        }
        self.init(indexes)
    }

    package init(_ indexes: [LayerIndex]) {
        var weights: [PathKey: Weight] = [:]
        weights.reserveCapacity(indexes.map(\.entries.count).max() ?? 0)
        let stacked = StackedTree()
        // Only whiteouts use the merged tree, so it is built up to the last of them.
        let lastDeletion = indexes.lastIndex { $0.entries.contains { $0.kind == .whiteout } } ?? 0
        for (position, index) in indexes.enumerated() {
            let members = LayerMember.sorted(index)
            let bytes = members.reduce(0 as Int64) { $0 &+ $1.size }
            totalBytes &+= bytes
            if position > 0 { userBytes &+= bytes }
            for member in members where member.isLeaf {
                var size = member.size
                if member.isWhiteout {
                    guard let hidden = stacked.size(hiddenAt: member.path) else { break }
                    size = hidden
                }
                var weight = weights[PathKey(member.path)] ?? Weight()
                weight.sum &+= size
                weight.smallest = min(weight.smallest ?? size, size)
                weight.layers.append(position + 1)
                weights[PathKey(member.path)] = weight
            }
            if position < lastDeletion { for member in members { stacked.apply(member) } }
        }
        let all = weights.values.reduce(0 as Int64) { $0 &+ $1.sum }
        let least = weights.values.reduce(0 as Int64) { $0 &+ ($1.smallest ?? 0) }
        if all > 0 { score = Double(least) / Double(all) }
        waste = weights.filter { $0.value.layers.count > 1 }.map { key, weight in
            Waste(path: key.path, count: weight.layers.count, bytes: weight.sum, layers: weight.layers)
        }
        waste.sort { $0.bytes != $1.bytes ? $0.bytes > $1.bytes : PathOrder.precedes($0.path, $1.path) }
        wastedBytes = waste.reduce(0) { $0 &+ $1.bytes }
    }
}

/// One entry of a layer, as dive sees it.
private struct LayerMember {
    var path: String
    var size: Int64
    var isDirectory: Bool
    var isWhiteout: Bool
    /// Whether the layer has nothing below it.
    var isLeaf: Bool
    /// The sort key: the path, a whiteout with `.wh.`, and a separator that sorts below every other byte.
    private var order: [UInt8]

    /// A layer's entries in the order in which dive visits them: by name, the contents of a directory before it.
    static func sorted(_ index: LayerIndex) -> [LayerMember] {
        let entries = index.entries.filter { !$0.isCopiedUp && $0.path != "/" }
        let parents = Set(entries.map { PathKey($0.path.parentPath) })
        let members = entries.map { LayerMember($0, isLeaf: !parents.contains(PathKey($0.path))) }
        // The byte 0xFF at the end sorts a directory after its contents.
        return members.sorted { $0.order.lexicographicallyPrecedes($1.order) }
    }

    private init(_ entry: LayerEntry, isLeaf: Bool) {
        path = entry.path
        size = entry.size
        isDirectory = entry.kind == .directory
        isWhiteout = entry.kind == .whiteout
        self.isLeaf = isLeaf
        let name = isWhiteout ? entry.path.parentPath.appendingPath(".wh." + entry.path.lastPathComponent) : entry.path
        // Separators sort below all other bytes, and the end of a directory above its contents.
        order = name.utf8.map { $0 == 0x2F ? 0 : $0 } + (isLeaf ? [0] : [0, 0xFF])
    }
}

/// The merged layers as dive merges them: a file that replaces a directory does not remove the directory's contents.
private final class StackedTree {
    private final class Node {
        var size: Int64 = 0
        var isDirectory = false
        var children: [PathKey: Node] = [:]
    }

    private let root = Node()

    func apply(_ member: LayerMember) {
        if member.isWhiteout {
            let parent = node(member.path.parentPath)
            parent?.children[PathKey(member.path.lastPathComponent)] = nil
            return
        }
        var here = root
        for part in member.path.pathParts {
            let key = PathKey(String(part))
            let next = here.children[key] ?? Node()
            here.children[key] = next
            here = next
        }
        here.size = member.size
        here.isDirectory = member.isDirectory
    }

    /// The bytes that a whiteout of a path hides: those below a directory, 0 for a file; `nil` when nothing is there.
    func size(hiddenAt path: String) -> Int64? {
        guard let node = node(path) else { return nil }
        if !node.isDirectory { return 0 }
        var sum: Int64 = 0
        var pending = [node]
        while let next = pending.popLast() {
            sum &+= next.size
            pending += next.children.values
        }
        return sum
    }

    private func node(_ path: String) -> Node? {
        var here = root
        for part in path.pathParts {
            guard let next = here.children[PathKey(String(part))] else { return nil }
            here = next
        }
        return here
    }
}
