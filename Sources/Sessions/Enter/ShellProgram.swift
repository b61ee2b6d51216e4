import Basics
import Layers

/// The shell that runs lines: whether the recorder supports it, and whether it exists.
enum ShellProgram {
    private static let known: Set<String> = ["sh", "ash", "dash", "bash", "busybox"]

    /// Throws `unsupported` for a shell other than sh, ash, dash and bash, and `notFound` when it is missing in `tree`.
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
    /// Names of variables that a line may use, for Tab.
    func variableNames(beside environment: [String]) -> [String] {
        Set(environment.map { String($0.prefix { $0 != "=" }) }).subtracting(unset).union(variables.keys)
            .union(exports.keys).union(["HOME", "PWD", "HOSTNAME", "OLDPWD"]).sorted()
    }
}

extension String {
    /// Whether the path is in a file system of the kernel, which is no part of an image.
    var isKernelPath: Bool { ["/proc", "/sys", "/dev"].contains { isAtOrBelow($0) } }

    /// The path, or else the nearest one above that passes a test; the root passes in any case.
    ///
    /// Throws what the test throws.
    func nearestPath(where passes: (String) throws(ShaleError) -> Bool) throws(ShaleError) -> String {
        var path = self
        while path != "/", try !passes(path) { path = path.parentPath }
        return path
    }
}
