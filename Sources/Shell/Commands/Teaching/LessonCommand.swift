package import ArgumentParser
package import Basics
import Lessons
import Rendering

/// `lesson COMMAND`: lessons at the prompt, checked by what they leave in the home.
package struct LessonCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson", abstract: "Learn at the prompt, step by step: every step is checked",
        usage: """
            lesson [list]
            lesson start [NAME|NUMBER|FILE.md]
            lesson next
            lesson hint
            lesson check
            lesson solution
            lesson skip
            lesson restart
            lesson stop
            lesson report [--format json]
            lesson lint FILE.md
            """,
        discussion: """
            A step is done when the home is as it should be, whatever was typed for it; after each line it is checked by \
            itself. How far you have come is kept in the session. 'help lesson lint' says how a file of your own is written.
            """)
    package static let operandKinds: [ValueKind] = [.none]
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson", "lesson start", "lesson hint"]
    package static let differences = ["Docker has no such command."]
    package static let subcommands: [any Verb.Type] = [
        LessonList.self, LessonStart.self, LessonNext.self, LessonHint.self, LessonCheckCommand.self,
        LessonSolution.self, LessonSkip.self, LessonRestart.self, LessonStop.self, LessonReport.self, LessonLint.self,
    ]
    package static let otherNames = [
        "ls": "list", "check-file": "lint", "begin": "start", "quit": "stop", "exit": "stop",
    ]

    @Argument(parsing: .captureForPassthrough, help: "list, start, next, hint, check and so on.")
    var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let word = words.first else { return try LessonList.invoke([], in: shell) }
        if ["--help", "-h"].contains(word) { return .text(HelpText.of(Self.self)) }
        let near = Suggestion.nearest(to: word, among: Self.secondWords.map(\.word)).first
        // Whoever forgets `start` names a lesson.
        let isLesson = word.hasSuffix(".md") || (try? LessonLibrary.lesson(named: word)) != nil
        let hint = isLesson ? "lesson start \(word)" : near.map { "lesson \($0)" }
        throw ShaleError(.usage, "unknown command: lesson \(word.visible)", hint: hint ?? "help lesson")
    }
}

/// `lesson list`: the lessons, and how far one has come in each.
package struct LessonList: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson list", abstract: "List the lessons, and how far you have come",
        usage: "lesson list [--format json]")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = ["lesson list", "lesson list --format json", "lesson list | grep images"]

    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let progress = try LessonRun(shell).progress()
        var rows = Rows([
            .init(key: "mark", header: ""), .init(key: "name", header: "LESSON"),
            .init(key: "title", header: "TITLE", shrinks: true), .init(key: "steps", header: "STEPS"),
        ])
        var titles = LessonLibrary.builtIn.map { ($0.name, $0.title, $0.steps.count) }
        let known = Set(titles.map(\.0))
        titles += progress.lessons.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value.title, $0.value.stepCount)
        }
        for (name, title, count) in titles {
            let entry = progress.lessons[name]
            let mark = progress.current == name ? "=>" : entry?.isFinished ?? false ? "*" : ""
            let passed = min(entry?.step ?? 0, count)
            let steps =
                entry == nil ? "\(count)" : entry?.isFinished ?? false ? "\(count), done" : "\(passed) of \(count)"
            rows.add(
                [mark, name, title.visible, steps],
                .members([
                    "name": .string(name), "title": .string(title), "steps": .integer(Int64(count)),
                    "passed": .integer(Int64(passed)), "isUnderWay": .bool(progress.current == name),
                    "isDone": .bool(entry?.isFinished ?? false),
                ]))
        }
        return rows.outcome(format: format, width: shell.console.width)
    }
}

/// `lesson report`: what a teacher wants to know.
package struct LessonReport: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson report", abstract: "Report what was done in every lesson that was begun",
        usage: "lesson report [--format json]", discussion: "Steps are numbered from 1. The report is of this session.")
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = [
        "lesson report", "lesson report --format json > ada.json", "lesson report > ada.txt",
    ]

    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let progress = try LessonRun(shell).progress()
        var rows = Rows([
            .init(key: "lesson", header: "LESSON"), .init(key: "done", header: "DONE"),
            .init(key: "skipped", header: "SKIPPED"), .init(key: "hints", header: "HINTS"),
            .init(key: "solutions", header: "SOLUTIONS"), .init(key: "failedChecks", header: "FAILED CHECKS"),
            .init(key: "status", header: "STATUS"),
        ])
        func numbers(_ steps: Set<Int>) -> JSONDocument { .array(steps.sorted().map { .integer(Int64($0 + 1)) }) }
        for (name, entry) in progress.lessons.sorted(by: { $0.value.started < $1.value.started }) {
            let status = entry.isFinished ? "done" : "at step \(entry.step + 1)"
            let hints = entry.hints.values.reduce(0, +)
            rows.add(
                [
                    name, "\(entry.done.count) of \(entry.stepCount)", "\(entry.skipped.count)", "\(hints)",
                    "\(entry.solved.count)", "\(entry.failedChecks)", status,
                ],
                .members([
                    "lesson": .string(name), "title": .string(entry.title), "session": .string(shell.options.session),
                    "file": entry.file.map { .string($0) } ?? .null, "steps": .integer(Int64(entry.stepCount)),
                    "done": numbers(entry.done), "skipped": numbers(entry.skipped), "solutions": numbers(entry.solved),
                    "hints": .integer(Int64(hints)), "failedChecks": .integer(Int64(entry.failedChecks)),
                    "isFinished": .bool(entry.isFinished), "started": .string(entry.started.description),
                    "finished": entry.finished.map { .string($0.description) } ?? .null,
                ]))
        }
        return rows.outcome(format: format, width: shell.console.width)
    }
}

/// `lesson lint FILE`: every mistake in a lesson's file.
package struct LessonLint: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "lesson lint", abstract: "Look for mistakes in a lesson's file", usage: "lesson lint FILE.md",
        discussion: """
            A lesson is a Markdown file. It begins with front matter: a line ---, then name:, order:, title: and perhaps \
            makes: (container NAME, image NAME, volume NAME), then a line ---. Prose follows. A line that begins with ## \
            begins a step. In a step these fenced blocks have a meaning:
            console: what may be typed. check: lines of shale that only look, and must succeed when the step is done. \
            needs: lines that must succeed for the step to be possible. hint: one of any number. solution: lines that do \
            the step. A step without a check is only read.
            """)
    package static let operandKinds: [ValueKind] = [.hostPath]
    package static let isWorthKeeping = false
    package static let isRecorded = false
    package static let isAboutLines = true
    package static let examples = [
        "lesson lint ./mine.md", "lesson lint ./mine.md && lesson start ./mine.md",
        "lesson lint ./mine.md > mistakes.txt",
    ]

    @Argument(help: "The file.") var file: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let text = try LessonLibrary.text(ofFile: file)
        let (lesson, problems) = LessonReader.read(text) { LessonChecks.problem(in: $0) }
        guard let lesson else {
            return Outcome(.lines(problems.map { "\(file.visible):\($0.line): \($0.message)" }), status: 1)
        }
        let checks = lesson.steps.reduce(0) { $0 + $1.checks.count }
        return .line(
            "\(file.visible): the lesson \(lesson.name) is fine: \(lesson.steps.count) step\(lesson.steps.count == 1 ? "" : "s"), "
                + "\(checks) check\(checks == 1 ? "" : "s")")
    }
}
