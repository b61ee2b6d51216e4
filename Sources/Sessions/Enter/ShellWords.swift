/// Words as a POSIX shell writes and reads them.
package enum ShellWords {
    /// The text of a quoted word, including bash's `$'…'`.
    ///
    /// Substitutions are not carried out.
    package static func unquoted(_ word: some StringProtocol) -> String {
        let bytes = Array(word.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "'"):
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "'") { take(&index, bytes, &out) }
                index += 1
            case UInt8(ascii: "\""):
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count,
                        "$`\"\\\n".utf8.contains(bytes[index + 1])
                    {
                        index += 1
                        if bytes[index] == UInt8(ascii: "\n") {
                            index += 1
                            continue
                        }
                    }
                    take(&index, bytes, &out)
                }
                index += 1
            case UInt8(ascii: "$") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "'"):
                index += 2
                while index < bytes.count, bytes[index] != UInt8(ascii: "'") {
                    if bytes[index] == UInt8(ascii: "\\") {
                        escape(&index, bytes, &out)
                    } else {
                        take(&index, bytes, &out)
                    }
                }
                index += 1
            case UInt8(ascii: "\\") where index + 1 < bytes.count:
                index += 1
                take(&index, bytes, &out)
            default: take(&index, bytes, &out)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func take(_ index: inout Int, _ bytes: [UInt8], _ out: inout [UInt8]) {
        out.append(bytes[index])
        index += 1
    }

    /// Reads one escape of `$'…'`.
    private static func escape(_ index: inout Int, _ bytes: [UInt8], _ out: inout [UInt8]) {
        index += 1
        guard index < bytes.count else { return }
        let letter = bytes[index]
        let simple: [UInt8: UInt8] = [
            UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "a"): 7,
            UInt8(ascii: "b"): 8, UInt8(ascii: "v"): 11, UInt8(ascii: "f"): 12, UInt8(ascii: "e"): 27,
            UInt8(ascii: "E"): 27,
        ]
        if let value = simple[letter] {
            out.append(value)
            index += 1
        } else if (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(letter) {
            let digits = bytes[index...].prefix(3).prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
            out.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 48) }))
            index += digits.count
        } else if letter == UInt8(ascii: "x") {
            let digits = bytes[(index + 1)...].prefix(2).prefix { Character(Unicode.Scalar($0)).isHexDigit }
            out.append(UInt8(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0)
            index += 1 + digits.count
        } else {
            take(&index, bytes, &out)
        }
    }

    /// Splits the output of `set`, `export -p` or `declare -p` into entries: lines, except at newlines inside quotes.
    package static func entries(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        var entries: [String] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\n"):
                if index > start { entries.append(String(decoding: bytes[start..<index], as: UTF8.self)) }
                index += 1
                start = index
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "'"):
                let isANSI = index > 0 && bytes[index - 1] == UInt8(ascii: "$")
                index = end(of: UInt8(ascii: "'"), in: bytes, from: index + 1, escapes: isANSI)
            case UInt8(ascii: "\""): index = end(of: UInt8(ascii: "\""), in: bytes, from: index + 1, escapes: true)
            default: index += 1
            }
        }
        if start < bytes.count { entries.append(String(decoding: bytes[start...], as: UTF8.self)) }
        return entries
    }

    private static func end(of quote: UInt8, in bytes: [UInt8], from start: Int, escapes: Bool) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != quote {
            index += escapes && bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, bytes.count)
    }

    package static func isName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy(isNameByte)
    }

    package static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }
}
