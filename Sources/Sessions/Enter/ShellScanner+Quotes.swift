// Finds the ends of quotes and substitutions, which may be nested.
extension ShellScanner {
    /// The end of the character, quote or substitution that begins at `start`; `nil` when it is not complete.
    func partEnd(from start: Int, inDouble: Bool) -> Int? {
        let next = start + 1 < bytes.count ? bytes[start + 1] : 0
        switch bytes[start] {
        case UInt8(ascii: "'") where !inDouble:
            return bytes[(start + 1)...].firstIndex(of: UInt8(ascii: "'")).map { $0 + 1 }
        case UInt8(ascii: "\"") where !inDouble: return doubleEnd(from: start + 1, closing: UInt8(ascii: "\""))
        case UInt8(ascii: "`"): return escapedEnd(from: start + 1, closing: UInt8(ascii: "`"))
        case UInt8(ascii: "$"):
            switch next {
            case UInt8(ascii: "("):
                if start + 2 < bytes.count, bytes[start + 2] == UInt8(ascii: "("),
                    let end = arithmeticEnd(from: start + 3)
                {
                    return end
                }
                var inner = ShellScanner(substitutionIn: bytes, from: start + 2)
                return inner.scan() && inner.closed ? inner.index : nil
            case UInt8(ascii: "{"): return doubleEnd(from: start + 2, closing: UInt8(ascii: "}"))
            case UInt8(ascii: "'") where !inDouble: return escapedEnd(from: start + 2, closing: UInt8(ascii: "'"))
            default: return start + 1
            }
        default: return start + 1
        }
    }

    private func escapedEnd(from start: Int, closing: UInt8) -> Int? {
        var place = start
        while place < bytes.count {
            if bytes[place] == closing { return place + 1 }
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    private func doubleEnd(from start: Int, closing: UInt8) -> Int? {
        var place = start
        let isQuote = closing == UInt8(ascii: "\"")
        while place < bytes.count {
            if bytes[place] == closing { return place + 1 }
            if bytes[place] == UInt8(ascii: "\\") {
                place += 2
            } else {
                guard let end = partEnd(from: place, inDouble: isQuote) else { return nil }
                place = end
            }
        }
        return nil
    }

    /// The index after the `))` that ends an arithmetic expression; `nil` when it is none or not complete.
    func arithmeticEnd(from start: Int) -> Int? {
        var depth = 0
        var place = start
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"):
                if depth == 0 {
                    return place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: ")") ? place + 2 : nil
                }
                depth -= 1
            default: break
            }
            place += 1
        }
        return nil
    }
}
