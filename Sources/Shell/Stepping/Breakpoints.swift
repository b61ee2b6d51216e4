import Basics

/// Where a stepped program stops.
struct Breakpoints {
    enum Kind: Equatable {
        case line(Int)
        /// Before every instruction with this keyword.
        case instruction(String)
        /// When something fails, instead of ending.
        case failure
    }

    struct Entry: Equatable {
        /// What `clear` takes: a number in the order they were set, or `on-fail`.
        var key: String
        var kind: Kind
    }

    private(set) var entries = [Entry(key: "on-fail", kind: .failure)]
    private var count = 0

    var stopsOnFailure: Bool { entries.contains { $0.kind == .failure } }

    /// Throws `conflict` when there is one there already.
    mutating func add(_ kind: Kind) throws(ShaleError) -> Entry {
        if let known = entries.first(where: { $0.kind == kind }) {
            throw ShaleError(.conflict, "breakpoint \(known.key) is there already", hint: "breakpoints")
        }
        var key = "on-fail"
        if kind != .failure {
            key = String(count)
            count += 1
        }
        let entry = Entry(key: key, kind: kind)
        entries.append(entry)
        return entry
    }

    /// Removes by key, line or keyword.
    ///
    /// Throws `notFound`.
    mutating func remove(_ word: String) throws(ShaleError) {
        let position =
            entries.firstIndex { $0.key == word } ?? entries.firstIndex { $0.kind == .instruction(word.uppercased()) }
            ?? entries.firstIndex { Int(word).map(Kind.line) == $0.kind }
        guard let position else {
            throw ShaleError(.notFound, "breakpoint \"\(word.visible)\" not found", hint: "breakpoints")
        }
        entries.remove(at: position)
    }

    /// Moves the breakpoints with their instructions when lines of the source are replaced by a number of others.
    ///
    /// A breakpoint on a removed line is removed with it.
    mutating func follow(_ replaced: Range<Int>, by count: Int) {
        entries = entries.compactMap { entry in
            guard case .line(let line) = entry.kind, line >= replaced.lowerBound else { return entry }
            var entry = entry
            if line >= replaced.upperBound {
                entry.kind = .line(line + count - replaced.count)
            } else if count == 0 {
                return nil
            } else {
                entry.kind = .line(min(line, replaced.lowerBound + count - 1))
            }
            return entry
        }
    }

    mutating func removeAll() {
        entries = []
        count = 0
    }

    /// The first that stops before a unit.
    func hit(_ unit: SteppedUnit) -> Entry? {
        entries.first { entry in
            switch entry.kind {
            case .line(let line): unit.line > 0 && unit.line <= line && line <= unit.endLine
            case .instruction(let keyword): unit.keyword == keyword
            case .failure: false
            }
        }
    }

    /// Whether the source view marks a line.
    func marks(_ line: Int, units: [SteppedUnit]) -> Bool {
        entries.contains { entry in
            switch entry.kind {
            case .line(let own): own == line
            case .instruction(let keyword): units.contains { $0.keyword == keyword && $0.line == line }
            case .failure: false
            }
        }
    }

    static func description(_ kind: Kind, in file: String) -> String {
        switch kind {
        case .line(let line): "line: \(file):\(line)"
        case .instruction(let keyword): "instruction: \(keyword)"
        case .failure: "breaks on fail"
        }
    }
}
