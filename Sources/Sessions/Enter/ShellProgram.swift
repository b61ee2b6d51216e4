import Basics
import Layers

/// The program that runs lines: which ones the recorder speaks to, and whether it is there.
enum ShellProgram {
    private static let known: Set<String> = ["sh", "ash", "dash", "bash", "busybox"]

    /// Throws `unsupported` for a shell that is none of sh, ash, dash and bash, `notFound` where it is not among the
    /// files.
    static func require(_ shell: [String], in tree: MergedTree, named owner: String) throws(ShaleError) {
        let program = shell.first ?? "/bin/sh"
        let name = program.split(separator: "/").last.map(String.init) ?? program
        guard known.contains(name) else {
            throw ShaleError(
                .unsupported, "enter knows sh, ash, dash and bash, and the SHELL of \(owner) is \(program.visible)",
                hint: "SHELL [\"/bin/sh\", \"-c\"]")
        }
        guard program.hasPrefix("/") else { return }
        guard !tree.layers.isEmpty, try tree.entry(program, followingLinks: true) != nil else {
            throw ShaleError(
                .notFound, "\(owner) has no shell: \(program.visible) is not in it",
                hint: "RUN [\"/program\", \"argument\"]")
        }
    }

    static func isRoot(_ user: String?) -> Bool {
        let name = (user ?? "").prefix { $0 != ":" }
        return name.isEmpty || name == "root" || name == "0"
    }
}

extension CarriedState {
    /// Names of variables a line may use, for Tab.
    func variableNames(beside environment: [String]) -> [String] {
        Set(environment.map { String($0.prefix { $0 != "=" }) }).subtracting(unset).union(variables.keys)
            .union(exports.keys).union(["HOME", "PWD", "HOSTNAME", "OLDPWD"]).sorted()
    }
}

extension String {
    /// The path above; `/` above a top-level one.
    var directoryAbove: String {
        guard let slash = lastIndex(of: "/"), slash != startIndex else { return "/" }
        return String(self[..<slash])
    }
}
