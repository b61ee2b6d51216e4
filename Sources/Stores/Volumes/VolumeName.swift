package import Basics

/// What docker takes as a volume's name.
package enum VolumeName {
    /// The name itself; throws docker's words for one that is none.
    package static func validated(_ text: String) throws(ShaleError) -> String {
        guard text.utf8.count > 1 else {
            throw ShaleError(
                .invalid,
                "create \(text): volume name is too short, names should be at least two alphanumeric characters")
        }
        guard isValid(text) else {
            throw ShaleError(
                .invalid,
                "create \(text): \"\(text)\" includes invalid characters for a local volume name, only "
                    + "\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use "
                    + "absolute path")
        }
        return text
    }

    /// Two characters or more, the first a letter or digit.
    package static func isValid(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count > 1 else { return false }
        let isLetter = { (byte: UInt8) in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || $0 == 95 || $0 == 46 || $0 == 45 }
    }

    /// Whether it is one of those made for volumes that nobody named.
    package static func isAnonymous(_ name: String) -> Bool {
        name.utf8.count == 64 && name.allSatisfy(\.isHexDigit)
    }
}
