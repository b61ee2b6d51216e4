import Basics
import Glibc
import Lessons
import Rendering
import ShellLanguage

/// Looks after each line whether it did the step of the lesson under way, and says so in one line.
///
/// It is quiet about a step that is not done yet, and about whatever keeps it from looking.
struct LessonWatch {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    /// A lesson that was seen under way, to tell of it when it is left behind.
    struct Seen: Equatable {
        var session: String
        var lesson: String
        /// The step whose ground was missing, which was told.
        var broken: Int?
    }

    /// Call it after a line of the user's.
    func after(_ statement: Statement) {
        // Most sessions have no lesson, and a single command need not open the home to know.
        guard
            shell.seenLesson != nil
                || access("\(shell.options.home)/sessions/\(shell.options.session)/\(LessonBook.fileName)", R_OK) == 0
        else { return }
        let facts = LineFacts(statement.body, line: statement.source, status: 0, made: [], changes: [])
        if facts.type?.isAboutLines ?? false { return }
        guard let run = try? LessonRun(shell), let under = (try? run.current()) ?? nil, let step = under.step else {
            return tellOfOtherSession()
        }
        let seen = Seen(session: shell.options.session, lesson: under.lesson.name)
        let broken = shell.seenLesson?.broken
        if shell.seenLesson?.lesson != seen.lesson || shell.seenLesson?.session != seen.session {
            shell.seenLesson = seen
        }
        guard !step.checks.isEmpty else { return }
        guard let obstacle = run.obstacle(step) else {
            if let line = try? run.passed(under) { shell.console.aside(line) }
            return
        }
        if !obstacle.isBroken {
            shell.seenLesson?.broken = nil
        } else if broken != under.entry.step {
            shell.seenLesson?.broken = under.entry.step
            shell.console.aside(
                "lesson \(under.lesson.name): this step needs something that is not here: \(obstacle.error). "
                    + "undo may bring it back; lesson restart begins again")
        }
    }

    private func tellOfOtherSession() {
        guard let seen = shell.seenLesson, seen.session != shell.options.session else { return }
        shell.seenLesson = nil
        shell.console.aside(
            "the lesson \(seen.lesson) goes on in the session \(seen.session): session switch \(seen.session)")
    }
}
