import Basics

/// The shell state that one line of a recorded shell passes to the next, apart from the files, `WORKDIR` and `ENV`.
///
/// An image cannot hold this state, so it is written before each line that needs it.
package struct CarriedState: Sendable, Equatable {
    /// The umask in octal; `nil` when it is the container's initial one.
    package private(set) var umask: String?
    /// Options that differ from those of a new shell: `set -o errexit`, `set -o pipefail`, `shopt -s extglob`.
    package private(set) var options: [String] = []
    /// Unset variables of the image.
    ///
    /// An image cannot remove a variable.
    package private(set) var unset: Set<String> = []
    /// Exported values that contain a newline, which `ENV` cannot write.
    package private(set) var exports: [String: String] = [:]
    package private(set) var variables: [String: String] = [:]
    package private(set) var functions: [String: String] = [:]
    package private(set) var aliases: [String: String] = [:]
    /// The working directory when the image has no such directory, for example in `/proc`.
    package var directory: String?
    /// The target of `cd -`.
    private var directoryBefore: String?
    /// The directories for `popd`, the next one first.
    private var directoryStack: [String] = []
    /// The exit status of the previous line, `$?`.
    package var lastStatus: Int32 = 0

    package init() {}

    // MARK: Before a line

    /// The line with the state before it that it needs, and the names that were written.
    package func complete(_ line: String) -> (text: String, uses: Uses) {
        var uses = Uses()
        var parts: [String] = []
        if let directory { parts.append("cd \(directory.shellQuoted)") }
        let names = NamesInLine(line)
        if let directoryBefore, names.usesVariable("OLDPWD") || (names.hasWord("cd") && names.hasWord("-")) {
            parts.append("OLDPWD=\(directoryBefore.shellQuoted)")
        }
        uses.directoryStack = names.usesDirectoryStack
        if uses.directoryStack {
            parts += directoryStack.reversed().map { "pushd -n \($0.shellQuoted) >/dev/null" }
        }
        if let umask { parts.append("umask \(umask)") }
        if !unset.isEmpty { parts.append("unset \(unset.sorted().joined(separator: " "))") }
        for name in exports.keys.sorted() { parts.append("export \(name)=\((exports[name] ?? "").shellQuoted)") }
        // Definitions may use other definitions, so this repeats until no new name is found.
        var text = line
        while true {
            let names = NamesInLine(text)
            let more = variables.keys.filter { names.usesVariable($0) || $0 == "IFS" }.filter {
                uses.variables.insert($0).inserted
            }
            let called = functions.keys.filter { names.usesCommand($0) }.filter { uses.functions.insert($0).inserted }
            for name in called { text += "\n" + (functions[name] ?? "") }
            for name in aliases.keys where names.usesCommand(name) {
                if uses.aliases.insert(name).inserted { text += "\n" + (aliases[name] ?? "") }
            }
            if more.isEmpty, called.isEmpty { break }
        }
        parts += uses.variables.sorted().compactMap { variables[$0] }
        parts += uses.functions.sorted().compactMap { functions[$0] }
        parts += options.filter { $0.hasPrefix("shopt") }
        var command = line
        if !uses.aliases.isEmpty {
            // A shell expands an alias only in lines that it reads after the definition.
            parts += uses.aliases.sorted().compactMap { aliases[$0] }
            command = "eval \(line.shellQuoted)"
        }
        // Options come last, so that `set -x` does not print the text before the line.
        let short = options.filter { $0.hasPrefix("set") }
        if !short.isEmpty { parts.append(Self.setting(short)) }
        // With errexit a failure would end the shell, so the status cannot be set.
        if lastStatus != 0, line.contains("$?") || line.contains("${?"), !options.contains("set -o errexit") {
            parts.append("(exit \(lastStatus))")
        }
        guard !parts.isEmpty else { return (line, uses) }
        let separator = parts.contains { $0.contains("\n") } || line.contains("\n") ? "\n" : "; "
        return ((parts + [command]).joined(separator: separator), uses)
    }

    /// The names that were written before a line.
    package struct Uses: Sendable, Equatable {
        package var variables: Set<String> = []
        package var functions: Set<String> = []
        package var aliases: Set<String> = []
        package var directoryStack = false

        package init() {}
    }

    private static let letters = [
        "errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "noclobber": "C", "allexport": "a",
        "verbose": "v", "noexec": "n",
    ]

    /// One `set` command for several lines of `set -o NAME`, such as `set -eu -o pipefail`.
    private static func setting(_ lines: [String]) -> String {
        var on = ""
        var words: [String] = []
        for line in lines.sorted() {
            let parts = line.split(separator: " ").map(String.init)
            guard parts.count == 3 else { continue }
            if parts[1] == "-o", let letter = letters[parts[2]] { on += letter } else { words += [parts[1], parts[2]] }
        }
        return (["set"] + (on.isEmpty ? [] : ["-\(on)"]) + words).joined(separator: " ")
    }

    // MARK: After a line

    /// Keeps assignments as exports, for a container, which has no `ENV` to hold them.
    package mutating func carry(_ assignments: [(name: String, value: String)]) {
        for assignment in assignments { exports[assignment.name] = assignment.value }
    }

    /// Takes over the shell's state after a line; returns the assignments for the image's environment.
    package mutating func absorb(
        before: ShellReport, after: ShellReport, uses: Uses, line: String, scan: ShellScan
    ) -> [(name: String, value: String)] {
        if after.directory != before.directory, let left = after.directoryBefore { directoryBefore = left }
        if uses.directoryStack || after.directoryStack.count > 1 {
            directoryStack = Array(after.directoryStack.dropFirst())
        }
        if after.umask != before.umask || umask != nil {
            umask = after.umask == before.umask ? nil : Self.octal(after.umask)
        }
        options = after.options.filter { !before.options.contains($0) }
        var assignments: [(name: String, value: String)] = []
        for (name, value) in after.exports.sorted(by: { $0.key < $1.key }) {
            unset.remove(name)
            variables[name] = nil
            if value.contains("\n") || value.contains("\r") {
                if before.exports[name] != value { exports[name] = value }
            } else {
                exports[name] = nil
                if before.exports[name] != value { assignments.append((name, value)) }
            }
        }
        for name in before.exports.keys where after.exports[name] == nil { unset.insert(name) }
        for name in exports.keys where after.exports[name] == nil { exports[name] = nil }
        for (name, text) in after.variables where before.variables[name] != text { variables[name] = text }
        for name in uses.variables where after.variables[name] == nil { variables[name] = nil }
        absorbCommands(before: before, after: after, uses: uses, line: line, scan: scan)
        return assignments
    }

    private mutating func absorbCommands(
        before: ShellReport, after: ShellReport, uses: Uses, line: String, scan: ShellScan
    ) {
        for (name, text) in after.aliases where before.aliases[name] != text { aliases[name] = text }
        for name in uses.aliases where after.aliases[name] == nil { aliases[name] = nil }
        for (name, text) in after.functions where before.functions[name] != text { functions[name] = text }
        let tells = !after.functions.isEmpty || !before.functions.isEmpty
        for name in uses.functions where tells && after.functions[name] == nil { functions[name] = nil }
        if tells { return }
        // sh and dash do not print their functions, so they are read from the line's text.
        let names = NamesInLine(line)
        if names.hasWord("unset"), names.hasWord("-f") {
            for name in functions.keys where names.hasWord(name) { functions[name] = nil }
        }
        functions.merge(scan.functionTexts) { $1 }
        for name in scan.definedFunctions { functions[name] = scan.joined ?? line }
    }

    private static func octal(_ digits: String) -> String {
        digits.count == 4 && digits.hasPrefix("0") ? String(digits.dropFirst()) : digits
    }
}
