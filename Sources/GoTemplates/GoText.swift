package import Basics
import Glibc

/// How Go prints values: `%v` and its relatives, and how docker's types print when they are empty.
package enum GoText {
    /// Members that are maps in docker's types: an absent entry is no error, and a null one prints as `map[]`.
    private static let maps: Set<String> = [
        "Annotations", "Config", "Data", "ExposedPorts", "Labels", "LogConfig", "Networks", "Options", "Opts",
        "PortBindings", "Ports", "Storage", "StorageOpt", "Sysctls", "Tmpfs", "Volumes", "DriverOpts",
    ]

    /// The members among these that are structs in some place, where an unknown field is an error.
    private static let structs: Set<String> = ["Config", "LogConfig"]

    /// Members that are lists in docker's types: null prints as `[]`.
    private static let lists: Set<String> = [
        "Args", "Binds", "BlkioDeviceReadBps", "CapAdd", "CapDrop", "Cmd", "DeviceCgroupRules", "DeviceRequests",
        "Devices", "Dns", "DnsOptions", "DnsSearch", "Entrypoint", "Env", "ExecIDs", "ExtraHosts", "GroupAdd", "Links",
        "MaskedPaths", "Mounts", "OnBuild", "ReadonlyPaths", "RepoDigests", "RepoTags", "SecurityOpt", "Shell",
        "Ulimits", "VolumesFrom", "Aliases",
    ]

    static func isMap(_ key: String?) -> Bool { key.map { maps.contains($0) && !structs.contains($0) } ?? false }

    /// Members that docker's documents leave out when they are empty, with the value that a template reads for them.
    private static let leftOut: [String: [String: JSONDocument]] = [
        "State": ["Health": .null],
        "Config": [
            "ExposedPorts": .null, "Healthcheck": .null, "MacAddress": "", "Shell": .null, "StopSignal": "",
            "StopTimeout": .null,
        ],
    ]

    /// The empty value of a member that the document leaves out; `nil` when docker has no such member.
    static func leftOut(_ name: String, of key: String?) -> JSONDocument? { key.flatMap { leftOut[$0]?[name] } }

    /// A value as an action prints it.
    static func printed(_ value: TemplateValue) -> String {
        switch value.document {
        case nil: "<no value>"
        case .null: isMap(value.key) ? "map[]" : value.key.map(lists.contains) ?? false ? "[]" : "<no value>"
        case .some(let document): text(document)
        }
    }

    /// A value as an argument of `print` prints it.
    static func operand(_ value: TemplateValue) -> String {
        switch value.document {
        case nil: "<nil>"
        case .null: value.key == nil ? "<nil>" : printed(value)
        case .some(let document): text(document)
        }
    }

    /// Go's `Sprint`: a space between two operands when neither is a string.
    static func joined(_ values: [TemplateValue]) -> String {
        var out = ""
        for (index, value) in values.enumerated() {
            if index > 0, !value.isString, !values[index - 1].isString { out += " " }
            out += operand(value)
        }
        return out
    }

    /// `%v`.
    package static func text(_ document: JSONDocument) -> String {
        switch document {
        case .null: return "<nil>"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .number(let value): return number(value)
        case .string(let value): return value
        case .array(let values): return "[" + values.map(text).joined(separator: " ") + "]"
        case .object(let members):
            let pairs = members.sorted { $0.key < $1.key }.map { "\($0.key):\(text($0.value))" }
            return "map[" + pairs.joined(separator: " ") + "]"
        }
    }

    static func typeName(_ document: JSONDocument?) -> String {
        switch document {
        case nil, .null: "nil"
        case .bool: "bool"
        case .integer: "int"
        case .number: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }

    /// `%v` of a float: shortest digits, with an exponent from 1e21 up and below 1e-4.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        let text = "\(value)"
        guard let mark = text.firstIndex(of: "e") else { return text }
        // Swift writes 1e+22 as `1e+22` and 1e-07 as `1e-07`, Go the same; only `.0` differs.
        let mantissa = text[..<mark]
        return String(mantissa.hasSuffix(".0") ? mantissa.dropLast(2) : mantissa) + text[mark...]
    }

    // MARK: printf

    /// Go's `Sprintf`; the first value is the format.
    static func formatted(_ values: [TemplateValue]) -> String {
        guard case .string(let format)? = values.first?.document else { return "%!s(BADFORMAT)" }
        var printer = Printf(arguments: Array(values.dropFirst()))
        return printer.text(format)
    }
}

extension TemplateValue {
    fileprivate var isString: Bool { if case .string? = document { true } else { false } }
}

/// The verbs of Go's `fmt` for the values templates have.
private struct Printf {
    struct Flags {
        var minus = false
        var plus = false
        var space = false
        var sharp = false
        var zero = false
        var width = 0
        var precision: Int?
    }

    let arguments: [TemplateValue]
    private var next = 0

    init(arguments: [TemplateValue]) {
        self.arguments = arguments
    }

    mutating func text(_ format: String) -> String {
        let scalars = Array(format.unicodeScalars)
        var out = ""
        var index = 0
        while index < scalars.count {
            guard scalars[index] == "%" else {
                out.unicodeScalars.append(scalars[index])
                index += 1
                continue
            }
            index += 1
            let flags = flags(scalars, &index)
            guard index < scalars.count else {
                out += "%!(NOVERB)"
                break
            }
            let verb = scalars[index]
            index += 1
            if verb == "%" {
                out += "%"
            } else if next < arguments.count {
                out += verbText(verb, arguments[next], flags)
                next += 1
            } else {
                out += "%!\(verb)(MISSING)"
            }
        }
        if next < arguments.count {
            let extra = arguments[next...].map { "\(GoText.typeName($0.document))=\(GoText.operand($0))" }
            out += "%!(EXTRA " + extra.joined(separator: ", ") + ")"
        }
        return out
    }

