/// The commands as completion and hints see them: verbs, flags and operands, each with the kind of its value.
///
/// Verbs are described when they are first asked for: reading swift-argument-parser's description of all of them would
/// cost every start of the prompt.
package final class CommandModel {
    /// What stands for a value.
    package struct Value: Sendable, Equatable {
        package var kind: ValueKind
        /// As usage names it: `image`.
        package var name: String
        /// All possible values, when they are known.
        package var words: [String]

        package init(_ kind: ValueKind, name: String = "", words: [String] = []) {
            self.kind = kind
            self.name = name
            self.words = words
        }
    }

    package struct Flag: Sendable, Equatable {
        /// With their dashes, the preferred one first.
        package var names: [String]
        package var summary: String
        /// `nil` for a switch.
        package var value: Value?

        package init(_ names: [String], summary: String = "", value: Value? = nil) {
            self.names = names
            self.summary = summary
            self.value = value
        }
    }

    package struct Operand: Sendable, Equatable {
        package var value: Value
        package var isOptional: Bool
        package var isRepeating: Bool
        /// Takes all words from here on as they are, flags included: the command of `run`.
        package var takesRest: Bool

        package init(_ value: Value, isOptional: Bool = false, isRepeating: Bool = false, takesRest: Bool = false) {
            self.value = value
            self.isOptional = isOptional
            self.isRepeating = isRepeating
            self.takesRest = takesRest
        }

        /// As usage shows it: `IMAGE`, `[COMMAND…]`.
        package var usage: String {
            let name = value.name.uppercased() + (isRepeating || takesRest ? "…" : "")
            return isOptional ? "[\(name)]" : name
        }
    }

    package struct Description: Sendable, Equatable {
        package var flags: [Flag]
        package var operands: [Operand]

        package init(flags: [Flag] = [], operands: [Operand] = []) {
            self.flags = flags
            self.operands = operands
        }

        package func flag(named name: String) -> Flag? { flags.first { $0.names.contains(name) } }
    }

    /// One verb, with a way to describe it.
    package struct Verb {
        package var name: String
        package var aliases: [String]
        package var summary: String
        package var isHidden: Bool
        let describe: () -> Description

        package init(
            _ name: String, aliases: [String] = [], summary: String = "", isHidden: Bool = false,
            describe: @escaping () -> Description
        ) {
            self.name = name
            self.aliases = aliases
            self.summary = summary
            self.isHidden = isHidden
            self.describe = describe
        }
    }

    /// In the order to list them.
    package let verbs: [Verb]
    private let byName: [String: Int]
    private var described: [String: Description] = [:]

    package init(_ verbs: [Verb]) {
        self.verbs = verbs
        var names: [String: Int] = [:]
        for (index, verb) in verbs.enumerated() {
            for name in [verb.name] + verb.aliases where names[name] == nil { names[name] = index }
        }
        byName = names
    }

    package func verb(_ name: String) -> Verb? { byName[name].map { verbs[$0] } }

    /// A verb's flags and operands; `nil` when there is no such verb.
    package func description(of name: String) -> Description? {
        guard let verb = verb(name) else { return nil }
        if let known = described[verb.name] { return known }
        let description = verb.describe()
        described[verb.name] = description
        return description
    }
}
