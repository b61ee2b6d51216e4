package import ArgumentParser
package import Basics
import LineEditing
import OCI
import Rendering
import Sessions

/// `edit`: another text for an earlier step; what follows is carried out again.
package struct Edit: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change an earlier step, and carry out what follows again",
        usage: "edit N [INSTRUCTION…]")
    package static let operandKinds: [ValueKind] = [.step]
    package static let examples = ["steps", "edit 2 RUN touch /other", "edit 3"]
    package static let differences = ["Docker cannot."]

    @Argument(help: "The step's number.") var number: Int
    @Argument(parsing: .captureForPassthrough, help: "Its new text; without one, $EDITOR opens.") var words: [String] =
        []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let number = self.number
        let words = self.words
        return try StepRewriting(shell).run { session, working, drafts throws(ShaleError) in
            let index = try session.requireStep(number, of: working)
            let text = words.joined(separator: " ")
            drafts[index].instruction = text.isEmpty ? try edited(drafts[index].instruction, shell) : text
        }
    }

    private func edited(_ instruction: String, _ shell: ShellContext) throws(ShaleError) -> String {
        let environment = shell.console.environment
        if TextEditor.chosen(in: environment) == nil {
            throw ShaleError(.usage, "edit: no text given, and no $EDITOR to ask", hint: "edit N INSTRUCTION")
        }
        return try TextEditor(environment).edit(instruction)
    }
}

/// `drop`: the working image without a step.
package struct Drop: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Leave an earlier step out, and carry out what follows again")
    package static let operandKinds: [ValueKind] = [.step]
    package static let examples = ["steps", "drop 2", "undo"]
    package static let differences = ["Docker cannot."]

    @Argument(help: "The step's number.") var number: Int

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let number = self.number
        return try StepRewriting(shell).run { session, working, drafts throws(ShaleError) in
            drafts.remove(at: try session.requireStep(number, of: working))
        }
    }
}

/// `move`: a step at another place.
package struct Move: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Put a step at another place, and carry out what follows again")
    package static let operandKinds: [ValueKind] = [.step]
    package static let examples = ["steps", "move 3 1", "recipe"]
    package static let differences = ["Docker cannot."]

    @Argument(help: "The step's number.") var number: Int
    @Argument(help: "Where it goes.") var place: Int

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let number = self.number
        let place = self.place
        return try StepRewriting(shell).run { session, working, drafts throws(ShaleError) in
            let from = try session.requireStep(number, of: working)
            let to = try session.requireStep(place, of: working)
            drafts.insert(drafts.remove(at: from), at: to)
        }
    }
}

/// `fork`: a session of its own that stands where this one stood.
package struct Fork: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "fork", abstract: "Branch a state into a session of its own", usage: "fork [N] NAME")
    package static let operandKinds: [ValueKind] = [.state, .none]
    package static let examples = ["timeline", "fork try-2", "fork 4 from-step-4"]
    package static let differences = ["Docker cannot."]

    @Argument(help: "A state's number (the current one without it), and the new session's name.")
    var words: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let session = try shell.session()
        try session.refresh()
        guard let name = words.last, words.count <= 2 else {
            throw ShaleError(.usage, "fork: [N] NAME", hint: "help fork")
        }
        var state = session.tree.head
        if words.count == 2 {
            guard let number = Int(words[0]) else {
                throw ShaleError(.usage, "fork: \(words[0].visible) is no state's number", hint: "timeline")
            }
            state = number
        }
        try session.fork(at: state, named: name)
        shell.enter(session: name)
        shell.noteOneCommand(in: name)
        return .line("now in session \(name)")
    }
}

/// Carries out changed steps and makes the result the working image.
private struct StepRewriting {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    func run(
        _ change: (Session, WorkingImage, inout [Session.Draft]) throws(ShaleError) -> Void
    ) throws(ShaleError) -> Outcome {
        let session = try shell.session()
        try session.refresh()
        let working = try session.requireWorking()
        shell.stepBase = working.image
        var drafts = session.drafts(of: working, directory: shell.hostDirectory)
        try change(session, working, &drafts)
        var failed: String?
        let result: StateChange
        do throws(ShaleError) {
            result = try shell.withOperation { operation throws(ShaleError) in
                try session.rewrite(drafts, of: working, failedContainer: &failed, operation)
            }
        } catch {
            guard let failed, !failed.isEmpty else { throw error }
            shell.remember(failed: failed)
            throw error.hinting(
                "enter \(Identifier.short(failed))   ($failed, as it stood when it failed; the steps are as they were)")
        }
        shell.changes.append(result)
        if case .rewrote(let steps) = result, let image = steps.last?.image { shell.remember(image: image.hex) }
        return .done
    }
}
