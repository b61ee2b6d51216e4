/// Comma-separated fields, which may stand in double quotes (RFC 4180).
enum CommaSeparated {
    static func fields(_ text: String, of what: String) throws(Complaint) -> [String] {
        let scalars = Array(text.unicodeScalars)
        func malformed(_ column: Int, _ reason: String) -> Complaint {
            Complaint("failed to parse csv \(what): parse error on line 1, column \(column + 1): \(reason)")
        }
        var fields: [String] = []
        var position = 0
        while position <= scalars.count {
            var field: Scalars = []
            if position < scalars.count, scalars[position] == "\"" {
                position += 1
                while true {
                    guard position < scalars.count else {
                        throw malformed(position, "extraneous or missing \" in quoted-field")
                    }
                    let scalar = scalars[position]
                    position += 1
                    if scalar != "\"" {
                        field.append(scalar)
                    } else if position < scalars.count, scalars[position] == "\"" {
                        field.append("\"")
                        position += 1
                    } else {
                        break
                    }
                }
                guard position == scalars.count || scalars[position] == "," else {
                    throw malformed(position, "extraneous or missing \" in quoted-field")
                }
            } else {
                while position < scalars.count, scalars[position] != "," {
                    if scalars[position] == "\"" { throw malformed(position, "bare \" in non-quoted-field") }
                    field.append(scalars[position])
                    position += 1
                }
            }
            fields.append(String(field))
            position += 1
        }
        return fields
    }

    /// A field as it must be written to be read again.
    static func quoted(_ field: String) -> String {
        guard field.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" }) else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// A size as `64m`, `1.5GiB`, `100`: in bytes, by powers of 1024.
    static func bytes(_ text: String) -> Int64? {
        let lower = text.lowercased()
        let number = lower.prefix { ("0"..."9").contains($0) || $0 == "." }
        guard !number.isEmpty, let value = Double(number) else { return nil }
        var unit = lower.dropFirst(number.count).drop { $0 == " " }
        if unit.hasSuffix("ib") { unit = unit.dropLast(2) } else if unit.hasSuffix("b") { unit = unit.dropLast() }
        guard let power = ["", "k", "m", "g", "t", "p"].firstIndex(of: String(unit)) else { return nil }
        var bytes = value
        for _ in 0..<power { bytes *= 1_024 }
        return Int64(exactly: bytes.rounded(.towardZero))
    }
}
