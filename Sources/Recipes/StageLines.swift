/// The lines of the current stage, each with the image or container that its step made.
struct StageLines {
    private(set) var lines: [Recipe.Line] = []
    private(set) var sources: [Recipe.LayerOwner?] = []
    /// The source of the lines that are appended next.
    var source: Recipe.LayerOwner?

    var count: Int { lines.count }

    subscript(index: Int) -> Recipe.Line {
        get { lines[index] }
        set { lines[index] = newValue }
    }

    mutating func append(_ line: Recipe.Line) {
        lines.append(line)
        sources.append(source)
    }

    static func += (left: inout StageLines, right: [Recipe.Line]) {
        for line in right { left.append(line) }
    }

    /// Removes all lines from an index on.
    mutating func cut(at place: Int) {
        lines.removeSubrange(place...)
        sources.removeSubrange(place...)
    }

    /// Removes all instructions with a keyword.
    mutating func remove(_ keyword: String) {
        let kept = lines.indices.filter { lines[$0].keyword != keyword }
        (lines, sources) = (kept.map { lines[$0] }, kept.map { sources[$0] })
    }

    func firstIndex(of keyword: String) -> Int? { lines.firstIndex { $0.keyword == keyword } }
}

extension Recipe {
    mutating func append(_ stage: StageLines) {
        lines += stage.lines
        sources += stage.sources
    }
}
