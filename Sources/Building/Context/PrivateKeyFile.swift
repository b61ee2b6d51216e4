import FoundationEssentials

/// The file of a private key, as far as its form says whether a passphrase protects it.
enum PrivateKeyFile {
    /// The largest file that is looked at, in bytes.
    static let largest = 1 << 20

    /// Whether a passphrase protects the key.
    ///
    /// OpenSSH's own form names the cipher after its magic (OpenSSH's PROTOCOL.key, section 1). The older forms say it
    /// in text: PEM in the header `Proc-Type` (RFC 1421, section 4.6.1.1), PKCS #8 in its label (RFC 7468, section 11).
    static func isEncrypted(_ bytes: [UInt8]) -> Bool {
        let lines = bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }).map { String(decoding: $0, as: UTF8.self) }
        guard let start = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") }) else { return false }
        switch lines[start] {
        case "-----BEGIN ENCRYPTED PRIVATE KEY-----": return true
        case "-----BEGIN OPENSSH PRIVATE KEY-----":
            let text = lines[(start + 1)...].prefix { !$0.hasPrefix("-") }.joined()
            return Data(base64Encoded: text).map { namesCipher(Array($0)) } ?? false
        default:
            let headers = lines[(start + 1)...].prefix { $0.contains(":") }
            return headers.contains { $0.filter { $0 != " " } == "Proc-Type:4,ENCRYPTED" }
        }
    }

    /// Whether a key in OpenSSH's own form has a cipher: a text of a four-byte length, `none` for no cipher.
    private static func namesCipher(_ key: [UInt8]) -> Bool {
        let magic = Array("openssh-key-v1\0".utf8)
        guard key.starts(with: magic), key.count >= magic.count + 4 else { return false }
        let length = key[magic.count..<(magic.count + 4)].reduce(0) { $0 << 8 | Int($1) }
        let cipher = key[(magic.count + 4)...].prefix(length)
        return cipher.count == length && !cipher.elementsEqual("none".utf8)
    }
}
