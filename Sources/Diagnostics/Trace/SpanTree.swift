package import Basics

/// Where the time of a traced command went: pieces of work within one another.
package struct SpanTree: Sendable {
    package struct Node: Sendable {
        package var subject: Observer.Subject
        package var what: String
        package var begin: UInt64
        package var end: UInt64
        /// The time in nanoseconds; for several equal pieces of work, their sum.
        package var duration: UInt64
        /// How many pieces of work alike this stands for.
        package var count = 1
        /// Whether it ran beside the command's own thread, so that its time is not a part of the total.
        package var isBeside = false
        package var children: [Node] = []

        init(_ span: Observer.Span) {
            (subject, what, begin, end) = (span.subject, span.what, span.begin, span.end)
            duration = span.end - span.begin
        }
    }

    package let nodes: [Node]
    /// Nanoseconds.
    package let total: UInt64
    /// The time that no piece of work on the command's own thread covers.
    package var unaccounted: UInt64 {
        let known = nodes.filter { !$0.isBeside }.reduce(UInt64(0)) { $0 + $1.duration }
        return total > known ? total - known : 0
    }

    /// Of spans in any order; `lane` is the command's own thread.
    package init(_ spans: [Observer.Span], begin: UInt64, end: UInt64, lane: UInt) {
        let inside = spans.compactMap { span -> Observer.Span? in
            guard span.end > begin, span.begin < end else { return nil }
            var span = span
            (span.begin, span.end) = (max(span.begin, begin), min(span.end, end))
            return span
        }
        let lanes = Dictionary(grouping: inside, by: \.lane)
        var nodes = Self.nested(lanes[lane] ?? [])
        for (other, spans) in lanes where other != lane {
            for var node in Self.nested(spans) {
                node.isBeside = true
                Self.insert(node, into: &nodes)
            }
        }
        self.nodes = Self.merged(nodes)
        total = max(end, begin) - begin
    }

    /// The spans of one thread: each lies within the one that was under way when it began.
    private static func nested(_ spans: [Observer.Span]) -> [Node] {
        let sorted = spans.sorted { ($0.begin, $1.end) < ($1.begin, $0.end) }
        var index = 0
        func take(until end: UInt64) -> [Node] {
            var nodes: [Node] = []
            while index < sorted.count, sorted[index].begin < end {
                var node = Node(sorted[index])
                // What a clock puts across the end of what it is a part of ends there.
                node.end = min(node.end, end)
                node.duration = node.end - min(node.begin, node.end)
                index += 1
                node.children = take(until: node.end)
                nodes.append(node)
            }
            return nodes
        }
        return take(until: .max)
    }

    /// Puts what ran beside where it began.
    private static func insert(_ node: Node, into nodes: inout [Node]) {
        let place = nodes.firstIndex { !$0.isBeside && $0.begin <= node.begin && node.begin < $0.end }
        if let place { insert(node, into: &nodes[place].children) } else { nodes.append(node) }
    }

    /// As many pieces of work of one subject stand for themselves: every step of a container's start does.
    private static let mostAlike = 48

    /// Those alike as one; where there are many of a subject, those that begin with one word.
    private static func merged(_ nodes: [Node]) -> [Node] {
        var counts: [String: Int] = [:]
        for node in nodes { counts["\(node.subject)\(node.isBeside)", default: 0] += 1 }
        var result: [Node] = []
        var places: [String: Int] = [:]
        for node in nodes.sorted(by: { $0.begin < $1.begin }) {
            let isOneOfMany = counts["\(node.subject)\(node.isBeside)", default: 0] > mostAlike
            let key =
                "\(node.subject)\(node.isBeside)" + (isOneOfMany ? String(node.what.prefix { $0 != " " }) : node.what)
            if let place = places[key] {
                if result[place].what != node.what { result[place].what = "\(result[place].shared(with: node))…" }
                result[place].duration += node.duration
                result[place].count += 1
                result[place].end = max(result[place].end, node.end)
                result[place].children += node.children
            } else {
                places[key] = result.count
                result.append(node)
            }
        }
        return result.map { node in
            var node = node
            node.children = merged(node.children)
            return node
        }
    }
}

extension SpanTree.Node {
    /// What two say alike, from the beginning.
    fileprivate func shared(with other: SpanTree.Node) -> String {
        let text = what.hasSuffix("…") ? String(what.dropLast()) : what
        return String(zip(text, other.what).prefix { $0 == $1 }.map(\.0))
    }
}
