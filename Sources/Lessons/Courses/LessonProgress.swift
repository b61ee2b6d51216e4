package import Basics
import FoundationEssentials
import Linux
import OCI
package import Stores

/// How far a learner has come in each lesson; a file in the session's folder.
package struct LessonProgress: Codable, Sendable {
    /// One lesson.
    package struct Entry: Codable, Sendable {
        package var title: String
        /// The absolute path of a teacher's file; `nil` for a lesson of the program.
        package var file: String?
        package var stepCount: Int
        /// The step that one is at, counted from 0; `stepCount` at the end.
        package var step = 0
        /// Whether that step was shown.
        package var isShown = false
        package var done: Set<Int> = []
        package var skipped: Set<Int> = []
        /// Steps whose solution was shown.
        package var solved: Set<Int> = []
        /// How many hints were shown, by step.
        package var hints: [Int: Int] = [:]
        /// How often `lesson check` said that a step was not done yet.
        package var failedChecks = 0
        package var started: Timestamp
        package var finished: Timestamp?

        package init(title: String, file: String?, stepCount: Int, started: Timestamp = .now()) {
            self.title = title
            self.file = file
            self.stepCount = stepCount
            self.started = started
        }

        /// Whether its numbers can be what shale wrote: a file may be damaged, or a person's own.
        fileprivate var isSound: Bool {
            let numbers = [step, stepCount, failedChecks] + hints.keys + hints.values + done + skipped + solved
            return numbers.allSatisfy { (0...LessonReader.largest).contains($0) }
        }

        package var isFinished: Bool { step >= stepCount }

        /// Goes to the next step.
        package mutating func pass(skipping: Bool = false) {
            guard !isFinished else { return }
            if skipping { skipped.insert(step) } else { done.insert(step) }
            step += 1
            isShown = false
            if isFinished { finished = .now() }
        }
    }

    /// The lesson under way.
    package var current: String?
    package var lessons: [String: Entry] = [:]

    package init() {}

    /// The first of the program's lessons, in their order, that is not finished; `nil` when all are.
    ///
    /// With a name only the lessons behind that one count.
    package func nextLesson(after name: String? = nil) -> Lesson? {
        let all = LessonLibrary.builtIn
        let order = all.first { $0.name == name }?.order
        return all.first { lesson in
            order.map { lesson.order > $0 } ?? true && !(lessons[lesson.name]?.isFinished ?? false)
        }
    }
}

/// The file of a session's ``LessonProgress``.
package struct LessonBook {
    package static let fileName = "lessons.json"
    private static let largest = 1 << 20
    private let folder: SessionFolder

    package init(_ folder: SessionFolder) { self.folder = folder }

    /// Throws `corrupt` for a file that is damaged, and what reading it throws.
    package func read() throws(ShaleError) -> LessonProgress {
        guard let bytes = try folder.read(Self.fileName, limit: Self.largest) else { return LessonProgress() }
        do throws(ShaleError) {
            let progress = try OCIDocument.decode(
                LessonProgress.self, from: Data(bytes), naming: folder.file(Self.fileName))
            guard progress.lessons.values.allSatisfy(\.isSound) else {
                throw ShaleError(.corrupt, folder.file(Self.fileName), cause: "numbers out of range")
            }
            return progress
        } catch {
            throw ShaleError(
                .corrupt, "the progress of lessons in the session \(folder.name) cannot be read", cause: error.cause,
                hint: "lesson start NAME   (begins to count anew; the old file is kept as \(Self.fileName)~)")
        }
    }

    /// Changes the progress with other shales kept out, and writes it aside, then in place; a damaged file is kept aside.
    ///
    /// Throws what `body` throws, and what locking, reading or writing the file throws.
    @discardableResult
    package func update(
        startingAnew: Bool = false, _ body: (inout LessonProgress) throws(ShaleError) -> Void
    ) throws(ShaleError) -> LessonProgress {
        try folder.requireWritable()
        let lock = try translating("session \(folder.name)") { () throws(SystemCallError) in
            try FileLock.waiting(on: folder.file("lessons.lock"), exclusive: true)
        }
        defer { withExtendedLifetime(lock) {} }
        var progress: LessonProgress
        do throws(ShaleError) {
            progress = try read()
        } catch {
            guard startingAnew, error.code == .corrupt else { throw error }
            if let bytes = try folder.read(Self.fileName) { try folder.write(Self.fileName + "~", bytes) }
            progress = LessonProgress()
        }
        try body(&progress)
        try folder.write(Self.fileName, Array(try OCIDocument.encode(progress)))
        return progress
    }
}
