package import Basics
import Glibc
import Linux

/// A pattern for lines: a basic or extended POSIX regular expression, or plain text.
package final class LinePattern {
    package enum Syntax: Sendable {
        case basic, extended, fixed
    }

    private var expression = regex_t()
    private let isNegated: Bool

    /// Throws `usage`, with the C library's message, for a malformed pattern.
    package init(
        _ text: String, _ syntax: Syntax = .basic, ignoringCase: Bool = false, wholeWords: Bool = false,
        isNegated: Bool = false
    ) throws(ShaleError) {
        self.isNegated = isNegated
        var pattern = syntax == .fixed ? Self.literal(text) : text
        if wholeWords { pattern = syntax == .extended ? "\\<(\(pattern))\\>" : "\\<\\(\(pattern)\\)\\>" }
        var flags = REG_NOSUB
        if syntax == .extended { flags |= REG_EXTENDED }
        if ignoringCase { flags |= REG_ICASE }
        let code = pattern.withPath { regcomp(&expression, $0, flags) }
        guard code == 0 else {
            var words = [CChar](repeating: 0, count: 256)
            regerror(code, &expression, &words, words.count)
            let reason = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw ShaleError(.usage, "grep: \(text.visible): \(reason.prefix(1).lowercased() + reason.dropFirst())")
        }
    }

    deinit { regfree(&expression) }

    private static func literal(_ text: String) -> String {
        text.reduce(into: "") { pattern, character in
            if "\\.[]*^$".contains(character) { pattern += "\\" }
            pattern.append(character)
        }
    }

    /// Whether a line, which must end with a NUL, matches.
    func matches(_ line: UnsafePointer<CChar>) -> Bool { (regexec(&expression, line, 0, nil, 0) == 0) != isNegated }
}

/// The matches in a file.
package struct FileMatches: Sendable, Hashable {
    package struct Line: Sendable, Hashable {
        /// The line number, from 1.
        package var number: Int
        package var bytes: [UInt8]
    }

    package var path: String
    package var lines: [Line] = []
    /// Whether the file is binary.
    ///
    /// Then its lines are not listed.
    package var isBinary = false
    package var count = 0
}

/// Searches files for lines.
package struct LineSearch {
    /// The number of bytes of a file that are searched at most.
    private static let limit = 1 << 30
    private let pattern: LinePattern

    package init(_ pattern: LinePattern) { self.pattern = pattern }

    /// The matching lines of a file; `nil` when there are none.
    ///
    /// Throws `cancelled` when it is stopped, `invalid` for what is no regular file, and the file system's error when
    /// the file cannot be read.
    package func matches(
        _ entry: ViewEntry, in view: PlaceView, _ cancellation: Cancellation
    ) throws(ShaleError) -> FileMatches? {
        // A file of a layer never changes its size; a file of a running container may still grow.
        let end = entry.layer == nil ? Int.max : Int(clamping: entry.size)
        if end == 0 { return nil }
        let file = try view.open(entry)
        var found = FileMatches(path: entry.path)
        var rest: [CChar] = []
        var number = 0
        var total = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(256 << 10, max(end, 1 << 10)), alignment: 64)
        defer { buffer.deallocate() }
        func look(_ line: ArraySlice<CChar>) {
            number += 1
            var text = Array(line)
            text.append(0)
            guard text.withUnsafeBufferPointer({ $0.baseAddress.map { pattern.matches($0) } ?? false }) else { return }
            found.count += 1
            if !found.isBinary {
                found.lines.append(.init(number: number, bytes: line.map { UInt8(bitPattern: $0) }))
            }
        }
        while total < min(end, Self.limit) {
            try cancellation.check()
            let count = try translating("\(view.label):\(entry.path)") { try file.read(into: buffer) }
            if count == 0 { break }
            total += count
            let bytes = buffer[..<count].map { CChar(bitPattern: $0) }
            if !found.isBinary, bytes.contains(0) {
                found.isBinary = true
                found.lines = []
            }
            rest += bytes
            var start = 0
            while let end = rest[start...].firstIndex(of: 0x0A) {
                look(rest[start..<end])
                start = end + 1
            }
            rest.removeSubrange(..<start)
            // A very long line is cut here; the rest counts as another line.
            if rest.count > 16 << 20 {
                look(rest[...])
                rest = []
            }
        }
        if !rest.isEmpty { look(rest[...]) }
        return found.count > 0 ? found : nil
    }
}
