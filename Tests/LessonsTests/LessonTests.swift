import Basics
import Testing

@testable import Lessons

struct LessonTests {
    /// Every file of the program is a lesson, with its own name and place.
    @Test func theFilesAreLessons() {
        let lessons = LessonLibrary.builtIn
        #expect(lessons.count == LessonLibrary.fileCount && lessons.count >= 10)
        #expect(Set(lessons.map(\.name)).count == lessons.count && Set(lessons.map(\.order)).count == lessons.count)
        for step in lessons.flatMap(\.steps) where !step.checks.isEmpty { #expect(!step.hints.isEmpty) }
    }

    private static let front = "---\nname: a\norder: 1\ntitle: T\n---\n"

    /// Mistakes are told with their lines.
    @Test(arguments: [
        ("", 1, "begins with front matter"), ("---\nname: a\n", 1, "no end"),
        ("---\nname: A b\ntitle: T\n---\n## S\n", 2, "small letters"),
        ("---\nname: a\norder: x\ntitle: T\n---\n## S\n", 3, "whole number"),
        ("---\nnmae: a\ntitle: T\n---\n## S\n", 2, "did you mean name?"),
        ("---\nname: a\ntitle: T\nmakes: box\n---\n## S\n", 4, "container NAME"),
        ("---\nname: a\nname: b\ntitle: T\n---\n## S\n", 3, "twice"), ("---\nname: a\n---\n## S\n", 1, "no title"),
        (front, 6, "at least one step"), (front + "## \n", 6, "title behind ##"),
        (front + "## S\n```check\nps\n", 7, "no end"), (front + "## S\n```chek\nps\n```\n", 7, "did you mean check?"),
        (front + "## S\n```check\n\n```\n", 7, "is empty"),
        (front + "```check\nps\n```\n## S\n", 6, "belongs into a step"),
        (front + "## S\n```check\nps\n```\n", 6, "no solution"), (front + "## S\n```hint\nx\n```\n", 6, "no check"),
        (front + "## S\n```check\nbad\n```\n```solution\nx\n```\n", 8, "not bad"),
        (front + "## S\n```check\nps\n```\n```solution\nx\n```\n```solution\ny\n```\n", 13, "a solution already"),
    ])
    func mistakes(text: String, line: Int, words: String) {
        let (lesson, problems) = LessonReader.read(text) { $0 == "bad" ? "not bad" : nil }
        #expect(lesson == nil && problems.contains { $0.line == line && $0.message.contains(words) }, "\(problems)")
    }

    /// Windows line ends, longer fences and blocks of other kinds are fine.
    @Test func whatIsFine() throws {
        let text =
            Self.front
            + "Hello\r\nyou.\r\n\r\n## S\r\n\r\n````console\r\nshale> a\r\n```\r\n````\r\n```dockerfile\r\nFROM x\r\n```\r\n"
        let lesson = try #require(LessonReader.read(text).lesson)
        #expect(lesson.introduction == [.paragraph("Hello you.")])
        #expect(lesson.steps[0].text == [.literal(["shale> a", "```"]), .literal(["FROM x"])])
    }

    @Test func progressPassesSteps() {
        var entry = LessonProgress.Entry(title: "T", file: nil, stepCount: 2)
        entry.pass()
        entry.pass(skipping: true)
        entry.pass()
        #expect(entry.isFinished && entry.done == [0] && entry.skipped == [1] && entry.finished != nil)
    }

    @Test func theNextLessonIsTheFirstThatIsNotFinished() throws {
        let all = LessonLibrary.builtIn
        var progress = LessonProgress()
        #expect(progress.nextLesson()?.name == all[0].name)
        for index in [0, 2] {
            progress.lessons[all[index].name] = .init(title: "T", file: nil, stepCount: 1)
            progress.lessons[all[index].name]?.pass()
        }
        #expect(progress.nextLesson()?.name == all[1].name)
        #expect(progress.nextLesson(after: all[1].name)?.name == all[3].name)
        #expect(progress.nextLesson(after: all[all.count - 1].name) == nil)
    }

    @Test func aLessonIsNamedByItsNumberToo() throws {
        let all = LessonLibrary.builtIn
        #expect(try LessonLibrary.lesson(named: "\(all.count)").name == all[all.count - 1].name)
        for number in ["0", "\(all.count + 1)", "-9223372036854775808"] {
            #expect(throws: ShaleError.self) { try LessonLibrary.lesson(named: number) }
        }
    }

    @Test(arguments: [(10, 20), (200, 80), (40, 40)])
    func paragraphsFit(width: Int, longest: Int) {
        let lines = LessonText(width: width).wrapped(String(repeating: "word and ", count: 40))
        #expect(lines.allSatisfy { $0.count <= longest } && lines.count > 1)
    }
}
