import Basics
import Images
import Layers
import OCI
import Stores
import Synchronization

/// The images that the steps of a build made, by their lines in the Dockerfile.
final class BuiltSteps: Sendable {
    private let images = Mutex<[Int: Digest]>([:])

    func note(_ image: Digest, line: Int) { images.withLock { $0[line] = image } }

    func image(line: Int) -> Digest? { images.withLock { $0[line] } }
}

/// Finds the step of a recipe that first made a path different from the original.
///
/// The original and the rebuilt image are compared step by step from the lowest layer. So a later step is not blamed
/// for
/// a difference that an earlier step made.
struct RecipeBlame {
    /// One step of the original: its lines in the recipe, and the number of layers of both images after it.
    private struct Link {
        var lines: Range<Int>
        var original: Int
        var rebuilt: Int
    }

    private let recipe: Recipe
    private let original: [LayerIndex]
    private let rebuilt: [LayerIndex]
    private let shared: Int
    private var links: [Link] = []
    /// The number of layers after each line of the recipe; `nil` where it is not known.
    private var counts: [Int?] = []
    /// The first line of each recipe line in the Dockerfile, from 1.
    private var numbers: [Int] = []

    /// With `isContainer` the original has changes of a container above the image.
    init(
        _ recipe: Recipe, _ image: Image, isContainer: Bool, _ rebuilt: Image, _ steps: BuiltSteps, engine: RecipeEngine
    ) throws(ShaleError) {
        self.recipe = recipe
        let old = image.config.rootfs.diffIDs
        let new = rebuilt.config.rootfs.diffIDs
        // Equal layers at the bottom need not be compared.
        shared = zip(old, new).prefix { $0 == $1 }.count
        original = try Self.indexes(of: image, from: shared, engine)
        self.rebuilt = try Self.indexes(of: rebuilt, from: shared, engine)
        var number = 1
        for line in recipe.lines {
            numbers.append(number)
            let made = try engine.store.images.imageIfHere(steps.image(line: number))?.config.rootfs.diffIDs
            counts.append(made.flatMap { new.starts(with: $0) ? $0.count : nil })
            number += line.height
        }
        var start = recipe.lines.lastIndex { $0.keyword == "FROM" } ?? 0
        guard recipe.sources.count == recipe.lines.count else { return }
        for index in recipe.lines.indices where index >= start {
            let isLast = index + 1 == recipe.lines.count || recipe.sources[index + 1] != recipe.sources[index]
            guard isLast, let source = recipe.sources[index] else { continue }
            guard let after = counts[start...index].last(where: { $0 != nil }) ?? nil else { continue }
            var before = old.count
            if case .image(let id) = source {
                let image = try engine.store.images.imageIfHere(id)
                guard let made = image?.config.rootfs.diffIDs, old.starts(with: made) else {
                    continue
                }
                before = made.count
            } else if isContainer {
                continue
            }
            links.append(Link(lines: start..<index + 1, original: before, rebuilt: after))
            start = index + 1
        }
    }

    private static func indexes(of image: Image, from shared: Int, _ engine: RecipeEngine) throws(ShaleError)
        -> [LayerIndex]
    {
        try engine.images.unpackMissingLayers(of: image, OperationContext())
        var found: [LayerIndex] = []
        for (diffID, chain) in LayerStore.stack(of: image.config).dropFirst(shared) {
            guard let path = engine.store.layers.indexPath(diffID, on: chain) else { return [] }
            found.append(try LayerIndex(reading: path))
        }
        return found
    }

    /// The instruction that made a path different, and its line in the Dockerfile.
    func step(of path: String) -> (text: String, line: Int)? {
        let old = states(of: path, in: original)
        let new = states(of: path, in: rebuilt)
        var start = 0
        for link in links {
            let one = old[max(0, min(old.count - 1, link.original - shared))]
            let other = new[max(0, min(new.count - 1, link.rebuilt - shared))]
            if one != other { return maker(of: path, in: link.lines) }
            start = link.lines.upperBound
        }
        // The difference is in the container's changes, or in something a single layer does not show, such as hard
        // links.
        let rest = start < recipe.lines.count ? start..<recipe.lines.count : recipe.lines.indices
        return maker(of: path, in: rest) ?? maker(of: path, in: recipe.lines.indices)
    }

