import Basics
import Rendering
import Stores

extension ShellContext {
    /// Does something to each container named, goes on after failures, and prints the names of those it was done to.
    ///
    /// `summary` is docker's last line, before the names that failed.
    func each(
        _ names: [String], of verb: String, failing summary: String? = nil,
        _ body: (String) throws(ShaleError) -> Void
    ) throws(ShaleError) -> Outcome {
        guard !names.isEmpty else {
            throw ShaleError(.usage, "'\(verb)' requires at least 1 argument", hint: "\(verb) CONTAINER")
        }
        var failures: [ShaleError] = []
        var failed: [String] = []
        for name in names {
            do throws(ShaleError) {
                try body(name)
                console.line(name)
            } catch {
                if error.code == .cancelled { throw error }
                failures.append(error)
                failed.append(name)
            }
        }
        if let summary, let last = failures.last, names.count > 1 {
            failures.append(
                ShaleError(last.code, "\(summary): \(failed.joined(separator: ", "))", exitStatus: last.exitStatus))
        }
        return try outcome(.none, failures: failures)
    }
}

extension ShaleError {
    /// The same with the exit status that an engine's failure has in `run`, `create` and `exec`.
    func asEngineFailure() -> ShaleError {
        var error = self
        let keepsOwn: Bool = [.usage, .notExecutable, .commandNotFound, .cancelled, .readerLeft].contains(code)
        if error.exitStatus == nil, !keepsOwn { error.exitStatus = 125 }
        return error
    }
}
