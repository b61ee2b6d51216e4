/// The `--name=value` words of one instruction, checked against the flags that the instruction has.
struct InstructionFlags {
    enum Kind {
        /// `--name=text`.
        case text
        /// `--name`, `--name=true`, `--name=false`.
        case toggle
        /// `--name=text`, any number of times.
        case list
    }

    private var values: [String: [String]] = [:]

    init(_ words: [String], known: KeyValuePairs<String, Kind>) throws(Complaint) {
        for word in words {
            // A bare `--` ends the flags.
            if word == "--" { break }
            guard word.hasPrefix("--") else { throw Complaint("arg should start with -- : \(word)") }
            let (written, value) = word.cut(at: "=")
            let name = String(written.dropFirst(2))
            guard let kind = known.first(where: { $0.key == name })?.value else {
                throw Complaint("unknown flag: \(written)", about: name, among: known.map(\.key).sorted())
            }
            if kind != .list, values[name] != nil { throw Complaint("duplicate flag specified: \(written)") }
            values[name, default: []].append(try Self.check(value, kind: kind, written: written))
        }
    }

    private static func check(_ value: String?, kind: Kind, written: String) throws(Complaint) -> String {
        guard kind == .toggle else {
            guard let value else { throw Complaint("missing a value on flag: \(written)") }
            return value
        }
        switch value?.lowercased() {
        case nil, "true": return "true"
        case "false": return "false"
        case "": throw Complaint("missing a value on flag: \(written)")
        default: throw Complaint("expecting boolean value for flag \(written), not: \(value ?? "")")
        }
    }

    /// The names in use, sorted.
    var used: [String] { values.keys.sorted() }

    func text(_ name: String) -> String? { values[name]?.first }
    func toggle(_ name: String) -> Bool? { values[name].map { $0.first == "true" } }
    func list(_ name: String) -> [String] { values[name] ?? [] }
}
