/// Docker's spellings of flags that our parser does not accept: `--flag=true`, `--flag=false`, and a short option
/// directly followed by a value that contains `=`, `-eNAME=VALUE`.
enum SpelledFlags {
    /// A command's options by name, with their dashes.
    struct Names: Sendable {
        /// Those that take no value.
        var switches: Set<String> = []
        /// Those that take one.
        var valued: Set<String> = []
        /// The negated form of a switch: `--no-sig-proxy` of `--sig-proxy`.
        var contraries: [String: String] = [:]

        init(switches groups: [[String]], valued: [String]) {
            switches = Set(groups.joined())
            self.valued = Set(valued)
            for names in groups {
                for name in names {
                    guard let long = name.hasPrefix("--") ? name : names.first(where: { $0.hasPrefix("--") }) else {
                        continue
                    }
                    let contrary = "--no-" + long.dropFirst(2)
                    if switches.contains(contrary) { contraries[name] = contrary }
                }
            }
        }
    }

    static func normalised(_ arguments: [String], for type: any Verb.Type) -> [String] {
        guard arguments.contains(where: { $0.hasPrefix("-") && $0.contains("=") }) else { return arguments }
        return normalised(
            arguments, by: CommandTable.optionNames(of: type),
            stoppingAtOperand: CommandTable.stopsAtFirstOperand(type))
    }

    static func normalised(_ arguments: [String], by names: Names, stoppingAtOperand stops: Bool) -> [String] {
        var result: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            // What stands behind the image is the container's own.
            if argument == "--" || (!argument.hasPrefix("-") && stops) { return result + arguments[index...] }
            index += 1
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, names.switches.contains(parts[0]), let isOn = truth(parts[1]) {
                if isOn {
                    result.append(parts[0])
                } else if let contrary = names.contraries[parts[0]] {
                    result.append(contrary)
                }
            } else if let (words, takesNext) = taken(argument, by: names) {
                result += words
                if takesNext, index < arguments.count {
                    result.append(arguments[index])
                    index += 1
                }
            } else {
                result.append(argument)
            }
        }
        return result
    }

    /// Whether a word is an option whose value is the next word.
    static func takesNext(_ word: String, by names: Names) -> Bool { taken(word, by: names)?.takesNext ?? false }

    /// A word that ends in an option with a value, as our parser reads it, and whether the value is the next word.
    private static func taken(_ word: String, by names: Names) -> (words: [String], takesNext: Bool)? {
        if names.valued.contains(word) { return ([word], true) }
        guard word.hasPrefix("-"), !word.hasPrefix("--") else { return nil }
        let letters = Array(word.dropFirst())
        for (place, letter) in letters.enumerated() {
            let name = "-\(letter)"
            if names.valued.contains(name) {
                let value = String(letters[(place + 1)...])
                guard !value.isEmpty else { return ([word], true) }
                guard value.contains("="), place > 0 || value.first != "=" else { return nil }
                let before = letters[..<place].map { "-\($0)" }
                return (before + [name, value.first == "=" ? String(value.dropFirst()) : value], false)
            }
            guard names.switches.contains(name) else { return nil }
        }
        return nil
    }

    private static func truth(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }
}
