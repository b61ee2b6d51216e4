package import ArgumentParser
package import Basics
import OCI
import Sessions
import Stores

/// `undo`: takes back the last steps and name changes.
package struct Undo: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Take back the last steps or name changes")
    package static let writesItsOwnEntries = true
    package static let examples = ["undo", "undo 3", "timeline"]
    package static let differences = [
        "Docker cannot.", "It takes back steps, names (tag, untag, rmi, commit, build, pull, load, import) and rm.",
        "It stops in front of what cannot be taken back, and says so: prune, volume rm, rename, update, cp into a "
            + "container, session rm. goto N goes past it.",
    ]

    @Argument(help: "How many.") var count = 1

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard count > 0 else { throw ShaleError(.usage, "undo: a number above zero", hint: "undo 1") }
        let session = try shell.session()
        let result = try Observer.measure(.session, "undo") { () throws(ShaleError) in try session.undo(count) }
        return try MoveReport.outcome(result, "took back", session, shell)
    }
}

/// `redo`: makes undone states current again.
package struct Redo: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "redo", abstract: "Make again what undo took back")
    package static let writesItsOwnEntries = true
    package static let examples = ["undo 3", "redo", "redo 2"]
    package static let differences = ["Docker cannot."]

    @Argument(help: "How many.") var count = 1

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard count > 0 else { throw ShaleError(.usage, "redo: a number above zero", hint: "redo 1") }
        let session = try shell.session()
        let result = try Observer.measure(.session, "redo") { () throws(ShaleError) in try session.redo(count) }
        return try MoveReport.outcome(result, "made again", session, shell)
    }
}

/// Describes what `undo` or `redo` took back or made again.
enum MoveReport {
    /// The states that were passed, the current state, and why the walk ended.
    static func outcome(
        _ result: MoveResult, _ verb: String, _ session: Session, _ shell: ShellContext
    ) throws(ShaleError) -> Outcome {
        let lines = result.passed.map { "\(verb): \(text($0))" } + place(session, result.passed)
        return try shell.outcome(.lines(lines), failures: [result.obstacle].compactMap(\.self))
    }

    static func text(_ move: StateMove) -> String {
        let line = (move.node.line.split(separator: "\n").first.map(String.init) ?? move.node.line).visible
        let effects = effects(move)
        return effects.isEmpty ? line : "\(line)  (\(effects.joined(separator: ", ")))"
    }

    private static func effects(_ move: StateMove) -> [String] {
        var effects: [String] = []
        let isOfImages = move.node.changes.contains { $0.isOfWorkingImage } || !move.node.names.isEmpty
        for change in move.changes {
            switch change {
            case .name(let reference, let from, let to):
                effects.append("\(reference.familiar) \(short(from)) -> \(short(to))")
            case .removed(_, let name): effects.append("container \(name) is gone")
            case .broughtBack(_, let name): effects.append("container \(name) is back")
            case .images(let shown, let hidden) where !isOfImages:
                if !shown.isEmpty { effects.append("\(images(shown)) back") }
                if !hidden.isEmpty { effects.append("\(images(hidden)) gone") }
            case .images: break
            }
        }
        return effects
    }

    private static func short(_ entry: ImageEntry?) -> String { entry?.image?.short ?? "none" }

    private static func images(_ images: [Digest]) -> String {
        if images.count == 1, let image = images.first { return "image \(image.short) is" }
        return "\(images.count) images are"
    }

    /// The working image, where a walk passed a state of it.
    static func place(_ session: Session, _ passed: [StateMove]) -> [String] {
        guard passed.contains(where: { $0.node.changes.contains { $0.isOfWorkingImage } }) else { return [] }
        return place(session)
    }

    static func place(_ session: Session) -> [String] {
        guard let working = session.working else { return [" ---> no working image"] }
        let count = working.steps.count
        return [
            " ---> \(working.image?.short ?? "an empty image")  (\(count) step\(count == 1 ? "" : "s"))"
        ]
    }
}

extension StateTree.Node {
    /// The names a state moved.
    fileprivate var names: [Reference] {
        changes.compactMap { if case .name(let reference, _, _) = $0 { reference } else { nil } }
    }
}
