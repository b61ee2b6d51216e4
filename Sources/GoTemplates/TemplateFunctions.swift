import Basics

/// The functions of docker's templates: Go's own and docker's.
enum TemplateFunctions {
    struct Failure: Error {
        var message: String
        /// Whether Go puts `error calling NAME: ` in front; a wrong number of arguments has no such prefix.
        var isOfCall = true
    }

    static let names: Set<String> = [
        "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery",
        "eq", "ne", "lt", "le", "gt", "ge",
        "json", "join", "split", "lower", "upper", "title", "pad", "truncate",
    ]

    private static let arities: [String: ClosedRange<Int>] = [
        "not": 1...1, "len": 1...1, "and": 1...Int.max, "or": 1...Int.max, "index": 1...Int.max, "slice": 1...4,
        "eq": 1...Int.max, "ne": 2...2, "lt": 2...2, "le": 2...2, "gt": 2...2, "ge": 2...2, "printf": 1...Int.max,
        "json": 1...1, "join": 2...2, "split": 2...2, "lower": 1...1, "upper": 1...1, "title": 1...1, "pad": 3...3,
        "truncate": 2...2,
    ]

    /// Docker's functions that a table's header passes through unchanged.
    private static let headerless: Set<String> = ["json", "join", "split", "lower", "upper", "title", "truncate"]

    static func call(_ name: String, _ arguments: [TemplateValue], isHeader: Bool) throws(Failure) -> TemplateValue {
        if let arity = arities[name], !arity.contains(arguments.count) {
            let wanted = arity.upperBound == arity.lowerBound ? "\(arity.lowerBound)" : "at least \(arity.lowerBound)"
            throw Failure(
                message: "wrong number of args for \(name): want \(wanted) got \(arguments.count)", isOfCall: false)
        }
        if isHeader, headerless.contains(name), let first = arguments.first(where: { $0.document != nil }) {
            return first
        }
        switch name {
        case "and", "or": return arguments.last ?? TemplateValue(nil)
        case "not": return TemplateValue(.bool(!(arguments.first?.isTrue ?? false)))
        case "len": return TemplateValue(.integer(try length(arguments[0])))
        case "index": return try index(arguments)
        case "slice": return try slice(arguments)
        case "eq", "ne", "lt", "le", "gt", "ge": return TemplateValue(.bool(try compare(name, arguments)))
        case "print": return TemplateValue(.string(GoText.joined(arguments)))
        case "println":
            return TemplateValue(.string(arguments.map { GoText.operand($0) }.joined(separator: " ") + "\n"))
        case "printf": return TemplateValue(.string(GoText.formatted(arguments)))
        case "html": return TemplateValue(.string(GoText.joined(arguments).escapingHTML))
        case "js":
            return TemplateValue(
                .string(String(JSONDocument.string(GoText.joined(arguments)).text().dropFirst().dropLast())))
        case "urlquery": return TemplateValue(.string(GoText.joined(arguments).percentEncoded))
        default: return try docker(name, arguments)
        }
    }

    // MARK: Docker's

    private static func docker(_ name: String, _ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        switch name {
        case "json": return TemplateValue(.string((arguments[0].document ?? .null).text()))
        case "join":
            guard case .array(let values)? = arguments[0].document ?? .array([]) else {
                if case .null? = arguments[0].document { return TemplateValue(.string("")) }
                throw wrongType("[]string", arguments[0])
            }
            let separator = try text(arguments[1])
            let pieces = values.map { GoText.operand(TemplateValue($0)) }
            return TemplateValue(.string(pieces.joined(separator: separator)))
        case "split": return TemplateValue(.array(split(try text(arguments[0]), try text(arguments[1]))))
        case "lower": return TemplateValue(.string(try text(arguments[0]).lowercased()))
        case "upper": return TemplateValue(.string(try text(arguments[0]).uppercased()))
        case "title": return TemplateValue(.string(title(try text(arguments[0]))))
        case "pad":
            let source = try text(arguments[0])
            if source.isEmpty { return TemplateValue(.string("")) }
            let before = String(repeating: " ", count: clamped(try integer(arguments[1])))
            let after = String(repeating: " ", count: clamped(try integer(arguments[2])))
            return TemplateValue(.string(before + source + after))
        default:
            let source = try text(arguments[0])
            let length = clamped(try integer(arguments[1]))
            return TemplateValue(.string(String(String.UnicodeScalarView(source.unicodeScalars.prefix(length)))))
        }
    }

