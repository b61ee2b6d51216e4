import Basics
import Diagnostics
import Testing

@Suite("where the time went")
struct SpanTreeTests {
    private static func span(
        _ what: String, _ begin: UInt64, _ end: UInt64, lane: UInt = 1, _ subject: Observer.Subject = .store
    ) -> Observer.Span {
        Observer.Span(subject, what, begin: begin, end: end, lane: lane)
    }

    private static func text(_ nodes: [SpanTree.Node]) -> String {
        nodes.map { node in
            let children = node.children.isEmpty ? "" : "[\(text(node.children))]"
            let count = node.count > 1 ? "x\(node.count)" : ""
            return "\(node.isBeside ? "|" : "")\(node.what)\(count) \(node.duration)\(children)"
        }.joined(separator: ", ")
    }

    @Test("pieces lie within one another, and what is left is not accounted for")
    func nesting() {
        let tree = SpanTree(
            [
                Self.span("c", 12, 15), Self.span("b", 10, 20), Self.span("d", 30, 40), Self.span("e", 30, 35),
            ], begin: 0, end: 100, lane: 1)
        #expect(Self.text(tree.nodes) == "b 10[c 3], d 10[e 5]")
        #expect(tree.total == 100 && tree.unaccounted == 80)
    }

    @Test("what ran on another thread stands beside what it began in, and in no sum")
    func beside() {
        let tree = SpanTree(
            [Self.span("pull", 0, 50), Self.span("layer", 10, 90, lane: 2), Self.span("unpack", 20, 80, lane: 2)],
            begin: 0, end: 100, lane: 1)
        #expect(Self.text(tree.nodes) == "pull 50[|layer 80[unpack 60]]")
        #expect(tree.unaccounted == 50)
    }

    @Test("those alike are one; many of a subject are one, too")
    func merging() {
        let alike = SpanTree(
            [Self.span("wait", 0, 10), Self.span("wait", 20, 25)], begin: 0, end: 30, lane: 1)
        #expect(Self.text(alike.nodes) == "waitx2 15")
        let many = SpanTree(
            (0..<60).map { Self.span($0 < 50 ? "GET \($0)" : "PUT", $0 * 10, $0 * 10 + 1) }, begin: 0, end: 600, lane: 1
        )
        #expect(Self.text(many.nodes) == "GET …x50 50, PUTx10 10")
    }

    @Test("what began before or ends after the trace counts for what lies in it")
    func edges() {
        let tree = SpanTree([Self.span("a", 0, 30), Self.span("b", 90, 200)], begin: 10, end: 100, lane: 1)
        #expect(Self.text(tree.nodes) == "a 20, b 10" && tree.unaccounted == 60)
    }

    @Test("a piece that ends after what it is a part of never makes the sum longer than the whole")
    func overlap() {
        let tree = SpanTree([Self.span("a", 0, 50), Self.span("b", 40, 100)], begin: 0, end: 100, lane: 1)
        #expect(Self.text(tree.nodes) == "a 50[b 10]" && tree.unaccounted == 50)
    }

    @Test(
        "milliseconds",
        arguments: [(0.0, "0.000"), (1.2345, "1.235"), (9.9999, "10.000"), (12.34, "12.3"), (1234, "1234")])
    func milliseconds(_ value: Double, _ text: String) { #expect(Milliseconds.text(value) == text) }
}