    /// For each path that differed after some steps, the indexes of these steps.
    ///
    /// Such a path may be equal in the end, because a later step moved or removed it.
    func histories() -> [PathKey: [Int]] {
        var found: [PathKey: [Int]] = [:]
        for entry in (original + rebuilt).lazy.flatMap(\.entries) where found[PathKey(entry.path)] == nil {
            let old = states(of: entry.path, in: original)
            let new = states(of: entry.path, in: rebuilt)
            found[PathKey(entry.path)] = links.indices.filter { place in
                old[max(0, min(old.count - 1, links[place].original - shared))]
                    != new[max(0, min(new.count - 1, links[place].rebuilt - shared))]
            }
        }
        return found.filter { !$0.value.isEmpty }
    }

    /// The path at which a difference began, when it is not one of the `reported` paths: the step that first made
    /// `path`
    /// different already read a different input.
    func origin(
        of path: String, _ histories: [PathKey: [Int]], reported: Set<PathKey>
    ) -> (path: String, step: (text: String, line: Int)?)? {
        var place = PathKey(path)
        var link = histories[place]?.first ?? links.count
        while link > 0 {
            let earlier = histories.filter {
                !reported.contains($0.key) && $0.value.contains(link - 1) && !isDifferentAtEnd($0.value)
            }
            .min { left, right in
                let firsts = (left.value.first ?? 0, right.value.first ?? 0)
                return firsts.0 == firsts.1
                    ? PathOrder.precedes(left.key.path, right.key.path) : firsts.0 < firsts.1
            }
            guard let earlier, let first = earlier.value.first else { break }
            (place, link) = (earlier.key, first)
        }
        guard place != PathKey(path), links.indices.contains(link) else { return nil }
        return (place.path, maker(of: place.path, in: links[link].lines))
    }

    /// Whether a path whose differing steps these are differs after the last step as well.
    ///
    /// When nothing reports it, only its layers tell it differently, as those of `/` do.
    private func isDifferentAtEnd(_ history: [Int]) -> Bool {
        guard let last = links.last, last.original - shared == original.count, last.rebuilt - shared == rebuilt.count
        else { return false }
        return history.last == links.count - 1
    }

    /// The last of these lines whose layer contains the path, or else the last line that could have made it.
    private func maker(of path: String, in lines: Range<Int>) -> (text: String, line: Int)? {
        var below = shared
        for count in counts[..<lines.lowerBound] { if let count { below = count } }
        var found: Int?
        for index in lines {
            guard let count = counts[index] else { continue }
            if count > below, count - shared - 1 < rebuilt.count, count > shared,
                rebuilt[count - shared - 1].state(of: path) != nil
            {
                found = index
            }
            below = count
        }
        let index =
            found ?? lines.last { ["RUN", "COPY", "ADD", "WORKDIR", "FROM"].contains(recipe.lines[$0].keyword) }
        return index.map { (recipe.lines[$0].text, numbers[$0]) }
    }

    /// The state of a path after no layer, after the first layer, and so on.
    private func states(of path: String, in layers: [LayerIndex]) -> [PathState?] {
        var states: [PathState?] = [nil]
        for layer in layers { states.append(layer.state(of: path) ?? states.last ?? nil) }
        return states
    }
}

/// What a layer does to a path.
///
/// Times are not compared.
enum PathState: Hashable {
    case removed
    case present(LayerEntry)
}

extension LayerIndex {
    /// The state that the layer gives a path; `nil` when it does not change the path.
    func state(of path: String) -> PathState? {
        if let entry = self[path] {
            if entry.isCopiedUp { return nil }
            return entry.kind == .whiteout ? .removed : .present(entry.withoutTime(target: self[entry.link]))
        }
        var above = path.parentPath
        while above != "/" {
            if let entry = self[above] {
                if entry.kind != .directory || entry.isOpaque { return .removed }
            }
            above = above.parentPath
        }
        return nil
    }
}

extension LayerEntry {
    /// The entry without times and flags.
    ///
    /// A hard link gets the size and content of its target.
    fileprivate func withoutTime(target: LayerEntry?) -> LayerEntry {
        var entry = self
        entry.modified = .epoch
        entry.isOpaque = false
        entry.isImplied = false
        if kind == .hardLink, let target {
            entry.size = target.size
            entry.contentHash = target.contentHash
        }
        return entry
    }
}
