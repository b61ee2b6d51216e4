import Basics
import Linux

/// The state of a shell at one moment, as the shell reported it.
package struct ShellReport: Sendable, Equatable {
    /// Lines such as `set -o NAME`, `set +o NAME`, and bash's `shopt -s NAME`.
    package var options: [String] = []
    package var umask = ""
    package var directory = ""
    /// The target of `cd -`.
    package var directoryBefore: String?
    /// bash's directory stack: the working directory, then the directories for `popd`.
    package var directoryStack: [String] = []
    package var exports: [String: String] = [:]
    /// Shell variables that are not exported: the name, and a command that sets the variable again.
    package var variables: [String: String] = [:]
    /// Functions by name.
    ///
    /// Only bash reports them.
    package var functions: [String: String] = [:]
    package var aliases: [String: String] = [:]

    /// Variables that a shell sets itself, or that have no meaning in another shell.
    private static let own: Set<String> = [
        "_", "PWD", "OLDPWD", "SHLVL", "LINENO", "RANDOM", "SRANDOM", "SECONDS", "EPOCHSECONDS", "EPOCHREALTIME",
        "PPID", "PIPESTATUS", "OPTIND", "OPTERR", "FUNCNAME", "HISTCMD", "DIRSTACK", "COLUMNS", "LINES", "SHELLOPTS",
        "GROUPS", "HOSTNAME", "COMP_WORDBREAKS", "RANDOM_SEED", "PS1", "PS2", "PS4",
    ]

    private static func isOwn(_ name: some StringProtocol) -> Bool {
        own.contains(String(name)) || name.hasPrefix("BASH") || name.hasPrefix("_shale_")
    }

    /// Reads the report `before` or `after` from the recorder's files; `nil` when the shell wrote none.
    package init?(_ moment: String, of files: [String: [UInt8]]) {
        func text(_ name: String) -> String? {
            files["\(moment).\(name)"].map { String(pathBytes: $0) }
        }
        guard let options = text("options"), let exports = text("exports"), let variables = text("variables") else {
            return nil
        }
        let lines = (options + "\n" + (text("shopt") ?? "")).split(separator: "\n").map(String.init)
        self.options = lines.filter { $0.hasPrefix("set ") || $0.hasPrefix("shopt ") }
        umask = (text("umask") ?? "").filter(\.isNumber)
        directory = text("directory") ?? ""
        if directory.hasSuffix("\n") { directory.removeLast() }
        directoryStack = (text("stack") ?? "").split(separator: "\n").map(String.init)
        for entry in ShellWords.entries(exports) { readExport(entry) }
        let isBash = files["\(moment).functions"] != nil
        for entry in ShellWords.entries(variables) { isBash ? readDeclaration(entry) : readAssignment(entry) }
        for entry in ShellWords.entries(text("aliases") ?? "") { readAlias(entry) }
        readFunctions(text("functions") ?? "")
    }

    /// Reads a line such as `export A='b'`, or bash's `declare -x A="b"`.
    private mutating func readExport(_ entry: String) {
        guard let (name, value) = Self.assignment(Self.operand(entry)) else { return }
        if name == "OLDPWD" { directoryBefore = ShellWords.unquoted(value) }
        guard !Self.isOwn(name) else { return }
        exports[name] = ShellWords.unquoted(value)
    }

    private mutating func readAssignment(_ entry: String) {
        guard let (name, value) = Self.assignment(entry[...]) else { return }
        if name == "OLDPWD" { directoryBefore = ShellWords.unquoted(value) }
        guard !Self.isOwn(name), exports[name] == nil else { return }
        variables[name] = "\(name)=\(ShellWords.unquoted(value).shellQuoted)"
    }

    /// Reads bash's `declare -a A=([0]="b")`: kept as it is, except that a plain variable becomes an assignment.
    private mutating func readDeclaration(_ entry: String) {
        let parts = entry.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "declare", let (name, value) = Self.assignment(parts[2]),
            !Self.isOwn(name), !parts[1].contains("x")
        else { return }
        variables[name] = parts[1] == "--" ? "\(name)=\(ShellWords.unquoted(value).shellQuoted)" : entry
    }

    private mutating func readAlias(_ entry: String) {
        let text = entry.hasPrefix("alias ") ? entry.dropFirst(6) : entry[...]
        guard let equals = text.firstIndex(of: "=") else { return }
        let value = ShellWords.unquoted(text[text.index(after: equals)...])
        aliases[String(text[..<equals])] = "alias \(text[..<equals])=\(value.shellQuoted)"
    }

    /// Reads functions as bash prints them: `name () `, then the body up to a line that is `}`.
    private mutating func readFunctions(_ text: String) {
        var name: String?
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if name == nil, line.hasSuffix(" () ") {
                name = String(line.dropLast(4))
                lines = [line]
            } else if let current = name {
                lines.append(line)
                if line == "}" {
                    if !current.hasPrefix("_shale_") { functions[current] = lines.joined(separator: "\n") }
                    name = nil
                }
            }
        }
    }

    /// The text after `export ` or `declare -x `.
    private static func operand(_ entry: String) -> Substring {
        var rest = entry.drop { $0 != " " }.dropFirst()
        while rest.hasPrefix("-") { rest = rest.drop { $0 != " " }.dropFirst() }
        return rest
    }

    private static func assignment(_ text: Substring) -> (name: String, value: Substring)? {
        guard let equals = text.firstIndex(of: "="), ShellWords.isName(text[..<equals]) else { return nil }
        return (String(text[..<equals]), text[text.index(after: equals)...])
    }
}
