/// What `--chmod` makes of permission bits: octal (`755`) or as chmod(1) writes it (`u=rwX,go=rX`).
package struct ModeChange: Sendable, Equatable {
    private enum Sign: Character {
        case add = "+"
        case remove = "-"
        case set = "="
    }

    private struct Action: Equatable {
        /// The bits that may change.
        var affected: UInt32
        var sign: Sign
        var letters: String
    }

    private var fixed: UInt32?
    private var actions: [Action] = []

    /// The same bits whatever they were.
    package static func fixed(_ bits: UInt32) -> ModeChange {
        var change = ModeChange()
        change.fixed = bits
        return change
    }

    private init() {}

    /// `nil` for what is neither octal nor symbolic.
    package init?(parsing text: String) {
        if let bits = FileMode.octal(text) {
            fixed = bits
            return
        }
        for clause in text.split(separator: ",", omittingEmptySubsequences: false) {
            let who = clause.prefix { "ugoa".contains($0) }
            var rest = clause.dropFirst(who.count)
            guard !rest.isEmpty else { return nil }
            while let first = rest.popFirst() {
                guard let sign = Sign(rawValue: first) else { return nil }
                let letters = rest.prefix { "rwxXstugo".contains($0) }
                rest = rest.dropFirst(letters.count)
                actions.append(Action(affected: Self.affected(by: who), sign: sign, letters: String(letters)))
            }
        }
    }

    /// Without a class of users the change is for all, except the bits that a umask of 022 removes.
    private static func affected(by who: Substring) -> UInt32 {
        guard !who.isEmpty else { return 0o7755 }
        return who.reduce(0) { bits, letter in
            switch letter {
            case "u": bits | 0o4700
            case "g": bits | 0o2070
            case "o": bits | 0o1007
            default: 0o7777
            }
        }
    }

    /// The bits to give to a file that has `mode`.
    package func applied(to mode: UInt32, isDirectory: Bool) -> UInt32 {
        if let fixed { return fixed }
        return actions.reduce(mode & 0o7777) { mode, action in
            let bits = Self.bits(action.letters, mode, isDirectory: isDirectory) & action.affected
            return switch action.sign {
            case .add: mode | bits
            case .remove: mode & ~bits
            case .set: (mode & ~action.affected) | bits
            }
        }
    }

    private static func bits(_ letters: String, _ mode: UInt32, isDirectory: Bool) -> UInt32 {
        letters.reduce(0) { bits, letter in
            switch letter {
            case "r": bits | 0o444
            case "w": bits | 0o222
            case "x": bits | 0o111
            case "X": isDirectory || mode & 0o111 != 0 ? bits | 0o111 : bits
            case "s": bits | 0o6000
            case "t": bits | 0o1000
            case "u": bits | (mode >> 6 & 7) * 0o111
            case "g": bits | (mode >> 3 & 7) * 0o111
            default: bits | (mode & 7) * 0o111
            }
        }
    }
}
