/// Keys that are known by how they look.
enum SecretShape {
    private struct Shape {
        var prefix: [UInt8]
        var least: Int
        /// Whether signs beside letters and digits may follow.
        var signs: Bool

        init(_ prefix: String, _ least: Int, signs: Bool = false) {
            self.prefix = Array(prefix.utf8)
            self.least = least
            self.signs = signs
        }
    }

    private static let shapes: [Shape] =
        [
            Shape("AKIA", 16), Shape("ASIA", 16), Shape("github_pat_", 20, signs: true),
            Shape("glpat-", 20, signs: true),
            Shape("gldt-", 20, signs: true), Shape("glrt-", 20, signs: true), Shape("glsa_", 20, signs: true),
            Shape("npm_", 30), Shape("AIza", 35, signs: true), Shape("sk-", 20, signs: true), Shape("sk_live_", 10),
            Shape("sk_test_", 10), Shape("rk_live_", 10), Shape("dckr_pat_", 20, signs: true), Shape("hf_", 30),
            Shape("pypi-", 40, signs: true), Shape("ya29.", 20, signs: true),
        ] + ["p", "o", "u", "s", "r"].map { Shape("gh\($0)_", 20) }
        + ["a", "b", "e", "o", "p", "r", "s"].map { Shape("xox\($0)-", 10, signs: true) }

    /// How many bytes of a key begin at an index; `nil` where none does.
    static func length(at index: Int, of bytes: [UInt8]) -> Int? {
        switch bytes[index] {
        case UInt8(ascii: "A"), UInt8(ascii: "g"), UInt8(ascii: "n"), UInt8(ascii: "s"), UInt8(ascii: "r"),
            UInt8(ascii: "d"), UInt8(ascii: "h"), UInt8(ascii: "p"), UInt8(ascii: "y"), UInt8(ascii: "x"):
            return shapes.lazy.compactMap { Self.length($0, at: index, of: bytes) }.first
        case UInt8(ascii: "e"): return webToken(at: index, of: bytes)
        default: return nil
        }
    }

    private static func length(_ shape: Shape, at index: Int, of bytes: [UInt8]) -> Int? {
        let rest = bytes[index...]
        guard rest.starts(with: shape.prefix) else { return nil }
        let key = rest.dropFirst(shape.prefix.count).prefix { byte in
            byte.isLetter || byte.isDigit
                || (shape.signs
                    && (byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")))
        }
        // Words joined by dashes are no key.
        guard key.count >= shape.least, key.contains(where: { $0.isDigit || (65...90).contains($0) }) else {
            return nil
        }
        return shape.prefix.count + key.count
    }

    /// Three parts of base64 with points between, the first of a JSON object.
    private static func webToken(at index: Int, of bytes: [UInt8]) -> Int? {
        let token = bytes[index...].prefix { $0.isNameByte }
        guard token.starts(with: Array("eyJ".utf8)) else { return nil }
        let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count >= 3, parts.prefix(3).allSatisfy({ $0.count >= 8 }) else { return nil }
        return token.count
    }
}
