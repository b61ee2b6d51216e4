package import Basics

/// One `--mount` of `RUN`, read after its variables are replaced.
package struct RunMount: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case bind, cache, tmpfs, secret, ssh
    }

    package enum Sharing: String, Sendable, Hashable, CaseIterable {
        case shared, `private`, locked
    }

    package var kind = Kind.bind
    package var from: String?
    package var source: String?
    package var target: String?
    package var isReadOnly = true
    /// Bytes, for `tmpfs`.
    package var size: Int64?
    package var id: String?
    package var sharing: Sharing?
    package var isRequired = false
    /// The variable that holds a secret; empty means the secret's name.
    package var environment: String?
    package var mode: UInt32?
    package var user: UInt32?
    package var group: UInt32?

    private static let keys = [
        "type", "from", "source", "target", "readonly", "id", "sharing", "required", "size", "mode", "uid", "gid",
        "src", "dst", "destination", "ro", "rw", "readwrite", "env",
    ]

    /// Reads `key=value,…`, its variables replaced.
    ///
    /// Throws `invalid` for a mount that cannot be read.
    package init(parsing text: String) throws(ShaleError) {
        do throws(Complaint) {
            try self.init(fields: CommaSeparated.fields(text, of: "mounts"))
        } catch {
            throw ShaleError(.invalid, error.message)
        }
    }

    init(fields: [String]) throws(Complaint) {
        var hasAccess = false
        for field in fields {
            let (written, value) = field.cut(at: "=")
            let key = written.lowercased()
            if ["readonly", "ro", "readwrite", "rw"].contains(key) { hasAccess = true }
            if let value {
                try set(key, to: value, field: field)
            } else {
                try set(key, field: field)
            }
        }
        if !hasAccess { isReadOnly = kind != .cache && kind != .tmpfs }
        try check()
    }

    /// What can be said before variables are known: the list is well formed, and `from` holds none.
    static func checkBeforeExpansion(_ text: String) throws(Complaint) {
        for field in try CommaSeparated.fields(text, of: "mounts") {
            let (key, value) = field.cut(at: "=")
            guard let value, key.lowercased() == "from" else { continue }
            if value.unicodeScalars.dropLast().contains("$") {
                throw Complaint("'from' doesn't support variable expansion, define alias stage instead")
            }
        }
    }

    /// The stage or image that a mount names, before its variables are replaced.
    package static func from(in text: String) -> String? {
        let fields = (try? CommaSeparated.fields(text, of: "mounts")) ?? []
        return fields.compactMap { field in
            let (key, value) = field.cut(at: "=")
            return key.lowercased() == "from" ? value : nil
        }.last { !$0.isEmpty }
    }

    /// A key without a value.
    private mutating func set(_ key: String, field: String) throws(Complaint) {
        switch key {
        case "readonly", "ro": isReadOnly = true
        case "readwrite", "rw": isReadOnly = false
        case "required":
            try demand([.secret, .ssh], for: key)
            isRequired = true
        default: throw Complaint("invalid field '\(field)' must be a key=value pair")
        }
    }

    private mutating func set(_ key: String, to value: String, field: String) throws(Complaint) {
        switch key {
        case "type":
            guard let kind = Kind(rawValue: value.lowercased()) else {
                throw Complaint(
                    "unsupported mount type \(goQuoted(value))", about: value, among: Kind.allCases.map(\.rawValue))
            }
            self.kind = kind
        case "from": from = value
        case "source", "src": source = value
        case "target", "dst", "destination": target = value
        case "readonly", "ro": isReadOnly = try boolean(value, key)
        case "readwrite", "rw": isReadOnly = try !boolean(value, key)
        case "required":
            try demand([.secret, .ssh], for: key)
            isRequired = try boolean(value, key)
        case "size":
            try demand([.tmpfs], for: key)
            guard let bytes = CommaSeparated.bytes(value) else { throw Complaint("invalid value for size: \(value)") }
            size = bytes
        case "id": id = value
        case "sharing":
            guard let sharing = Sharing(rawValue: value.lowercased()) else {
                throw Complaint(
                    "unsupported sharing value \(goQuoted(value))", about: value,
                    among: Sharing.allCases.map(\.rawValue))
            }
            self.sharing = sharing
        case "mode": mode = try number(value, key, radix: 8)
        case "uid": user = try number(value, key, radix: 10)
        case "gid": group = try number(value, key, radix: 10)
        case "env": environment = value
        default: throw Complaint("unexpected key '\(key)' in '\(field)'", about: key, among: Self.keys)
        }
    }

    private func demand(_ kinds: [Kind], for key: String) throws(Complaint) {
        if !kinds.contains(kind) { throw Complaint("unexpected key '\(key)' for mount type '\(kind.rawValue)'") }
    }

    private func boolean(_ value: String, _ key: String) throws(Complaint) -> Bool {
        switch value {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw Complaint("invalid value for \(key): \(value)")
        }
    }

    private func number(_ value: String, _ key: String, radix: Int) throws(Complaint) -> UInt32 {
        guard value.utf8.first != UInt8(ascii: "+"), let number = UInt32(value, radix: radix) else {
            throw Complaint("invalid value \(value) for \(key)")
        }
        return number
    }

    private func check() throws(Complaint) {
        let mayOwn = kind == .secret || kind == .ssh || kind == .cache
        if !mayOwn {
            for (name, isSet) in [("mode", mode != nil), ("uid", user != nil), ("gid", group != nil)] where isSet {
                throw Complaint("\(name) not allowed for \(goQuoted(kind.rawValue)) type mounts")
            }
        }
        if kind == .secret {
            if !(from ?? "").isEmpty { throw Complaint("secret mount should not have a from") }
            if sharing != nil { throw Complaint("secret mount should not define sharing") }
            let hasSource = !(source ?? "").isEmpty
            let hasID = !(id ?? "").isEmpty
            if !hasSource, (target ?? "").isEmpty, !hasID {
                throw Complaint("invalid secret mount. one of source, target required")
            }
            if hasSource && hasID { throw Complaint("both source and id can't be set") }
        }
        if sharing != nil, kind != .cache {
            throw Complaint("invalid cache sharing set for \(kind.rawValue) mount")
        }
    }
}

/// One `--device` of `RUN`.
package struct RunDevice: Sendable, Hashable {
    package var name: String
    package var isRequired: Bool

    /// Reads `NAME[,required]`, its variables replaced.
    ///
    /// Throws `invalid` for a text that cannot be read.
    package init(reading text: String) throws(ShaleError) {
        do throws(Complaint) {
            try self.init(parsing: text)
        } catch {
            throw ShaleError(.invalid, error.message)
        }
    }

    init(parsing text: String) throws(Complaint) {
        var name: String?
        isRequired = false
        for field in try CommaSeparated.fields(text, of: "devices") {
            let (key, value) = field.cut(at: "=")
            switch (key.lowercased(), value) {
            case ("required", nil), ("required", "true"), ("required", "1"): isRequired = true
            case ("required", "false"), ("required", "0"): isRequired = false
            case ("required", let value): throw Complaint("invalid value for required: \(value ?? "")")
            case ("name", let value?):
                if let name { throw Complaint("device name already set to \(name)") }
                name = value
            default:
                if let name { throw Complaint("device name already set to \(name)") }
                name = field
            }
        }
        self.name = name ?? ""
    }
}
