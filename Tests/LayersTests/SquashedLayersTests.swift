import Basics
import Glibc
import Layers
import Linux
import OCI
import TestSupport
import Testing

@Suite("layers put together")
struct SquashedLayersTests {
    private typealias Member = TarBytes.Member

    /// Layers 0 to the last, of which some become one; then the stack with that one in their place.
    private func squash(
        _ layers: [[UInt8]], _ range: Range<Int>
    ) throws -> (before: LayerStack, after: LayerStack, made: UnpackedLayer) {
        var before = LayerStack()
        var indexes: [LayerIndex] = []
        for layer in layers { indexes.append(try before.push(layer).index) }
        let roots = Array(before.roots.reversed())
        let sources = range.map { SquashedLayers.Source(index: indexes[$0], root: roots[$0]) }
        let below =
            range.lowerBound == 0
            ? nil : MergedTree(layers: roots[..<range.lowerBound].reversed())
        var tar: [UInt8] = []
        let written = try SquashedLayers(sources, below: below).write { bytes in tar += bytes }
        #expect(written.diffID == Digest.of(tar))
        var after = LayerStack()
        for layer in layers[..<range.lowerBound] { try after.push(layer) }
        let made = try after.push(tar)
        for layer in layers[range.upperBound...] { try after.push(layer) }
        return (before, after, made)
    }

    private func differences(_ stacks: (before: LayerStack, after: LayerStack, made: UnpackedLayer)) throws -> [String]
    {
        try FileTreeComparison(stacks.before.tree, stacks.after.tree).differences().map { "\($0.path) \($0.kind)" }
    }

