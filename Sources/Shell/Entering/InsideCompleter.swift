import Basics
import Layers
import LineEditing
import Linux
import Sessions

/// Tab inside the recorded shell: paths, programs on `PATH` and variables, from the unpacked layers; nothing is
/// started.
struct InsideCompleter: Completer {
    private let inside: any LineShell
    private static let mostEntries = 5000
    private static let builtins = [
        "alias", "cd", "echo", "eval", "exec", "exit", "export", "for", "if", "printf", "pwd", "read", "set", "test",
        "trap", "type", "umask", "unalias", "unset", "wait", "while", "case",
    ]
    /// Words behind which a command stands.
    private static let openers: Set<String> = [
        "if", "then", "else", "elif", "while", "until", "do", "{", "!", "time", "exec", "command",
    ]

    init(_ inside: any LineShell) { self.inside = inside }

    func completions(for text: String) -> Completions {
        let word = InsideWord(text)
        let length = text.unicodeScalars.count
        if let name = word.variable {
            let prefix = name.opening + name.prefix
            let candidates = inside.variableNames.filter { $0.hasPrefix(name.prefix) }.map {
                Candidate(
                    name.opening + $0 + (name.opening == "${" ? "}" : ""), display: $0,
                    summary: inside.value(of: $0) ?? "", isWhole: true)
            }
            return Completions(candidates, span: (length - prefix.unicodeScalars.count)..<length)
        }
        let span = word.start..<length
        if text.trimmingBlanks.hasPrefix("\\"), word.isFirst {
            let names = InsideCommands.verbs.map { "\\\($0)" }.filter { $0.hasPrefix(word.raw) }
            return Completions(names.sorted().map { Candidate($0) }, span: span)
        }
        if word.isFirst || Self.openers.contains(word.before), !word.value.contains("/") {
            return Completions(programs(word.value).map { Candidate(word.quoted($0), display: $0) }, span: span)
        }
        return Completions(paths(word), span: span)
    }

    private func programs(_ prefix: String) -> [String] {
        var names = Set(Self.builtins + inside.commandNames)
        let search = inside.value(of: "PATH") ?? DefaultPath.value
        if let tree = try? inside.tree() {
            for folder in search.split(separator: ":") {
                guard let children = try? tree.children(of: String(folder)) else { continue }
                for child in children where child.status.kind != .directory { names.insert(child.name) }
            }
        }
        return names.filter { $0.hasPrefix(prefix) }.sorted()
    }

    private func paths(_ word: InsideWord) -> [Candidate] {
        guard let tree = try? inside.tree() else { return [] }
        let slash = word.value.lastIndex(of: "/")
        let written = slash.map { String(word.value[...$0]) } ?? ""
        let name = slash.map { String(word.value[word.value.index(after: $0)...]) } ?? word.value
        var folder = written
        if folder.hasPrefix("~/") { folder = (inside.value(of: "HOME") ?? "/root") + folder.dropFirst() }
        if !folder.hasPrefix("/") { folder = inside.directory + "/" + folder }
        guard let directory = try? tree.entry(folder, followingLinks: true),
            let children = try? tree.children(of: directory)
        else { return [] }
        var candidates: [Candidate] = []
        for child in children where child.name.hasPrefix(name) && (!child.name.hasPrefix(".") || name.hasPrefix(".")) {
            guard candidates.count < Self.mostEntries else { break }
            var isDirectory = child.status.kind == .directory
            if child.status.kind == .symlink, let target = try? tree.entry(child.path, followingLinks: true) {
                isDirectory = target.status.kind == .directory
            }
            let end = isDirectory ? "/" : ""
            candidates.append(
                Candidate(word.quoted(written + child.name) + end, display: child.name + end, isWhole: !isDirectory))
        }
        return candidates.sorted { $0.display < $1.display }
    }
}

/// The word of shell that ends at the cursor.
struct InsideWord: Equatable {
    /// Where it begins, in scalars.
    private(set) var start = 0
    /// As typed, and what it stands for.
    private(set) var raw = ""
    private(set) var value = ""
    /// Whether a command's name stands here.
    private(set) var isFirst = true
    /// The word before, in the same command.
    private(set) var before = ""
    /// The quote that is open.
    private var quote: Unicode.Scalar?
    /// `$NAM` or `${NAM` at the end: how it opens, and what is typed of the name.
    private(set) var variable: Variable?

    struct Variable: Equatable {
        var opening: String
        var prefix: String
    }

    init(_ text: String) {
        let scalars = Array(text.unicodeScalars)
        var index = 0
        var typed = String.UnicodeScalarView()
        var meant = String.UnicodeScalarView()
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" || scalar == "\n" }
        while index < scalars.count {
            let scalar = scalars[index]
            if let open = quote {
                typed.append(scalar)
                if scalar == open { quote = nil } else { meant.append(scalar) }
            } else if scalar == "\\", index + 1 < scalars.count {
                typed.append(scalar)
                index += 1
                typed.append(scalars[index])
                meant.append(scalars[index])
            } else if scalar == "'" || scalar == "\"" {
                quote = scalar
                typed.append(scalar)
            } else if isBlank(scalar) || ";&|()<>`".unicodeScalars.contains(scalar) {
                if !typed.isEmpty {
                    before = String(meant)
                    // `A=b cmd`: still no command's name.
                    let isAssignment = ShellWords.isName(before.prefix { $0 != "=" }) && before.contains("=")
                    if !isAssignment { isFirst = false }
                }
                if ";&|(`\n".unicodeScalars.contains(scalar) {
                    isFirst = true
                    before = ""
                }
                if scalar == "<" || scalar == ">" { isFirst = false }
                typed = .init()
                meant = .init()
                start = index + 1
            } else {
                typed.append(scalar)
                meant.append(scalar)
            }
            index += 1
        }
        raw = String(typed)
        value = String(meant)
        if quote != "'" { variable = Self.variable(atEndOf: raw) }
        // `--prefix=/us`, `A=/us`: what stands behind the `=` is the path.
        if variable == nil, let equals = raw.lastIndex(of: "="), quote == nil {
            let head = raw[...equals]
            start += head.unicodeScalars.count
            raw = String(raw[raw.index(after: equals)...])
            if let place = value.lastIndex(of: "=") { value = String(value[value.index(after: place)...]) }
            isFirst = false
        }
    }

    private static func variable(atEndOf raw: String) -> Variable? {
        guard let dollar = raw.lastIndex(of: "$") else { return nil }
        var name = raw[raw.index(after: dollar)...]
        var opening = "$"
        if name.hasPrefix("{") {
            opening = "${"
            name = name.dropFirst()
        }
        guard name.utf8.allSatisfy(ShellWords.isNameByte) else { return nil }
        return Variable(opening: opening, prefix: String(name))
    }

    /// A text as it is typed in this word's place.
    func quoted(_ text: String) -> String {
        if let quote { return String(Character(quote)) + text }
        return text.shellEscaped
    }
}
