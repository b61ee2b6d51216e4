import Basics
/// A handout: a Markdown text whose fenced `console` blocks show lines and what they print.
package struct Handout: Sendable {
    /// A `console` block.
    package struct Block: Sendable {
        /// 1 for the first of the handout.
        package var number: Int
        /// Where its content lies in ``Handout/lines``.
        package var content: Range<Int>
    }

    /// All lines of the text.
    package let lines: [String]
    package let blocks: [Block]
    /// How its lines end.
    private let lineEnd: String

    package init(_ text: String) {
        // A Windows line end is one character of Swift's.
        let lines = text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        var blocks: [Block] = []
        var position = 0
        while position < lines.count {
            let mark = lines[position].prefix { $0 == "`" }
            guard mark.count >= 3 else {
                position += 1
                continue
            }
            let kind = lines[position].dropFirst(mark.count).drop { $0 == " " }.prefix { $0 != " " }
            let start = position + 1
            var end = start
            while end < lines.count, !Self.closes(lines[end], mark.count) { end += 1 }
            if kind == "console" || kind == "shale" {
                blocks.append(Block(number: blocks.count + 1, content: start..<end))
            }
            position = end + 1
        }
        self.lines = lines
        self.blocks = blocks
        lineEnd = text.firstRange(of: "\r\n") == nil ? "\n" : "\r\n"
    }

    /// Whether a line ends a block that began with so many backquotes.
    private static func closes(_ line: String, _ count: Int) -> Bool {
        line.prefix { $0 == "`" }.count >= count && line.allSatisfy { $0 == "`" || $0 == " " }
    }

    /// The lines of a block with every prompt of shale's as `$ `: `shale> ls`, `(lesson) shale> ls` and `$ shale ls`.
    package func signed(_ block: Block) -> [String] { lines[block.content].map(Self.signed) }

    static func signed(_ line: String) -> String {
        if line.hasPrefix("$ shale ") { return "$ " + line.dropFirst("$ shale ".count) }
        guard let length = PromptSign.length(in: line) else { return line }
        return "$ " + String(String.UnicodeScalarView(line.unicodeScalars.dropFirst(length)))
    }

    /// The text with other lines in some places; the places come in order and do not overlap.
    package func replacing(_ places: [(range: Range<Int>, lines: [String])]) -> String {
        var result: [String] = []
        var position = 0
        for place in places {
            result += lines[position..<place.range.lowerBound] + place.lines
            position = place.range.upperBound
        }
        return (result + lines[position...]).joined(separator: lineEnd)
    }
}
