/// Any JSON, its members in order: what `inspect` prints and templates walk.
package enum JSONDocument: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONDocument])
    case object([Member])

    /// One member of an object.
    package struct Member: Sendable, Equatable {
        package var key: String
        package var value: JSONDocument

        package init(_ key: String, _ value: JSONDocument) {
            self.key = key
            self.value = value
        }
    }

    /// An object with its members in the order given.
    package static func members(_ pairs: KeyValuePairs<String, JSONDocument>) -> JSONDocument {
        .object(pairs.map { Member($0.key, $0.value) })
    }

    /// The member of that name, `nil` for anything but an object that has it.
    package subscript(key: String) -> JSONDocument? {
        if case .object(let members) = self { members.first { $0.key == key }?.value } else { nil }
    }

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var array: [JSONDocument]? { if case .array(let value) = self { value } else { nil } }

    /// The document as text: one line, or with `indent` spaces a level as Go's `MarshalIndent` writes it.
    package func text(indent: Int? = nil) -> String {
        var out = ""
        write(to: &out, indent: indent, depth: 0)
        return out
    }

    private func write(to out: inout String, indent: Int?, depth: Int) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        case .number(let value):
            if let integer = Int64(exactly: value) { out += String(integer) } else { out += "\(value)" }
        case .string(let value): Self.quote(value, to: &out)
        case .array(let values):
            Self.writeList("[", values, "]", to: &out, indent: indent, depth: depth) { value, out in
                value.write(to: &out, indent: indent, depth: depth + 1)
            }
        case .object(let members):
            Self.writeList("{", members, "}", to: &out, indent: indent, depth: depth) { member, out in
                Self.quote(member.key, to: &out)
                out += indent == nil ? ":" : ": "
                member.value.write(to: &out, indent: indent, depth: depth + 1)
            }
        }
    }

    private static func writeList<Element>(
        _ open: String, _ elements: [Element], _ close: String, to out: inout String, indent: Int?, depth: Int,
        _ body: (Element, inout String) -> Void
    ) {
        out += open
        for (position, element) in elements.enumerated() {
            if position > 0 { out += "," }
            if let indent { out += "\n" + String(repeating: " ", count: indent * (depth + 1)) }
            body(element, &out)
        }
        if let indent, !elements.isEmpty { out += "\n" + String(repeating: " ", count: indent * depth) }
        out += close
    }

    private static func quote(_ text: String, to out: inout String) {
        out += "\""
        defer { out += "\"" }
        // Most strings need no escape: then they are copied whole. 0xE2 begins U+2028 and U+2029.
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C && $0 != 0xE2 && $0 != OddByte.lead }) {
            out += text
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x2028 || scalar.value == 0x2029:
                out += "\\u" + hexadecimal(scalar.value, width: 4)
            default:
                // A byte of a name that is not UTF-8: half a surrogate pair, which Python's `surrogateescape` takes for
                // that byte and others for U+FFFD.
                if let byte = OddByte.byte(of: scalar) {
                    out += "\\udc" + String(byte, radix: 16)
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
    }
}

/// Text as a JSON string (RFC 8259, section 7): what a reader must have escaped is, and U+2028 and U+2029, as Go has
/// it.
package func jsonQuoted(_ text: String) -> String { JSONDocument.string(text).text() }

extension JSONDocument: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(arrayLiteral elements: JSONDocument...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }
}
