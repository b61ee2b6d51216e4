package import Basics

/// Docker's rules for container names, and generated names.
package enum ContainerName {
    /// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, so at least two characters.
    package static func isValid(_ name: String) -> Bool {
        guard name.utf8.count >= 2, name.utf8.count <= 255, let first = name.utf8.first, isAlphanumeric(first) else {
            return false
        }
        return name.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }

    /// The name without a leading slash; throws `invalid` in docker's words.
    package static func validated(_ name: String) throws(ShaleError) -> String {
        let bare = name.hasPrefix("/") ? String(name.dropFirst()) : name
        guard isValid(bare) else {
            throw ShaleError(
                .invalid, "Invalid container name (\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        }
        return bare
    }

    /// A generated name: an adjective and a surname, after the first attempt with a digit at the end.
    package static func random(using generator: inout some RandomNumberGenerator, attempt: Int = 0) -> String {
        while true {
            let adjective = NameWords.adjectives.randomElement(using: &generator) ?? "quiet"
            let surname = NameWords.surnames.randomElement(using: &generator) ?? "lovelace"
            let digit = attempt > 0 ? String(Int.random(in: 0...9, using: &generator)) : ""
            // Docker never makes `boring_wozniak`; neither does shale.
            if adjective == "boring", surname == "wozniak" { continue }
            return "\(adjective)_\(surname)\(digit)"
        }
    }

    /// Whether `random` could have generated the name.
    package static func looksFound(_ name: String) -> Bool {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, NameWords.adjectives.contains(parts[0]) else { return false }
        let surname = parts[1].last?.isNumber ?? false ? String(parts[1].dropLast()) : parts[1]
        return NameWords.surnames.contains(surname)
    }

    /// Whether the text is a full container ID: 64 lower-case hex digits.
    static func isIdentifier(_ text: String) -> Bool {
        Identifier.isWhole(text)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}

/// A random number generator with the same numbers for the same seed on every machine (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
