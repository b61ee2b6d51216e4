import Basics

/// Go's `%q` and `%v`, in which docker writes instructions into an image's history.
package enum GoFormat {
    /// `["a" "b"]`.
    package static func quoted(_ words: [String]) -> String { "[" + words.map(quoted).joined(separator: " ") + "]" }

    /// `[a b]`.
    package static func plain(_ words: [String]) -> String { "[" + words.joined(separator: " ") + "]" }

    /// A word in double quotes, as `strconv.Quote` writes it.
    package static func quoted(_ word: String) -> String { goQuoted(word) }

    /// An integer as a quoted character: `'\x03'`.
    package static func quotedCharacter(_ value: Int) -> String {
        switch value {
        case 7: "'\\a'"
        case 8: "'\\b'"
        case 9: "'\\t'"
        case 10: "'\\n'"
        case 11: "'\\v'"
        case 12: "'\\f'"
        case 13: "'\\r'"
        case 0..<32: "'\\x" + hexadecimal(UInt32(value), width: 2) + "'"
        default: Unicode.Scalar(UInt32(clamping: value)).map { "'\(Character($0))'" } ?? "'\u{FFFD}'"
        }
    }
}
