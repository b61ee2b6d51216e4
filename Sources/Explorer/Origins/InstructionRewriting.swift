import Basics
import Images
import OCI

/// Writes a config step of an image's history as an instruction.
///
/// Histories contain lists and maps in Go's print format.
struct InstructionRewriting {
    struct Line: Equatable {
        var text: String
        var isGuess = false
    }

    let config: ContainerConfig

    /// The instruction; `nil` when `word` is no instruction's keyword.
    func instruction(_ word: String, _ rest: String) -> Line? {
        switch word {
        case "CMD", "ENTRYPOINT", "SHELL", "VOLUME": return list(word, rest)
        case "EXPOSE": return Line(text: "EXPOSE \(Self.ports(rest))")
        case "ENV":
            let values = (config.env ?? []).map { entry in
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return String(parts[0])
            }
            return Line(text: "ENV \(Self.assignments(rest, names: values))")
        case "LABEL": return Line(text: "LABEL \(Self.assignments(rest, names: Array((config.labels ?? [:]).keys)))")
        case "HEALTHCHECK": return health(rest)
        case "USER", "WORKDIR", "STOPSIGNAL", "ONBUILD", "ARG", "MAINTAINER":
            return rest.isEmpty ? nil : Line(text: "\(word) \(rest.replacingNewlines)")
        default: return nil
        }
    }

    private func list(_ word: String, _ rest: String) -> Line {
        guard rest.hasPrefix("["), rest.hasSuffix("]") else { return Line(text: "\(word) \(rest.replacingNewlines)") }
        if let document = try? JSONDocument(parsing: Array(rest.utf8), naming: word), document.array != nil {
            return Line(text: "\(word) \(rest)")
        }
        let (words, isQuoted) = Self.goWords(String(rest.dropFirst().dropLast()))
        return Line(text: "\(word) \(ConfigInstructions.array(words))", isGuess: !isQuoted && words.count > 1)
    }

    /// The words of `a b` or `"a" "b c"`, and whether all were quoted.
    static func goWords(_ text: String) -> (words: [String], isQuoted: Bool) {
        var words: [String] = []
        var isQuoted = true
        var rest = text[...]
        while let first = rest.first {
            if first == " " {
                rest.removeFirst()
            } else if first == "\"" {
                rest.removeFirst()
                var word = ""
                while let next = rest.popFirst(), next != "\"" {
                    word.append(next == "\\" ? rest.popFirst() ?? next : next)
                }
                words.append(word)
            } else {
                let word = rest.prefix { $0 != " " }
                words.append(String(word))
                rest = rest.dropFirst(word.count)
                isQuoted = false
            }
        }
        return (words, isQuoted)
    }

    /// Turns `map[443/tcp:{} 80/tcp:{}]` into `443/tcp 80/tcp`.
    static func ports(_ text: String) -> String {
        guard text.hasPrefix("map["), text.hasSuffix("]") else { return text }
        return text.dropFirst(4).dropLast().split(separator: " ").map { port in
            String(port.hasSuffix(":{}") ? port.dropLast(3) : port)
        }.joined(separator: " ")
    }

    /// Quotes the values of `A=b c D=e`.
    ///
    /// A value with spaces ends where the next known name begins.
    static func assignments(_ text: String, names: [String]) -> String {
        guard let equals = text.firstIndex(of: "="), !text[..<equals].contains(" ") else { return text }
        // Already quoted, as BuildKit writes labels.
        if text.contains("\"") || !text.contains(" ") && !text.contains("\n") { return text.replacingNewlines }
        var starts: [String.Index] = [text.startIndex]
        for name in Set(names) where !name.isEmpty {
            for range in text.ranges(of: " \(name)=") { starts.append(text.index(after: range.lowerBound)) }
        }
        starts.sort()
        var parts: [String] = []
        for (position, start) in starts.enumerated() {
            let end = position + 1 < starts.count ? starts[position + 1] : text.endIndex
            let pair = String(text[start..<end]).trimmedBlanks
            guard let equals = pair.firstIndex(of: "=") else { continue }
            parts.append("\(pair[..<equals])=\(DockerfileWord.quoted(String(pair[pair.index(after: equals)...])))")
        }
        return parts.joined(separator: " ")
    }

    /// Writes a HEALTHCHECK from the config, because the history contains only Go's print of a pointer.
    private func health(_ rest: String) -> Line {
        guard rest.hasPrefix("&{"), let check = config.healthcheck, let test = check.test, let kind = test.first else {
            return Line(text: "HEALTHCHECK \(rest.replacingNewlines)")
        }
        if kind == "NONE" { return Line(text: "HEALTHCHECK NONE") }
        var words = ["HEALTHCHECK"]
        func flag(_ name: String, _ nanoseconds: Int64?) {
            if let nanoseconds, nanoseconds > 0 { words.append("--\(name)=\(nanoseconds / 1_000_000)ms") }
        }
        flag("interval", check.interval)
        flag("timeout", check.timeout)
        flag("start-period", check.startPeriod)
        if let retries = check.retries, retries > 0 { words.append("--retries=\(retries)") }
        words.append("CMD")
        words.append(
            kind == "CMD-SHELL"
                ? test.dropFirst().joined(separator: " ").replacingNewlines
                : ConfigInstructions.array(Array(test.dropFirst())))
        return Line(text: words.joined(separator: " "), isGuess: true)
    }
}

extension String {
    /// The text without newlines, because a newline would end the instruction.
    fileprivate var replacingNewlines: String { contains("\n") ? split(separator: "\n").joined(separator: " ") : self }
}
