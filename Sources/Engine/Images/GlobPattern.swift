package import Basics

/// A shell pattern over one name, as Go's `path.Match` has it: `*` and `?` stop at `/`, `[a-z]`, `[^a]`, `\x`.
package struct GlobPattern: Sendable {
    private enum Piece: Equatable {
        case literal(Unicode.Scalar)
        case any
        case run
        case set([ClosedRange<UInt32>], isNegated: Bool)
    }

    private let pieces: [Piece]

    /// Throws docker's `syntax error in pattern`.
    package init(_ text: String) throws(ShaleError) {
        var pieces: [Piece] = []
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*": if pieces.last != .run { pieces.append(.run) }
            case "?": pieces.append(.any)
            case "[": pieces.append(try Self.set(&rest))
            case "\\": pieces.append(.literal(try Self.escaped(&rest)))
            default: pieces.append(.literal(scalar))
            }
        }
        self.pieces = pieces
    }

    package func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        // One star can be taken back at a time, so the time is at most pattern × name.
        var position = 0
        var piece = 0
        var retry: (piece: Int, position: Int)?
        while position < scalars.count {
            if piece < pieces.count, pieces[piece] == .run {
                retry = (piece, position)
                piece += 1
            } else if piece < pieces.count, accepts(pieces[piece], scalars[position]) {
                piece += 1
                position += 1
            } else if let last = retry, scalars[last.position] != "/" {
                retry = (last.piece, last.position + 1)
                piece = last.piece + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return pieces[piece...].allSatisfy { $0 == .run }
    }

    private func accepts(_ piece: Piece, _ scalar: Unicode.Scalar) -> Bool {
        switch piece {
        case .literal(let wanted): wanted == scalar
        case .any: scalar != "/"
        case .run: false
        case .set(let ranges, let isNegated):
            ranges.contains { $0.contains(scalar.value) } != isNegated && scalar != "/"
        }
    }

    private static var malformed: ShaleError { ShaleError(.invalid, "syntax error in pattern") }

    private static func escaped(_ rest: inout ArraySlice<Unicode.Scalar>) throws(ShaleError) -> Unicode.Scalar {
        guard let scalar = rest.popFirst() else { throw malformed }
        return scalar
    }

    private static func set(_ rest: inout ArraySlice<Unicode.Scalar>) throws(ShaleError) -> Piece {
        var isNegated = false
        if rest.first == "^" {
            rest.removeFirst()
            isNegated = true
        }
        var ranges: [ClosedRange<UInt32>] = []
        while true {
            guard let next = rest.popFirst() else { throw malformed }
            if next == "]", !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
            guard next != "-", next != "]" else { throw malformed }
            let low = next == "\\" ? try escaped(&rest) : next
            var high = low
            if rest.first == "-" {
                rest.removeFirst()
                guard let end = rest.popFirst(), end != "-", end != "]" else { throw malformed }
                high = end == "\\" ? try escaped(&rest) : end
            }
            guard low.value <= high.value else { continue }
            ranges.append(low.value...high.value)
        }
    }
}
