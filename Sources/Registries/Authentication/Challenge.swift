/// One demand of a `WWW-Authenticate` field (RFC 9110, section 11.6.1).
package struct Challenge: Sendable, Equatable {
    /// Lower case: `bearer`, `basic`.
    package let scheme: String
    /// Names in lower case.
    package let parameters: [String: String]

    package init(scheme: String, parameters: [String: String]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// The challenges of one field, in order; what cannot be read is skipped.
    package static func parse(_ field: String) -> [Challenge] {
        var scanner = ChallengeScanner(bytes: Array(field.utf8.prefix(16 << 10)))
        return scanner.challenges()
    }
}

private struct ChallengeScanner {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func challenges() -> [Challenge] {
        var found: [Challenge] = []
        while next != nil {
            skip { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            let scheme = token()
            guard !scheme.isEmpty else {
                // This is not the start of a challenge: continue after the next comma.
                skip { $0 != UInt8(ascii: ",") }
                continue
            }
            skipSpaces()
            found.append(Challenge(scheme: scheme.lowercased(), parameters: parameters()))
        }
        return found
    }

    /// `name=value` pairs up to the next scheme, which is a token without an equals sign behind it.
    private mutating func parameters() -> [String: String] {
        var parameters: [String: String] = [:]
        while true {
            skip { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            let start = position
            let name = token()
            skipSpaces()
            guard !name.isEmpty, next == UInt8(ascii: "=") else {
                position = start
                return parameters
            }
            position += 1
            skipSpaces()
            let value = next == UInt8(ascii: "\"") ? quoted() : bare()
            parameters[name.lowercased()] = parameters[name.lowercased()] ?? value
        }
    }

    private mutating func skip(while matches: (UInt8) -> Bool) {
        while let byte = next, matches(byte) { position += 1 }
    }

    private mutating func skipSpaces() { skip { $0 == 0x20 || $0 == 0x09 } }

    private mutating func token() -> String {
        let start = position
        let marks = Array("!#$%&'*+-.^_`|~".utf8)
        skip { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || marks.contains(byte)
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// A value without quotes.
    ///
    /// More characters are accepted than RFC 9110 allows in a token, because servers write URLs without quotes.
    private mutating func bare() -> String {
        let start = position
        skip { $0 > 0x20 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") && $0 != 0x7f }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func quoted() -> String {
        position += 1
        var value: [UInt8] = []
        while let byte = next {
            position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\"), let escaped = next {
                position += 1
                value.append(escaped)
            } else {
                value.append(byte)
            }
        }
        return String(decoding: value, as: UTF8.self)
    }
}
