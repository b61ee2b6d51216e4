import Glibc

/// Packages from PyPI in a Python of their own, for tests that compare with what others wrote.
///
/// Made once a run, on first use.
package final class PythonPackages: Sendable {
    private let folder = TemporaryDirectory()
    /// The Python that has them; `nil` where they can't be had.
    package let python: String?
    /// Where they lie.
    package var libraries: String { "\(folder.path)/lib" }

    /// `packages` are what `pip install` takes.
    package init(_ packages: [String]) {
        let place = folder.path
        let python = "\(place)/python/bin/python3"
        func run(_ program: String, _ arguments: [String]) -> Bool {
            let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
            let outcome = try? Peer("env").run(
                [program] + arguments, environment: ["HOME": place, "PATH": path], expecting: nil)
            return outcome?.status == 0
        }
        let isMade =
            run("python3", ["-m", "venv", "\(place)/python"])
            && run(
                python,
                ["-m", "pip", "install", "-q", "--timeout", "20", "--retries", "1", "--target", "\(place)/lib"]
                    + packages)
        self.python = isMade ? python : nil
    }

    /// Runs a script with the packages at hand.
    package func run(_ script: String, _ arguments: [String]) throws -> Peer.Outcome {
        try Peer("env").run(
            ["PYTHONPATH=\(libraries)", python ?? "python3", "-c", script] + arguments, expecting: nil)
    }
}
