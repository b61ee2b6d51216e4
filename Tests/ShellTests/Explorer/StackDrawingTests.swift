import Basics
import OCI
import Rendering
import Stores
import Testing

@testable import Explorer
@testable import Shell

struct StackDrawingTests {
    private static func row(_ number: Int, _ createdBy: String, _ bytes: Int64, shared: [String] = []) -> LayerRow {
        let digest = Digest.of("\(number)".utf8)
        let layer = ImageLayer(
            number: number, diffID: digest, parentChain: nil, chain: digest, blob: nil, createdBy: createdBy,
            created: nil, size: LayerSize(tar: bytes, content: bytes), written: nil)
        return LayerRow(layer: layer, count: ChangeCount(added: number), sharedWith: shared)
    }

    /// What a container wrote.
    private static func own(_ number: Int, _ count: ChangeCount, _ bytes: Int64) -> LayerRow {
        let layer = ImageLayer(
            number: number, createdBy: "", size: LayerSize(tar: 0, content: bytes), container: "web")
        return LayerRow(layer: layer, count: count, sharedWith: [])
    }

    private static let rows = [
        row(1, "/bin/sh -c #(nop) ADD file:1 in / ", 90_000_000, shared: ["base:1", "other:1", "third:1"]),
        row(2, "RUN /bin/sh -c apt-get install -y everything there is and much more of it # buildkit", 9_000_000),
        row(3, "COPY ünï→日本 /app # buildkit", 1), row(4, "", 0),
    ]

    @Test(arguments: [20, 40, 79, 100]) func fitsItsColumns(_ width: Int) {
        for pen in [StackDrawing.Pen.boxes, .plain] {
            let rows = Self.rows + [Self.own(5, ChangeCount(added: 1), 5)]
            let lines = StackDrawing(width: width, pen: pen).lines(rows, image: "app:1")
            #expect(lines.dropFirst().allSatisfy { $0.displayWidth == width }, "\(lines.joined(separator: "\n"))")
        }
    }

    @Test func drawsTheHighestOnTop() {
        let lines = StackDrawing(width: 50, pen: .plain).lines(
            Self.rows.prefix(2) + [Self.own(3, ChangeCount(added: 1, changed: 2), 1_000_000)], image: "app:1")
        let bars = [
            "#..............................", "###............................", String(repeating: "#", count: 31),
        ]
        let rule = "+" + String(repeating: "-", count: 48) + "+"
        let expected: [String] = [
            "app:1  2 layers and its own, 100MB", "+" + String(repeating: "~", count: 48) + "+",
            "| #3 web  its own, writable             +1 ~2 -0 |", "| \(bars[0])        1MB  1% |", rule,
            "| #2 RUN apt-get install -y everyth...  +2 ~0 -0 |", "| \(bars[1])        9MB  9% |", rule,
            "| #1 ADD file:1 in /                    +1 ~0 -0 |", "| \(bars[2])      90MB  90% |",
            "| = shared with base:1, other:1, third:1         |", rule,
        ]
        #expect(lines == expected)
    }

    @Test func isPlainWhereTheTerminalIs() {
        func corner(_ environment: [String: String]) -> String { StackDrawing.Pen.fitting(environment).corners[0] }
        #expect(corner([:]) == "+" && corner(["LANG": "C"]) == "+" && corner(["LANG": "de_DE.ISO-8859-1"]) == "+")
        #expect(corner(["LANG": "de_DE.UTF-8"]) == "┌" && corner(["LC_CTYPE": "C.utf8", "LANG": "C"]) == "┌")
        #expect(corner(["LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"]) == "+")
        let plain = StackDrawing(width: 40, pen: .plain).lines([Self.rows[1]], image: "a")
        #expect(plain.joined().utf8.allSatisfy { $0 < 0x80 })
        #expect(StackDrawing(width: 40, pen: .plain).lines([], image: "a").contains { $0.contains("no layers") })
    }
}
