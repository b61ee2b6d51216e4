package import ArgumentParser
package import Basics
import OCI
import Sessions
import Stores

/// `undo`: takes back the last steps and name changes.
package struct Undo: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Take back the last steps or name changes")
    package static let examples = ["undo", "undo 3"]
    package static let differences = ["Docker cannot."]

    @Argument(help: "How many.") var count = 1

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard count > 0 else { throw ShaleError(.usage, "undo: a number above zero", hint: "undo 1") }
        let session = try shell.session()
        let passed = try session.undo(count)
        return .lines(passed.map { "took back: \(MoveReport.text($0))" } + MoveReport.place(session))
    }
}

/// `redo`: makes undone states current again.
package struct Redo: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "redo", abstract: "Make again what undo took back")
    package static let examples = ["redo", "redo 2"]
    package static let differences = ["Docker cannot."]

    @Argument(help: "How many.") var count = 1

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard count > 0 else { throw ShaleError(.usage, "redo: a number above zero", hint: "redo 1") }
        let session = try shell.session()
        let passed = try session.redo(count)
        return .lines(passed.map { "made again: \(MoveReport.text($0))" } + MoveReport.place(session))
    }
}

/// What a move through the states took back or made again, in words.
enum MoveReport {
    static func text(_ node: StateTree.Node) -> String {
        let names = node.changes.compactMap { change -> String? in
            guard case .name(let reference, let before, let after) = change else { return nil }
            let from = before?.image?.short ?? "none"
            return "\(reference.familiar) \(from) -> \(after?.image?.short ?? "none")"
        }
        let line = node.line.split(separator: "\n").first.map(String.init) ?? node.line
        return names.isEmpty ? line.visible : "\(line.visible)  (\(names.joined(separator: ", ")))"
    }

    static func place(_ session: Session) -> [String] {
        guard let working = session.working else { return [] }
        return [
            " ---> \(working.image?.short ?? "an empty image")  (\(working.steps.count) step\(working.steps.count == 1 ? "" : "s"))"
        ]
    }
}