    private mutating func flags(_ scalars: [Unicode.Scalar], _ index: inout Int) -> Flags {
        var flags = Flags()
        flagLoop: while index < scalars.count {
            switch scalars[index] {
            case "-": flags.minus = true
            case "+": flags.plus = true
            case " ": flags.space = true
            case "#": flags.sharp = true
            case "0": flags.zero = true
            default: break flagLoop
            }
            index += 1
        }
        flags.width = count(scalars, &index) ?? 0
        if index < scalars.count, scalars[index] == "." {
            index += 1
            flags.precision = count(scalars, &index) ?? 0
        }
        return flags
    }

    /// A number, or `*` for the next argument; never more than 10 000.
    private mutating func count(_ scalars: [Unicode.Scalar], _ index: inout Int) -> Int? {
        if index < scalars.count, scalars[index] == "*" {
            index += 1
            defer { next += 1 }
            guard next < arguments.count, case .integer(let value)? = arguments[next].document else { return nil }
            return Int(min(max(0, value), 10_000))
        }
        var value: Int?
        while index < scalars.count, ("0"..."9").contains(scalars[index]) {
            value = min(10_000, (value ?? 0) * 10 + Int(scalars[index].value - 48))
            index += 1
        }
        return value
    }

    private func verbText(_ verb: Unicode.Scalar, _ value: TemplateValue, _ flags: Flags) -> String {
        switch (verb, value.document) {
        case ("v", .string(let text)), ("s", .string(let text)): return pad(cut(text, flags), flags)
        case ("q", .string(let text)): return pad(TemplateLexer.quoted(cut(text, flags)), flags)
        case ("x", .string(let text)): return pad(hex(text, uppercase: false), flags)
        case ("X", .string(let text)): return pad(hex(text, uppercase: true), flags)
        case ("v", .integer(let number)), ("d", .integer(let number)): return integer(number, radix: 10, flags)
        case ("x", .integer(let number)): return integer(number, radix: 16, flags)
        case ("X", .integer(let number)): return integer(number, radix: 16, flags).uppercased()
        case ("o", .integer(let number)): return integer(number, radix: 8, flags)
        case ("b", .integer(let number)): return integer(number, radix: 2, flags)
        case ("c", .integer(let number)):
            let scalar = UInt32(exactly: number).flatMap { Unicode.Scalar($0) }
            return pad(String(scalar ?? "\u{fffd}"), flags)
        case ("f", .number(let number)), ("F", .number(let number)): return float(number, "f", flags)
        case ("e", .number(let number)): return float(number, "e", flags)
        case ("g", .number(let number)) where flags.precision != nil: return float(number, "g", flags)
        case ("v", .number), ("g", .number): return pad(GoText.operand(value), flags)
        case ("t", .bool(let flag)), ("v", .bool(let flag)): return pad(flag ? "true" : "false", flags)
        case ("T", let document): return pad(GoText.typeName(document), flags)
        case ("v", .array), ("v", .object), ("v", .null), ("v", nil), ("s", .array):
            return pad(GoText.operand(value), flags)
        case ("q", .array(let values)):
            return pad("[" + values.map { TemplateLexer.quoted(GoText.text($0)) }.joined(separator: " ") + "]", flags)
        case (_, nil), (_, .null): return "%!\(verb)(<nil>)"
        case (_, let document): return "%!\(verb)(\(GoText.typeName(document))=\(GoText.operand(value)))"
        }
    }

    private func cut(_ text: String, _ flags: Flags) -> String {
        flags.precision.map { String(String.UnicodeScalarView(text.unicodeScalars.prefix($0))) } ?? text
    }

    private func pad(_ text: String, _ flags: Flags, zeroes: Bool = false) -> String {
        let missing = flags.width - text.unicodeScalars.count
        guard missing > 0 else { return text }
        if flags.minus { return text + String(repeating: " ", count: missing) }
        guard zeroes, flags.zero else { return String(repeating: " ", count: missing) + text }
        let isSigned = text.hasPrefix("-") || text.hasPrefix("+")
        let sign = isSigned ? String(text.prefix(1)) : ""
        return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.count)
    }

    private func integer(_ number: Int64, radix: Int, _ flags: Flags) -> String {
        var digits = String(number.magnitude, radix: radix)
        if flags.sharp, radix == 16 { digits = "0x" + digits }
        if flags.sharp, radix == 8 { digits = "0" + digits }
        let sign = number < 0 ? "-" : flags.plus ? "+" : flags.space ? " " : ""
        return pad(sign + digits, flags, zeroes: true)
    }

    private func float(_ number: Double, _ verb: String, _ flags: Flags) -> String {
        let precision = Int32(clamping: min(flags.precision ?? 6, 400))
        let text = withVaList([precision, number]) { arguments in
            var buffer = [CChar](repeating: 0, count: 1024)
            vsnprintf(&buffer, buffer.count, "%.*" + verb, arguments)
            return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return pad(flags.plus && number >= 0 ? "+" + text : text, flags, zeroes: true)
    }

    private func hex(_ text: String, uppercase: Bool) -> String {
        text.utf8.map { byte in
            let digits = String(byte, radix: 16, uppercase: uppercase)
            return digits.count < 2 ? "0" + digits : digits
        }.joined()
    }
}
