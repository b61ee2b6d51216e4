package import Basics
package import FoundationEssentials

/// A document that is read by hand: stricter than `Decodable`, with errors that name the member, and fast on first use.
package protocol DocumentValue {
    /// Reads the value's members.
    ///
    /// Throws `corrupt`, with the member's place, for one that breaks a rule of the specification.
    init(_ reader: DocumentReader) throws(ShaleError)
}

/// One object of a document while its members are read.
///
/// A member that is `null` counts as absent, as Go's decoder has it. Errors are `corrupt` and name the member's place
/// (`manifest: layers[2].size: not a whole number`).
package struct DocumentReader: Sendable {
    private let members: [JSONDocument.Member]
    /// Where this object stands, for an error's words.
    package let path: String

    /// Begins to read an object that stands at `path`.
    ///
    /// Throws `corrupt` for what is no object.
    package init(_ document: JSONDocument, path: String) throws(ShaleError) {
        guard case .object(let members) = document else {
            throw ShaleError(.corrupt, path, cause: "not an object")
        }
        self.members = members
        self.path = path
    }

    package func value(_ key: String) -> JSONDocument? {
        guard let value = members.first(where: { $0.key == key })?.value, value != .null else { return nil }
        return value
    }

    package func has(_ key: String) -> Bool { value(key) != nil }

    package func failure(_ key: String, _ reason: String) -> ShaleError {
        ShaleError(.corrupt, "\(path): \(key)", cause: reason)
    }

    /// A text; `nil` where it is absent.
    ///
    /// Throws `corrupt` for a member of another kind.
    package func string(_ key: String) throws(ShaleError) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else { throw failure(key, "not a string") }
        return text
    }

    /// A text that must be there.
    ///
    /// Throws `corrupt` for one that is missing or of another kind.
    package func requiredString(_ key: String) throws(ShaleError) -> String {
        guard let text = try string(key) else { throw failure(key, "missing") }
        return text
    }

    /// A whole number; `nil` where it is absent.
    ///
    /// Throws `corrupt` for a member of another kind.
    package func integer(_ key: String) throws(ShaleError) -> Int64? {
        guard let value = value(key) else { return nil }
        guard case .integer(let number) = value else { throw failure(key, "not a whole number") }
        return number
    }

    /// A whole number that must be there.
    ///
    /// Throws `corrupt` for one that is missing or of another kind.
    package func requiredInteger(_ key: String) throws(ShaleError) -> Int64 {
        guard let number = try integer(key) else { throw failure(key, "missing") }
        return number
    }

    /// A truth value; `nil` where it is absent.
    ///
    /// Throws `corrupt` for a member of another kind.
    package func bool(_ key: String) throws(ShaleError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let flag) = value else { throw failure(key, "not true or false") }
        return flag
    }

    /// A list of texts; `nil` where it is absent.
    ///
    /// Throws `corrupt` for a member of another kind.
    package func strings(_ key: String) throws(ShaleError) -> [String]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { throw failure(key, "not a list") }
        var texts: [String] = []
        texts.reserveCapacity(elements.count)
        for element in elements {
            guard case .string(let text) = element else { throw failure(key, "not a list of strings") }
            texts.append(text)
        }
        return texts
    }

    /// An object whose values are texts; `nil` where it is absent.
    ///
    /// Throws `corrupt` for a member of another kind.
    package func dictionary(_ key: String) throws(ShaleError) -> [String: String]? {
        guard let value = value(key) else { return nil }
        guard case .object(let members) = value else { throw failure(key, "not an object") }
        var table = [String: String](minimumCapacity: members.count)
        for member in members {
            guard case .string(let text) = member.value else { throw failure("\(key).\(member.key)", "not a string") }
            table[member.key] = text
        }
        return table
    }

    /// The keys of an object whose values say nothing (Go's `map[string]struct{}`).
    ///
    /// Throws `corrupt` when the value or a member of it is not an object.
    package func keySet(_ key: String) throws(ShaleError) -> [String: EmptyObject]? {
        guard let value = value(key) else { return nil }
        guard case .object(let members) = value else { throw failure(key, "not an object") }
        var table = [String: EmptyObject](minimumCapacity: members.count)
        for member in members {
            guard case .object = member.value else { throw failure("\(key).\(member.key)", "not an object") }
            table[member.key] = EmptyObject()
        }
        return table
    }

    /// A time as RFC 3339 writes it; `nil` where it is absent.
    ///
    /// Throws `corrupt` for a member of another kind.
    package func time(_ key: String) throws(ShaleError) -> Timestamp? {
        guard let text = try string(key) else { return nil }
        guard let time = Timestamp(rfc3339: text) else { throw failure(key, "not an RFC 3339 time: \(text)") }
        return time
    }

    /// A digest that must be there.
    ///
    /// Throws `corrupt` for one that is missing or of another kind.
    package func digest(_ key: String) throws(ShaleError) -> Digest {
        let text = try requiredString(key)
        do throws(ShaleError) { return try Digest(parsing: text) } catch { throw failure(key, error.message) }
    }

    /// An object that is read by its own rules; `nil` where it is absent.
    ///
    /// Throws what its own reading throws.
    package func object<Value: DocumentValue>(_ key: String, _ type: Value.Type) throws(ShaleError) -> Value? {
        guard let value = value(key) else { return nil }
        return try Value(DocumentReader(value, path: "\(path): \(key)"))
    }

    /// The same of an object that must be there.
    ///
    /// Throws `corrupt` for one that is missing, and what its own reading throws.
    package func requiredObject<Value: DocumentValue>(_ key: String, _ type: Value.Type) throws(ShaleError) -> Value {
        guard let value = try object(key, type) else { throw failure(key, "missing") }
        return value
    }

    /// A list of such objects; `nil` where it is absent.
    ///
    /// Throws `corrupt` for what is no list, and what reading an element throws.
    package func objects<Value: DocumentValue>(_ key: String, _ type: Value.Type) throws(ShaleError) -> [Value]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { throw failure(key, "not a list") }
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        for (position, element) in elements.enumerated() {
            values.append(try Value(DocumentReader(element, path: "\(path): \(key)[\(position)]")))
        }
        return values
    }
}