    private static func split(_ text: String, _ separator: String) -> [JSONDocument] {
        if separator.isEmpty { return text.unicodeScalars.map { .string(String($0)) } }
        var pieces: [JSONDocument] = []
        let bytes = Array(text.utf8)
        let mark = Array(separator.utf8)
        var start = 0
        var position = 0
        while position + mark.count <= bytes.count {
            if bytes[position..<position + mark.count].elementsEqual(mark) {
                pieces.append(.string(String(decoding: bytes[start..<position], as: UTF8.self)))
                position += mark.count
                start = position
            } else {
                position += 1
            }
        }
        pieces.append(.string(String(decoding: bytes[start...], as: UTF8.self)))
        return pieces
    }

    private static func title(_ text: String) -> String {
        var out = ""
        var isStart = true
        for character in text {
            out += isStart ? character.uppercased() : String(character)
            isStart = !(character.isLetter || character.isNumber || character == "_" || character == "'")
        }
        return out
    }

    // MARK: Go's

    private static func length(_ value: TemplateValue) throws(Failure) -> Int64 {
        switch value.document {
        case .string(let text): return Int64(text.utf8.count)
        case .array(let values): return Int64(values.count)
        case .object(let members): return Int64(members.count)
        case .null where value.key != nil: return 0
        case nil, .null: throw Failure(message: "len of nil pointer")
        default: throw Failure(message: "len of type \(GoText.typeName(value.document))")
        }
    }

    private static func index(_ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        var value = arguments[0]
        if value.document == nil { throw Failure(message: "index of untyped nil") }
        for key in arguments.dropFirst() {
            switch value.document {
            case .array(let values):
                let position = try integer(key)
                guard position >= 0, position < Int64(values.count) else {
                    throw Failure(message: "index out of range: \(position)")
                }
                value = TemplateValue(values[Int(position)])
            case .string(let text):
                let position = try integer(key)
                let bytes = Array(text.utf8)
                guard position >= 0, position < Int64(bytes.count) else {
                    throw Failure(message: "index out of range: \(position)")
                }
                value = TemplateValue(.integer(Int64(bytes[Int(position)])))
            case .object:
                guard case .string(let name)? = key.document else {
                    throw Failure(message: "value has type \(GoText.typeName(key.document)); should be string")
                }
                // The element's zero value, which for docker's maps of texts prints as nothing.
                let isTexts = value.key == "Labels" || value.key == "Options"
                value = TemplateValue(value.document?[name] ?? (isTexts ? .string("") : nil), key: name)
            case .null where GoText.isMap(value.key): value = TemplateValue(nil)
            case nil, .null: throw Failure(message: "index of nil pointer")
            default: throw Failure(message: "can't index item of type \(GoText.typeName(value.document))")
            }
        }
        return value
    }

    private static func slice(_ arguments: [TemplateValue]) throws(Failure) -> TemplateValue {
        func bounds(_ count: Int) throws(Failure) -> Range<Int> {
            let start = arguments.count > 1 ? try integer(arguments[1]) : 0
            let end = arguments.count > 2 ? try integer(arguments[2]) : Int64(count)
            for bound in [start, end] where bound < 0 || bound > Int64(count) {
                throw Failure(message: "index out of range: \(bound)")
            }
            if start > end { throw Failure(message: "invalid slice index: \(start) > \(end)") }
            return Int(start)..<Int(end)
        }
        switch arguments[0].document {
        case .string(let text):
            let bytes = Array(text.utf8)
            return TemplateValue(.string(String(decoding: bytes[try bounds(bytes.count)], as: UTF8.self)))
        case .array(let values): return TemplateValue(.array(Array(values[try bounds(values.count)])))
        case nil: throw Failure(message: "slice of untyped nil")
        default: throw Failure(message: "can't slice item of type \(GoText.typeName(arguments[0].document))")
        }
    }

