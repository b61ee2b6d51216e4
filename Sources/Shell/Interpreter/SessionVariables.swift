import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
import OCI
import Rendering
import Stores

/// The variables of a session, kept across restarts: a JSON object in its folder, for the owner alone.
struct SessionVariables {
    static let fileName = "variables"

    /// Arguments, the last status and what looks secret are not kept.
    static func isKept(_ name: String) -> Bool {
        guard let first = name.first, first.isLetter || first == "_" else { return false }
        return !Secrets.isNamed(name)
    }

    static func read(_ path: String) -> [String: String] {
        guard let bytes = try? WholeFile.read(path, limit: 4 << 20) else { return [:] }
        return (try? JSONDecoder().decode([String: String].self, from: Data(bytes))) ?? [:]
    }

    /// Writes what changed since `before` into the file, and keeps other changes that another shale wrote meanwhile.
    static func write(_ path: String, from before: [String: String], to now: [String: String]) throws(ShaleError) {
        var all = read(path)
        for name in Set(before.keys).union(now.keys) where before[name] != now[name] { all[name] = now[name] }
        let bytes = Array(try OCIDocument.encode(all))
        // A power cut may lose a variable, but must not leave half a file.
        try translating("session variables") { try WholeFile.replace(path, with: bytes, syncing: false) }
    }
}

extension ShellContext {
    private var variablesPath: String { "\(options.home)/sessions/\(options.session)/\(SessionVariables.fileName)" }

    /// Takes over the session's variables; those that are already set keep their values.
    func loadVariables() throws(ShaleError) {
        guard mode != .single else { return }
        try SessionFolder.check(options.session)
        let kept = SessionVariables.read(variablesPath)
        variables.merge(kept) { own, _ in own }
        keptVariables = kept
    }

    /// Keeps variables that changed; a single command of the host's leaves none but `$failed`.
    func keepVariables() {
        guard mode != .single else { return }
        let now = variables.filter { SessionVariables.isKept($0.key) }
        guard now != keptVariables, access("\(options.home)/sessions", W_OK) == 0 else { return }
        do throws(ShaleError) {
            _ = try sessionFolder()
            try SessionVariables.write(variablesPath, from: keptVariables, to: now)
        } catch {
            console.warning("variables are not kept: \(error)")
        }
        keptVariables = now
    }

    /// Keeps `$failed` alone.
    func keepFailure(_ container: String) {
        guard access("\(options.home)/sessions", W_OK) == 0 else { return }
        do throws(ShaleError) {
            try SessionFolder.check(options.session)
            _ = try sessionFolder()
            try SessionVariables.write(variablesPath, from: [:], to: ["failed": container])
        } catch {
            console.warning("$failed is not kept: \(error)")
        }
    }

    /// Replaces the variables of this session with those of another.
    func changeVariables(to session: String) {
        for name in variables.keys where SessionVariables.isKept(name) { variables[name] = nil }
        keptVariables = [:]
        options.session = session
        Logger.shell.attempt("read the variables of session \(session)") { try loadVariables() }
    }
}
