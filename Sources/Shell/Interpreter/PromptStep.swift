import Basics
import Building
import Dockerfiles
import Images
import OCI
import Rendering
import Sessions
import Stores

/// A Dockerfile instruction typed by itself: a step on the working image, and what its layer changed.
struct PromptStep {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    func run(_ typed: String) throws(ShaleError) -> Int32 {
        let text = try withBase(typed)
        let session = try shell.session()
        try session.refresh()
        shell.stepBase = session.working?.image
        var failed: String?
        do throws(ShaleError) {
            let taken = try shell.withOperation { operation throws(ShaleError) in
                let quiet = OperationContext(cancellation: operation.cancellation) { progress in
                    // The classic builder's lines about containers are left out: the summary below has the facts.
                    if case .line(_, .detail) = progress { return }
                    operation.tell(progress)
                }
                return try Observer.measure(.build, "the step") { () throws(ShaleError) in
                    try session.take(text, directory: shell.hostDirectory, failedContainer: &failed, quiet)
                }
            }
            shell.changes += taken.changes
            if let image = taken.image { shell.remember(image: image.id.hex) }
            for line in StepReport.lines(taken) { shell.console.line(line) }
            return 0
        } catch {
            guard error.code != .cancelled else {
                throw error.keeping("nothing of this step; @ is as it was before it")
            }
            guard let failed else { throw error }
            shell.remember(failed: failed)
            let id = Identifier.short(failed)
            throw error.hinting("enter \(id)   ($failed, as it stood when it failed; nothing of it was kept in @)")
        }
    }

    /// `FROM $img` with the session's variables: no ARG can stand before it here.
    ///
    /// A variable that is not set leaves the line as it is, for the parser to judge.
    private func withBase(_ text: String) throws(ShaleError) -> String {
        guard text.contains("$"), text.split(separator: " ").first?.uppercased() == "FROM" else { return text }
        let expansion = try WordExpander(environment: shell.variables).expand(text)
        return expansion.unmatched.isEmpty ? expansion.text : text
    }
}

/// A step as the prompt and `steps` show it.
enum StepReport {
    static func lines(_ taken: StepResult) -> [String] {
        guard let result = taken.result else {
            return begun(taken)
        }
        let cached = result.wasCached ? "  (cached)" : ""
        return [" ---> \(result.image.id.short)  \(counts(result.summary))\(cached)"]
            + paths(result.summary)
    }

    /// The result of `FROM`: the base, and its ONBUILD triggers.
    private static func begun(_ taken: StepResult) -> [String] {
        guard case .began = taken.change else { return [] }
        let count = taken.triggers.count
        var lines = [" ---> an empty image"]
        if let base = taken.base {
            let layers = base.image.config.rootfs.diffIDs.count
            lines = [
                " ---> \(base.image.id.short)  \(base.name.visible)  \(HumanUnits.size(base.image.size)) in \(layers) "
                    + "layer\(layers == 1 ? "" : "s")"
            ]
        }
        if count > 0 { lines.append("# Executing \(count) build trigger\(count == 1 ? "" : "s")") }
        for trigger in taken.triggers {
            if case .step(let step) = trigger.change { lines.append(Secrets.masked(step.instruction).text.visible) }
            lines += Self.lines(trigger)
        }
        return lines
    }

    /// The first paths, and how many more there are.
    static func paths(_ summary: StepSummary) -> [String] {
        summary.firstPaths.map { "      \($0.visible)" } + more(summary)
    }

    /// What a step's layer changed: the counts, and the first paths.
    static func changes(_ summary: StepSummary) -> [String] {
        ["      \(counts(summary))"] + summary.firstPaths.map { "      \($0.visible)" } + more(summary)
    }

    /// `+1 ~0 -0  21B`, or that no file changed.
    static func counts(_ summary: StepSummary) -> String {
        if summary.isEmpty { return "no file changed" }
        return "+\(summary.added) ~\(summary.changed) -\(summary.deleted)  \(HumanUnits.size(summary.bytes))"
    }

    private static func more(_ summary: StepSummary) -> [String] {
        let rest = summary.added + summary.changed + summary.deleted - summary.firstPaths.count
        return rest > 0 ? ["      … and \(rest) more"] : []
    }
}