    private static func compare(_ name: String, _ arguments: [TemplateValue]) throws(Failure) -> Bool {
        switch name {
        case "eq":
            guard arguments.count > 1 else { throw Failure(message: "missing argument for comparison") }
            for other in arguments.dropFirst() where try isEqual(arguments[0], other) { return true }
            return false
        case "ne": return try !isEqual(arguments[0], arguments[1])
        case "lt": return try isLess(arguments[0], arguments[1])
        case "ge": return try !isLess(arguments[0], arguments[1])
        case "gt": return try isLess(arguments[1], arguments[0])
        default: return try !isLess(arguments[1], arguments[0])
        }
    }

    private static func isEqual(_ left: TemplateValue, _ right: TemplateValue) throws(Failure) -> Bool {
        switch (left.document ?? .null, right.document ?? .null) {
        case (.null, let other), (let other, .null): return other == .null
        case (.string(let left), .string(let right)): return left == right
        case (.bool(let left), .bool(let right)): return left == right
        case (.integer(let left), .integer(let right)): return left == right
        case (.number(let left), .number(let right)): return left == right
        case (.array, _), (_, .array), (.object, _), (_, .object): throw Failure(message: "non-comparable type")
        default: throw Failure(message: "incompatible types for comparison")
        }
    }

    private static func isLess(_ left: TemplateValue, _ right: TemplateValue) throws(Failure) -> Bool {
        switch (left.document ?? .null, right.document ?? .null) {
        case (.string(let left), .string(let right)): return Array(left.utf8).lexicographicallyPrecedes(right.utf8)
        case (.integer(let left), .integer(let right)): return left < right
        case (.number(let left), .number(let right)): return left < right
        case (.bool, _), (.null, _), (.array, _), (.object, _):
            throw Failure(message: "invalid type for comparison")
        default: throw Failure(message: "incompatible types for comparison")
        }
    }

    // MARK: Arguments

    private static func text(_ value: TemplateValue) throws(Failure) -> String {
        switch value.document {
        case .string(let text): return text
        case nil: return ""
        default: throw wrongType("string", value)
        }
    }

    private static func integer(_ value: TemplateValue) throws(Failure) -> Int64 {
        switch value.document {
        case .integer(let number): return number
        case .number(let number):
            if let exact = Int64(exactly: number) { return exact }
            throw wrongType("int", value)
        default: throw Failure(message: "cannot index slice/array with type \(GoText.typeName(value.document))")
        }
    }

    private static func clamped(_ count: Int64) -> Int { Int(min(max(0, count), 100_000)) }

    private static func wrongType(_ wanted: String, _ value: TemplateValue) -> Failure {
        Failure(
            message: "wrong type for value; expected \(wanted); got \(GoText.typeName(value.document))", isOfCall: false
        )
    }
}

extension String {
    fileprivate var escapingHTML: String {
        reduce(into: "") { out, character in
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&#34;"
            case "'": out += "&#39;"
            default: out.append(character)
            }
        }
    }

    fileprivate var percentEncoded: String {
        utf8.reduce(into: "") { out, byte in
            let scalar = Unicode.Scalar(byte)
            // RFC 3986 section 2.3, "Unreserved Characters".
            if byte.isASCIIAlphanumeric || "-._~".utf8.contains(byte) {
                out.unicodeScalars.append(scalar)
            } else if byte == 32 {
                out += "+"
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                out += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
    }
}
