import Basics
import Containers
import Images
import Lessons
import Recipes
import Rendering
import Sessions

/// The lesson that a session has under way, and the moves through it.
struct LessonRun {
    private let shell: ShellContext
    private let book: LessonBook

    init(_ shell: ShellContext) throws(ShaleError) {
        self.shell = shell
        book = LessonBook(try shell.sessionFolder())
    }

    /// A lesson that is under way, with how far it has come.
    struct UnderWay {
        var lesson: Lesson
        var entry: LessonProgress.Entry
        var step: LessonStep? { lesson.steps.indices.contains(entry.step) ? lesson.steps[entry.step] : nil }
    }

    func progress() throws(ShaleError) -> LessonProgress { try book.read() }

    /// The lesson under way; `nil` for none.
    func current() throws(ShaleError) -> UnderWay? {
        let progress = try book.read()
        guard let name = progress.current, let entry = progress.lessons[name] else { return nil }
        let lesson = try Self.lesson(entry.file, name)
        return UnderWay(lesson: lesson, entry: entry)
    }

    /// Throws `notFound` where none is under way.
    func required() throws(ShaleError) -> UnderWay {
        guard let current = try current() else {
            throw ShaleError(.notFound, "no lesson is under way", hint: "lesson start   (lesson list shows all)")
        }
        return current
    }

    /// The lesson in a file, else the program's own of that name.
    private static func lesson(_ file: String?, _ name: String) throws(ShaleError) -> Lesson {
        if let file { return try lesson(inFile: file) }
        return try LessonLibrary.lesson(named: name)
    }

    /// Reads a teacher's file.
    ///
    /// Throws `invalid` with the file and line of its first mistake.
    static func lesson(inFile path: String) throws(ShaleError) -> Lesson {
        let text = try LessonLibrary.text(ofFile: path)
        let (lesson, problems) = LessonReader.read(text) { LessonChecks.problem(in: $0) }
        if let lesson { return lesson }
        let first = problems.first.map { "\($0.line): \($0.message)" } ?? "1: no lesson"
        let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        throw ShaleError(
            .invalid, "\(path.visible):\(first)\(more)", hint: "lesson lint \(path.shellQuoted)")
    }

    func update(_ name: String, _ body: (inout LessonProgress.Entry) -> Void) throws(ShaleError) {
        try book.update { progress in
            guard var entry = progress.lessons[name] else { return }
            body(&entry)
            progress.lessons[name] = entry
        }
    }

    // MARK: Beginning and leaving

    /// Begins a lesson or goes on with it; `anew` forgets how far it had come.
    ///
    /// Without a word it is the one under way, else the next that is not finished, else the first.
    func start(_ word: String?, anew: Bool = false) throws(ShaleError) -> [String] {
        guard let word else {
            let progress = try book.read()
            let under = progress.current.flatMap { progress.lessons[$0]?.file ?? $0 }
            return try start(under ?? progress.nextLesson()?.name ?? "1", anew: anew)
        }
        var file: String?
        if word.contains("/") || word.hasSuffix(".md") {
            file = word.hasPrefix("/") ? word : "\(shell.hostDirectory)/\(word)"
        }
        let lesson = try Self.lesson(file, word)
        var wentOn = false
        try book.update(startingAnew: true) { progress in
            let known = progress.lessons[lesson.name]
            let fits = known?.file == file && known?.stepCount == lesson.steps.count && !(known?.isFinished ?? true)
            wentOn = !anew && fits && known?.step != 0
            if !wentOn {
                progress.lessons[lesson.name] = LessonProgress.Entry(
                    title: lesson.title, file: file, stepCount: lesson.steps.count)
            }
            progress.current = lesson.name
        }
        let text = text
        if wentOn {
            return try ["You have begun this lesson before: it goes on here. `lesson restart` begins anew.", ""]
                + show()
        }
        let before = inTheWay(lesson)
        return try text.introduction(lesson) + before + show()
    }

    /// Begins the lesson under way again, from its first step.
    func restart() throws(ShaleError) -> [String] {
        let progress = try book.read()
        guard let name = progress.current, let entry = progress.lessons[name] else {
            _ = try required()
            return []
        }
        return try start(entry.file ?? name, anew: true)
    }

    func stop() throws(ShaleError) -> String {
        let under = try required()
        try book.update { $0.current = nil }
        return
            "left the lesson \(under.lesson.name); lesson start \(under.entry.file?.shellQuoted ?? under.lesson.name) goes on with it"
    }

    /// What the lesson makes and is here already, and how to take it away.
    private func inTheWay(_ lesson: Lesson) -> [String] {
        let here = lesson.makes.filter { thing in
            switch thing.kind {
            case .container: (try? shell.containers().find(thing.name)) != nil
            case .volume: (try? shell.containers().volume(named: thing.name)) != nil
            case .image: (try? shell.images().find(thing.name)) != nil
            }
        }
        if here.isEmpty { return [] }
        let removal = here.map(\.removal).joined(separator: "; ")
        return text.wrapped(
            "Here already, perhaps from an earlier try: \(here.map(\.text).joined(separator: ", ")). So that steps are not "
                + "done before you do them, take them away first: \(removal)") + [""]
    }

    // MARK: Showing

    var text: LessonText { LessonText(width: shell.console.width) }

    /// The step that one is at, or that the lesson is done.
    func show() throws(ShaleError) -> [String] {
        let under = try required()
        guard let step = under.step else { return [try finished(under)] }
        try update(under.lesson.name) { $0.isShown = true }
        let end =
            step.checks.isEmpty
            ? "lesson next goes on." : "When you have done it, lesson next goes on; lesson hint helps."
        return text.lines(of: step, number: under.entry.step, in: under.lesson) + [end]
    }

    private func finished(_ under: UnderWay) throws(ShaleError) -> String {
        let next = try progress().nextLesson(after: under.lesson.name)
        let skipped = under.entry.skipped.isEmpty ? "" : " (\(under.entry.skipped.count) skipped)"
        let rest =
            next.map { "Next: lesson start \($0.name) (\($0.title))" }
            ?? "That was the last one: lesson report shows all."
        return "The lesson \(under.lesson.name) is done: \(under.lesson.steps.count) steps\(skipped). \(rest)"
    }

    // MARK: Checking

    /// Why the step is not done; `nil` where it is.
    func obstacle(_ step: LessonStep) -> (isBroken: Bool, error: ShaleError)? {
        let checks = LessonChecks(shell)
        if let failure = checks.failure(of: step.checks) {
            if let missing = checks.failure(of: step.needs) { return (true, missing) }
            return (false, failure)
        }
        return nil
    }

    /// One line about a step that is done now: what comes.
    func passed(_ under: UnderWay) throws(ShaleError) -> String {
        try update(under.lesson.name) { $0.pass() }
        let number = under.entry.step + 1
        guard let now = try current(), let next = now.step else { return try finished(required()) }
        return "lesson \(under.lesson.name): step \(number) of \(under.lesson.steps.count) is done. "
            + "Next: \(next.title.visible) (lesson next shows it)"
    }
}
