package import Basics

/// The name of an image: `[domain/]path[:tag][@digest]`, always with its domain once normalised.
///
/// The grammar is distribution/reference's:
/// ```
/// reference      := name [":" tag] ["@" digest]
/// name           := [domain "/"] path
/// domain         := host [":" port]            host := domain-name | "[" IPv6 "]"
/// path           := component *("/" component) component := alnum *(separator alnum), separator := . _ __ -+
/// tag            := word character, then up to 127 of word characters, "." and "-"
/// ```
package struct Reference: Sendable, Hashable, CustomStringConvertible {
    /// `docker.io`, `quay.io`, `localhost:5000`; empty only after `init(literal:)` of a name without one.
    package let domain: String
    /// `library/ubuntu`; at most 255 characters.
    package let path: String
    package let tag: String?
    package let digest: Digest?

    package static let defaultDomain = "docker.io"
    package static let defaultTag = "latest"
    private static let legacyDefaultDomain = "index.docker.io"
    private static let officialPrefix = "library/"

    private init(domain: String, path: String, tag: String?, digest: Digest?) {
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    /// Parses a name as people type it (`ubuntu`, `quay.io/a/b:1`) and fills in domain and `library/`.
    ///
    /// No tag is added: see `withDefaultTag`. Throws `invalid` in distribution/reference's words.
    package init(parsing text: String) throws(ShaleError) {
        if Self.isIdentifier(text) {
            throw ShaleError(
                .invalid, "invalid repository name (\(text)), cannot specify 64-byte hexadecimal strings")
        }
        let (domain, remainder) = Self.splitDomain(text)
        let end = remainder.utf8.firstIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "@") }
        let remote = remainder[..<(end ?? remainder.endIndex)]
        guard !remote.hasUppercase else {
            throw ShaleError(.invalid, "invalid reference format: repository name (\(remote)) must be lowercase")
        }
        try self.init(literal: "\(domain)/\(remainder)")
    }

    /// Parses a name as it is written, with nothing filled in (distribution/reference's `Parse`).
    ///
    /// Throws `invalid` when the text is not of that form.
    package init(literal text: String) throws(ShaleError) {
        guard !text.isEmpty else {
            throw ShaleError(.invalid, "repository name must have at least one component")
        }
        guard let parts = Parts(text) else {
            let lowered = Parts(text.lowercased())
            throw ShaleError(
                .invalid,
                lowered == nil
                    ? "invalid reference format" : "repository name must be lowercase")
        }
        guard parts.path.utf8.count <= 255 else {
            throw ShaleError(.invalid, "repository name must not be more than 255 characters")
        }
        let digest: Digest?
        if let text = parts.digest { digest = try Digest(parsing: text) } else { digest = nil }
        self.init(domain: parts.domain, path: parts.path, tag: parts.tag, digest: digest)
    }

    /// `domain/path`.
    package var name: String { domain.isEmpty ? path : "\(domain)/\(path)" }

    /// The whole reference with nothing left out.
    package var description: String { name + suffix }

    /// The name as people write it: `docker.io/` and `library/` left out.
    package var familiarName: String {
        guard domain == Self.defaultDomain else { return name }
        guard path.hasPrefix(Self.officialPrefix) else { return path }
        let rest = path.dropFirst(Self.officialPrefix.count)
        return rest.contains("/") ? path : String(rest)
    }

    /// The whole reference as people write it.
    package var familiar: String { familiarName + suffix }

    /// The same with `:latest` where it has neither tag nor digest.
    package var withDefaultTag: Reference {
        tag == nil && digest == nil ? with(tag: Self.defaultTag) : self
    }

    /// The same repository with another tag and no digest.
    ///
    /// The tag is not checked: it comes from a registry or a parsed reference.
    package func with(tag: String) -> Reference { Reference(domain: domain, path: path, tag: tag, digest: nil) }

    /// The same repository, pinned.
    package func with(digest: Digest) -> Reference {
        Reference(domain: domain, path: path, tag: nil, digest: digest)
    }

    /// The repository alone.
    package var repository: Reference { Reference(domain: domain, path: path, tag: nil, digest: nil) }

    private var suffix: String { (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    /// Whether text is a whole image id: 64 lower-case hex digits.
    package static func isIdentifier(_ text: String) -> Bool {
        Identifier.isWhole(text)
    }

    /// Whether text is a tag.
    package static func isTag(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, first.isWord, text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { $0.isWord || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    /// Splits off what can only be a host: it has a dot or a colon, is `localhost`, or has capitals.
    private static func splitDomain(_ text: String) -> (domain: String, remainder: String) {
        let isSlash = { (byte: UInt8) in byte == UInt8(ascii: "/") }
        guard let slash = text.utf8.firstIndex(where: isSlash) else {
            return (defaultDomain, officialPrefix + text)
        }
        let head = String(text[..<slash])
        let tail = String(text[text.utf8.index(after: slash)...])
        let isHost =
            head == "localhost" || head.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
            || head[...].hasUppercase
        let (domain, remainder) = isHost ? (head, tail) : (defaultDomain, text)
        guard domain == defaultDomain || domain == legacyDefaultDomain else { return (domain, remainder) }
        return (defaultDomain, remainder.utf8.contains(where: isSlash) ? remainder : officialPrefix + remainder)
    }
}

/// The raw parts of a reference, each proved to match its rule.
private struct Parts {
    var domain = ""
    var path: String
    var tag: String?
    var digest: String?

    init?(_ text: String) {
        guard text.utf8.count <= 4096 else { return nil }
        // Every character of the grammar is ASCII, and parts are told apart by bytes: far cheaper than by characters.
        var name = text[...]
        if let at = name.utf8.firstIndex(of: UInt8(ascii: "@")) {
            let digest = name[name.utf8.index(after: at)...]
            guard Self.isDigest(digest) else { return nil }
            self.digest = String(digest)
            name = name[..<at]
        }
        let afterSlash =
            name.utf8.lastIndex(of: UInt8(ascii: "/")).map { name.utf8.index(after: $0) } ?? name.startIndex
        if let colon = name[afterSlash...].utf8.firstIndex(of: UInt8(ascii: ":")) {
            let tag = name[name.utf8.index(after: colon)...]
            guard Reference.isTag(tag) else { return nil }
            self.tag = String(tag)
            name = name[..<colon]
        }
        if let slash = name.utf8.firstIndex(of: UInt8(ascii: "/")), Self.isDomain(name[..<slash]),
            Self.isPath(name[name.utf8.index(after: slash)...])
        {
            domain = String(name[..<slash])
            path = String(name[name.utf8.index(after: slash)...])
        } else if Self.isPath(name) {
            path = String(name)
        } else {
            return nil
        }
    }

    private static func isDigest(_ text: Substring) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let isComponent = { (part: Substring.UTF8View) in
            part.first.map { $0.isASCIIAlphanumeric && !(48...57).contains($0) } ?? false
                && part.allSatisfy(\.isASCIIAlphanumeric)
        }
        let components = text[..<colon].utf8.split(omittingEmptySubsequences: false) { "+.-_".utf8.contains($0) }
        let hex = text.utf8[text.utf8.index(after: colon)...]
        return components.allSatisfy(isComponent) && hex.count >= 32 && hex.allSatisfy(\.isHexDigit)
    }

    private static func isDomain(_ text: Substring) -> Bool {
        var host = text
        if text.hasPrefix("[") {
            guard let close = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = text.utf8.dropFirst().prefix(upTo: close)
            guard !address.isEmpty, address.allSatisfy({ $0.isHexDigit || $0 == UInt8(ascii: ":") }) else {
                return false
            }
            let rest = text.utf8[text.utf8.index(after: close)...]
            return rest.isEmpty || (rest.first == UInt8(ascii: ":") && isPort(rest.dropFirst()))
        }
        if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            guard isPort(text.utf8[text.utf8.index(after: colon)...]) else { return false }
            host = text[..<colon]
        }
        return host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.first, let last = label.last else { return false }
            return first.isASCIIAlphanumeric && last.isASCIIAlphanumeric
                && label.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isPort(_ text: Substring.UTF8View) -> Bool {
        !text.isEmpty && text.allSatisfy { (48...57).contains($0) }
    }

    private static func isPath(_ text: Substring) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy(isPathComponent)
    }

    /// Runs of `[a-z0-9]` with one separator between two of them: `.`, `_`, `__`, or any number of dashes.
    private static func isPathComponent(_ bytes: Substring.UTF8View) -> Bool {
        let isAlphanumeric = { (byte: UInt8) in (48...57).contains(byte) || (97...122).contains(byte) }
        guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        return bytes.split(whereSeparator: isAlphanumeric).allSatisfy { separator in
            separator.elementsEqual(".".utf8) || separator.elementsEqual("_".utf8)
                || separator.elementsEqual("__".utf8) || separator.allSatisfy { $0 == UInt8(ascii: "-") }
        }
    }
}

extension Substring {
    /// Whether it has a capital of any script; ASCII is told without Unicode's tables.
    fileprivate var hasUppercase: Bool {
        utf8.contains { (65...90).contains($0) }
            || (utf8.contains { $0 >= 0x80 } && contains(where: \.isUppercase))
    }
}

extension UInt8 {
    fileprivate var isWord: Bool { isASCIIAlphanumeric || self == UInt8(ascii: "_") }
    fileprivate var isHexDigit: Bool {
        (48...57).contains(self) || (65...70).contains(self) || (97...102).contains(self)
    }
}

extension Reference: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        try self.init(parsing: container.decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
