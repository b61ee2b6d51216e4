/// An image's name as `FROM` has it: `[HOST/]PATH[:TAG][@DIGEST]`, checked and completed by text alone.
struct ImageName: Hashable {
    /// With registry, namespace and tag: `docker.io/library/busybox:latest`.
    let complete: String

    /// `nil` where no registry would take the name.
    init?(_ text: String) {
        let (named, digest) = text.cut(at: "@")
        if let digest, !Self.isDigest(digest) { return nil }
        var parts = named.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first else { return nil }
        var host = "docker.io"
        if parts.count > 1,
            first.contains(".") || first.contains(":") || first == "localhost" || first != first.lowercased()
        {
            guard Self.isHost(first) else { return nil }
            host = first == "index.docker.io" ? "docker.io" : first
            parts.removeFirst()
        }
        guard let last = parts.popLast() else { return nil }
        let (base, tag) = last.cut(at: ":")
        if let tag, !Self.isTag(tag) { return nil }
        parts.append(base)
        guard parts.allSatisfy(Self.isComponent), !Self.isIdentifier(named) else { return nil }
        if host == "docker.io", parts.count == 1 { parts.insert("library", at: 0) }
        let path = parts.joined(separator: "/")
        guard host.utf8.count + 1 + path.utf8.count <= 255 else { return nil }
        let version = tag.map { ":" + $0 } ?? (digest == nil ? ":latest" : "")
        complete = "\(host)/\(path)\(version)\(digest.map { "@" + $0 } ?? "")"
    }

    /// Sixty-four hexadecimal digits name an image's id, not a repository.
    private static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count == 64 && text.unicodeScalars.allSatisfy { ("0"..."9").contains($0) || ("a"..."f").contains($0) }
    }

    /// Lower-case letters and digits, with `.`, `_`, `__` or dashes between them.
    private static func isComponent(_ text: String) -> Bool {
        var separator = ""
        var hasStarted = false
        for scalar in text.unicodeScalars {
            if ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) {
                guard separator.isEmpty || (hasStarted && isSeparator(separator)) else { return false }
                separator = ""
                hasStarted = true
            } else {
                separator.unicodeScalars.append(scalar)
            }
        }
        return hasStarted && separator.isEmpty
    }

    private static func isSeparator(_ text: String) -> Bool {
        text == "." || text == "_" || text == "__" || text.unicodeScalars.allSatisfy { $0 == "-" }
    }

    private static func isTag(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first != ".", first != "-", text.utf8.count <= 128 else {
            return false
        }
        return text.unicodeScalars.allSatisfy { isWordScalar($0) || $0 == "." || $0 == "-" }
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.isLetter || scalar.isDigit || scalar == "_")
    }

    private static func isDigest(_ text: String) -> Bool {
        let (algorithm, digits) = text.cut(at: ":")
        guard let digits, let first = algorithm.unicodeScalars.first, first.isASCII, first.isLetter,
            algorithm.unicodeScalars.allSatisfy({ isWordScalar($0) || "+.-".unicodeScalars.contains($0) })
        else { return false }
        let isHexadecimal = digits.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit)
        return isHexadecimal && (algorithm == "sha256" ? digits.utf8.count == 64 : digits.utf8.count >= 32)
    }

    private static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("[") {
            let (address, port) = text.cut(at: "]")
            return address.dropFirst().allSatisfy { $0.isHexDigit || $0 == ":" } && (port ?? "x").isEmpty
                || isPort(port?.dropFirst())
        }
        let (name, port) = text.cut(at: ":")
        if let port, !isPort(port[...]) { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && part.first != "-" && part.last != "-"
                && part.unicodeScalars.allSatisfy { $0.isASCII && ($0.isLetter || $0.isDigit || $0 == "-") }
        }
    }

    private static func isPort(_ text: Substring?) -> Bool {
        guard let text, !text.isEmpty else { return false }
        return text.unicodeScalars.allSatisfy { $0.isASCII && $0.isDigit }
    }
}