    @Test("a deletion inside the range vanishes, one of what is below stays")
    func deletions() throws {
        let layers = [
            TarBytes.archive([.init(name: "low"), .init(name: "d", type: "5", mode: 0o755), .init(name: "d/low")]),
            TarBytes.archive([
                .init(name: "mine"), .init(name: "d", type: "5", mode: 0o700), .init(name: "d/mine", content: [1]),
            ]),
            TarBytes.archive([.init(name: ".wh.mine"), .init(name: ".wh.low"), .init(name: "d/.wh.low")]),
        ]
        let stacks = try squash(layers, 1..<3)
        #expect(try differences(stacks).isEmpty)
        #expect(
            stacks.made.index.entries.map { "\($0.kind == .whiteout ? "-" : "+")\($0.path)" }
                == ["+/d", "-/d/low", "+/d/mine", "-/low"])
        // With nothing below there is nothing to remove.
        let all = try squash(layers, 0..<3)
        #expect(try differences(all).isEmpty)
        #expect(all.made.index.entries.map(\.path) == ["/d", "/d/mine"])
    }

    @Test("an opaque directory, and a directory in the place of a file, hide what is below")
    func hiding() throws {
        let layers = [
            TarBytes.archive([
                .init(name: "d", type: "5", mode: 0o755), .init(name: "d/a"),
                .init(name: "d/s", type: "5", mode: 0o755),
                .init(name: "d/s/x"), .init(name: "d/s/y"), .init(name: "e", type: "5", mode: 0o755),
                .init(name: "e/z"),
                .init(name: "f", content: [1]),
            ]),
            TarBytes.archive([
                .init(name: "d", type: "5", mode: 0o755), .init(name: "d/.wh..wh..opq"), .init(name: "d/b"),
                .init(name: "e", content: [2]),
            ]),
            TarBytes.archive([
                .init(name: "d", type: "5", mode: 0o711), .init(name: "d/s", type: "5", mode: 0o755),
                .init(name: "d/s/y", content: [3]), .init(name: "e", type: "5", mode: 0o755), .init(name: "e/new"),
                .init(name: "f", type: "5", mode: 0o755), .init(name: "f/g"),
            ]),
        ]
        let stacks = try squash(layers, 1..<3)
        #expect(try differences(stacks).isEmpty)
        let removed = stacks.made.index.entries.filter { $0.kind == .whiteout }.map(\.path)
        #expect(removed == ["/d/a", "/d/s/x", "/e/z"])
    }

    @Test("names of one file stay so when the first of them is gone; attributes and devices stay")
    func links() throws {
        let layers = [
            TarBytes.archive([
                .init(
                    name: "a", content: Array("text".utf8), mode: 0o640,
                    pax: [("SCHILY.xattr.user.k", Array("v".utf8))]),
                .init(name: "b", type: "1", link: "a"), .init(name: "c", type: "1", link: "a"),
                .init(name: "pipe", type: "6"), .init(name: "s", type: "2", link: "b"),
            ]),
            TarBytes.archive([.init(name: ".wh.a"), .init(name: "big", content: [UInt8](repeating: 0, count: 70_000))]),
        ]
        let stacks = try squash(layers, 0..<2)
        #expect(try differences(stacks).isEmpty)
        let index = stacks.made.index
        #expect(index["/b"]?.kind == .file && index["/b"]?.mode == 0o640 && index["/b"]?.attributes.count == 1)
        #expect(index["/c"]?.kind == .hardLink && index["/c"]?.link == "/b")
        #expect(index["/pipe"]?.kind == .fifo)
    }

    @Test("nothing is left of what was made and removed")
    func empty() throws {
        var stack = LayerStack()
        var sources: [SquashedLayers.Source] = []
        for layer in [[Member(name: "x")], [Member(name: ".wh.x")]] {
            let index = try stack.push(TarBytes.archive(layer)).index
            sources.append(.init(index: index, root: stack.roots[0]))
        }
        #expect(try SquashedLayers(sources, below: nil).isEmpty)
    }

    @Test("any layers give the tree they gave one by one", arguments: 1...60 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = Generator(state: seed)
        let layers = (0..<Int.random(in: 2...5, using: &random)).map { _ in Self.layer(&random) }
        let first = Int.random(in: 0..<layers.count, using: &random)
        let last = Int.random(in: first..<layers.count, using: &random)
        let stacks = try squash(layers, first..<(last + 1))
        #expect(try differences(stacks).isEmpty, "seed \(seed), layers \(first) to \(last)")
        #expect(stacks.made.index.entries.filter { $0.isOpaque }.isEmpty)
    }

    private static func layer(_ random: inout Generator) -> [UInt8] {
        let names = ["a", "b", "c"]
        func path() -> String {
            (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in names.randomElement(using: &random) }
                .joined(separator: "/")
        }
        var kinds: [String: Character] = [:]
        var members: [Member] = []
        /// Whether every directory on the way is one in this layer, or nothing yet.
        func isOpen(_ path: String) -> Bool {
            let parts = path.split(separator: "/")
            return (1..<max(parts.count, 1)).allSatisfy { kinds[parts[..<$0].joined(separator: "/")] ?? "5" == "5" }
        }
        for _ in 0..<Int.random(in: 1...9, using: &random) {
            let path = path()
            guard kinds[path] == nil, isOpen(path), !kinds.keys.contains(where: { $0.hasPrefix("\(path)/") }) else {
                continue
            }
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            let name = path.split(separator: "/").last.map(String.init) ?? ""
            switch Int.random(in: 0...5, using: &random) {
            case 0, 1:
                kinds[path] = "5"
                members.append(Member(name: path, type: "5", mode: [0o755, 0o700].randomElement(using: &random) ?? 0))
                if Bool.random(using: &random) { members.append(Member(name: "\(path)/.wh..wh..opq")) }
            case 2:
                kinds[path] = "w"
                members.append(Member(name: parent.isEmpty ? ".wh.\(name)" : "\(parent)/.wh.\(name)"))
            case 3:
                guard let target = kinds.first(where: { $0.value == "0" })?.key else { continue }
                kinds[path] = "1"
                members.append(Member(name: path, type: "1", link: target))
            case 4:
                kinds[path] = "2"
                members.append(Member(name: path, type: "2", link: "b"))
            default:
                kinds[path] = "0"
                members.append(
                    Member(name: path, content: [UInt8](repeating: 1, count: Int.random(in: 0...3, using: &random))))
            }
        }
        return TarBytes.archive(members)
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }
}
