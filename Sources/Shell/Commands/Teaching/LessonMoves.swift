package import ArgumentParser
package import Basics
import Lessons

/// `lesson start [NAME|NUMBER|FILE]`: begins a lesson, or goes on with one.
package struct LessonStart: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson start", abstract: "Begin a lesson, or go on with it",
        usage: "lesson start [NAME|NUMBER|FILE.md]",
        discussion: "Without a name it is the lesson under way, else the first that is not finished yet.")
    package static let operandKinds: [ValueKind] = [.lesson]
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start", "lesson start whiteouts", "lesson start ./mine.md"]

    @Argument(help: "A lesson's name or number (lesson list), or a file.") var lesson: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .lines(try LessonRun(shell).start(lesson))
    }
}

/// `lesson next`: the step that comes.
package struct LessonNext: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson next", abstract: "Show the step that comes, or the one that is not done yet")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start images", "lesson next", "lesson report"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let run = try LessonRun(shell)
        guard let under = try run.current() else { return .lines(try run.start(nil)) }
        var before: [String] = []
        if let step = under.step, under.entry.isShown {
            if step.checks.isEmpty || run.obstacle(step) == nil {
                try run.update(under.lesson.name) { $0.pass() }
            } else {
                before = ["This step is not done yet: lesson check says why, lesson skip goes past it.", ""]
            }
        }
        return .lines(try before + run.show())
    }
}

/// `lesson hint`: a clue, a clearer one each time.
package struct LessonHint: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson hint", abstract: "Give a hint for this step, a clearer one each time")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start images", "lesson next", "lesson hint"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let run = try LessonRun(shell)
        let under = try run.required()
        guard let step = under.step, !step.hints.isEmpty else {
            return .line(
                under.step == nil
                    ? "The lesson is done." : "There is no hint for this step: lesson next shows it again.")
        }
        let number = under.entry.step
        let shown = under.entry.hints[number] ?? 0
        let hint = step.hints[max(0, min(shown, step.hints.count - 1))]
        try run.update(under.lesson.name) { $0.hints[number] = min(shown + 1, step.hints.count) }
        let more =
            shown + 1 < step.hints.count
            ? ["", "lesson hint again says more."] : ["", "That was the last hint; lesson solution shows the lines."]
        return .lines(hint.split(separator: "\n").flatMap { run.text.wrapped(String($0)) } + more)
    }
}

/// `lesson check`: whether the step is done, and if not, why.
package struct LessonCheckCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson check", abstract: "Check this step, and say what is missing")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start images", "lesson next", "lesson check"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let run = try LessonRun(shell)
        let under = try run.required()
        guard let step = under.step else { return .lines(try run.show()) }
        guard !step.checks.isEmpty else { return .line("This step is only read: lesson next goes on.") }
        guard let obstacle = run.obstacle(step) else { return .line(try run.passed(under)) }
        try run.update(under.lesson.name) { $0.failedChecks += 1 }
        guard obstacle.isBroken else {
            return Outcome(.lines(["Not yet: \(obstacle.error.description.visible)", "lesson hint helps."]), status: 1)
        }
        return Outcome(
            .lines([
                "This step needs something that is not here: \(obstacle.error.description.visible)",
                "undo may bring it back; lesson restart begins the lesson again.",
            ]), status: 1)
    }
}

/// `lesson solution`: the lines that do the step.
package struct LessonSolution: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson solution", abstract: "Show the lines that do this step")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start images", "lesson next", "lesson solution"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let run = try LessonRun(shell)
        let under = try run.required()
        guard let step = under.step, !step.solution.isEmpty else {
            return .line(under.step == nil ? "The lesson is done." : "This step is only read: lesson next goes on.")
        }
        try run.update(under.lesson.name) { $0.solved.insert(under.entry.step) }
        return .lines(step.solution)
    }
}

/// `lesson skip`: past a step that is not done.
package struct LessonSkip: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson skip", abstract: "Go past this step without doing it")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start images", "lesson skip", "lesson next"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let run = try LessonRun(shell)
        let under = try run.required()
        try run.update(under.lesson.name) { $0.pass(skipping: true) }
        return .lines(try run.show())
    }
}

/// `lesson restart`: from the first step again.
package struct LessonRestart: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson restart", abstract: "Begin this lesson again",
        discussion:
            "Nothing that you made is removed; what an earlier try left is listed, with the line that takes it away.")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start images", "lesson next", "lesson restart"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .lines(try LessonRun(shell).restart())
    }
}

/// `lesson stop`: leaves the lesson, and keeps how far one has come.
package struct LessonStop: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson stop", abstract: "Leave the lesson; lesson start goes on with it")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson start images", "lesson stop", "lesson list"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .line(try LessonRun(shell).stop())
    }
}