extension OCIDocument {
    /// Reads a document of the specifications, by the rules written for it (`DocumentValue`).
    ///
    /// - Throws: `invalid` for one that is too large, `corrupt` for one that breaks a rule, with the member's path.
    package static func read<Value: DocumentValue>(
        _ type: Value.Type, from bytes: some Collection<UInt8>, naming what: String
    ) throws(ShaleError) -> Value {
        try read(type, from: document(bytes, naming: what), naming: what)
    }

    /// The same of a text that was read as JSON before.
    ///
    /// Throws what the type's own reading throws.
    package static func read<Value: DocumentValue>(
        _ type: Value.Type, from document: JSONDocument, naming what: String
    ) throws(ShaleError) -> Value {
        try Value(DocumentReader(document, path: what))
    }

    /// A document's JSON, of whatever kind it is.
    ///
    /// - Throws: `invalid` for one that is too large, `corrupt` for what is no JSON.
    package static func document(
        _ bytes: some Collection<UInt8>, naming what: String
    ) throws(ShaleError) -> JSONDocument {
        guard bytes.count <= largest else { throw ShaleError(.invalid, "\(what): larger than \(largest) bytes") }
        do throws(ShaleError) {
            return try JSONDocument(parsing: bytes, naming: what)
        } catch {
            throw ShaleError(.corrupt, error.message, cause: error.cause)
        }
    }

    /// Cannot be called: a document of the specifications has its own rules, which `read` follows.
    ///
    /// Throws nothing.
    @available(*, unavailable, message: "read(_:from:naming:) reads it by its own rules")
    package static func decode<Value: DocumentValue & Decodable>(
        _ type: Value.Type, from data: Data, naming what: String
    ) throws(ShaleError) -> Value {
        try read(type, from: data, naming: what)
    }
}
