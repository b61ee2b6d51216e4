package import Basics
import Linux

/// The conditions of `find`.
///
/// All of them must hold.
package struct FindQuery: Sendable {
    /// A shell pattern for the last part of a path, or for the whole path.
    package struct Pattern: Sendable {
        let glob: Glob?
        let isWholePath: Bool

        package init(_ text: String, isWholePath: Bool = false, ignoresCase: Bool = false) {
            // In this pattern syntax no text is malformed.
            glob = try? Glob(text, .name, ignoresCase: ignoresCase)
            self.isWholePath = isWholePath
        }
    }

    /// A size such as `+2M`, `-10k` or `0`: more, less, or exactly, with the file's size rounded up to the unit.
    package struct Size: Sendable, Hashable {
        var sign: Int
        var count: Int64
        var unit: Int64

        /// Throws `usage` for a text that `find -size` does not accept.
        package init(parsing text: String) throws(ShaleError) {
            var digits = text[...]
            sign = digits.first == "+" ? 1 : digits.first == "-" ? -1 : 0
            if sign != 0 { digits.removeFirst() }
            let units: [Character: Int64] = ["c": 1, "w": 2, "b": 512, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30]
            var unit: Int64 = 512
            if let last = digits.last, let known = units[last] {
                unit = known
                digits.removeLast()
            }
            guard let count = Int64(digits), count >= 0, digits.first != "+" else {
                throw ShaleError(
                    .usage, "invalid argument '\(text.visible)' to -size", hint: "-size +1M is more than one mebibyte")
            }
            self.count = count
            self.unit = unit
        }

        func matches(_ bytes: Int64) -> Bool {
            let units = bytes / unit + (bytes % unit > 0 ? 1 : 0)
            return sign == 0 ? units == count : sign > 0 ? units > count : units < count
        }
    }

    package var patterns: [Pattern] = []
    /// Letters of find's `-type`: `f d l p s c b`, and `D` for whiteouts.
    package var types: Set<Character> = []
    package var sizes: [Size] = []
    /// Only entries that were modified after this time.
    package var newer: Timestamp?
    package var maximumDepth: Int?

    package init() {}

    /// Reads types such as `f,d`; throws `usage` for an unknown letter.
    package static func types(parsing text: String) throws(ShaleError) -> Set<Character> {
        let letters = text.split(separator: ",", omittingEmptySubsequences: false)
        for letter in letters where letter.count != 1 || !"fdlpscbD".contains(letter) {
            throw ShaleError(
                .usage, "unknown argument to -type: \(text.visible)",
                hint: "f d l p s c b, or D for what a layer deletes")
        }
        return Set(letters.compactMap(\.first))
    }

    /// All matching entries below a path, parents first.
    ///
    /// Throws `notFound` when the path is not there, `cancelled` when it is stopped, and what reading the layers
    /// throws.
    package func run(
        _ view: PlaceView, from path: String, _ cancellation: Cancellation
    ) throws(ShaleError) -> [ViewEntry] {
        var found: [ViewEntry] = []
        let top = try view.require(path)
        let depth = top.path == "/" ? 0 : top.path.utf8.count { $0 == 0x2F }
        try view.walk(top, cancellation) { entry throws(ShaleError) in
            if matches(entry) { found.append(entry) }
            guard let maximumDepth else { return true }
            let here = entry.path == "/" ? 0 : entry.path.utf8.count { $0 == 0x2F }
            return here - depth < maximumDepth
        }
        return found
    }

    func matches(_ entry: ViewEntry) -> Bool {
        // A whiteout is shown only when it is asked for.
        if entry.kind == .whiteout, !types.contains("D") { return false }
        if !types.isEmpty, !types.contains(entry.kind.letter) { return false }
        if let newer, entry.modified <= newer { return false }
        if !sizes.allSatisfy({ $0.matches(entry.size) }) { return false }
        return patterns.allSatisfy { $0.matches(entry) }
    }
}

extension FindQuery.Pattern {
    func matches(_ entry: ViewEntry) -> Bool {
        let subject = isWholePath ? entry.path : entry.name
        return glob?.matches(subject) ?? false
    }
}

extension ViewEntry.Kind {
    /// The letter of find's `-type`.
    package var letter: Character {
        switch self {
        case .file: "f"
        case .directory: "d"
        case .symlink: "l"
        case .fifo: "p"
        case .socket: "s"
        case .characterDevice: "c"
        case .blockDevice: "b"
        case .whiteout: "D"
        }
    }
}
