import FoundationEssentials
import TestSupport
import Testing

/// Learners go through the lessons of the program, and through a teacher's own.
struct LessonWalkTests {
    private static let users = ShaleHome.Account.all
    private static let lessons = [
        "images", "run", "layers", "commit", "recipe", "cache", "whiteouts", "stages", "volumes", "undo", "publish",
        "verify",
    ]

    private struct Row: Decodable {
        var name: String
        var passed: Int
        var steps: Int
        var isDone: Bool
    }

    private static func row(_ lesson: String, _ learner: ShaleHome) throws -> Row {
        let lines = try learner.run(["lesson", "list", "--format", "json"]).text.split(separator: "\n")
        let rows = try lines.map { try JSONDecoder().decode(Row.self, from: Data($0.utf8)) }
        return try #require(rows.first { $0.name == lesson })
    }

    /// The solution does each step, and nothing else does: before it the check fails, and a line that only looks leaves
    /// it so.
    @Test(arguments: users, lessons) func theSolutionsDoTheSteps(user: ShaleHome.Account, lesson: String) throws {
        let learner = try ShaleHome(as: user)
        let told = try learner.run(["lesson", "start", lesson]).text
        #expect(told.contains("\(lesson), step 1 of"), "\(told)")
        for _ in 0..<12 {
            let before = try Self.row(lesson, learner)
            if before.isDone { break }
            let solution = try learner.run(["lesson", "solution"]).text
            if solution.hasPrefix("This step is only read") {
                try learner.run(["lesson", "next"])
                continue
            }
            #expect(try learner.run(["lesson", "check"], expecting: 1).text.hasPrefix("Not yet: "))
            #expect(try learner.run(["images", "-q"]).errors.isEmpty)
            let outcome = try learner.run(["-c", solution])
            #expect(outcome.errors.contains("is done"), "\(solution)\n\(outcome.errors)")
            #expect(try Self.row(lesson, learner).passed == before.passed + 1)
            try learner.run(["lesson", "next"])
        }
        #expect(try Self.row(lesson, learner).isDone)
        let report = try learner.run(["lesson", "report", "--format", "json"]).text
        #expect(report.contains("\"isFinished\":true") && report.contains("\"lesson\":\"\(lesson)\""), "\(report)")
        // Checks leave no trace.
        #expect(try !learner.run(["history"]).text.contains("expect"))
        try learner.run(["system", "check"])
    }

    /// Another way to the same state counts, and what was typed does not.
    @Test(arguments: [
        ("images", 1, "docker tag busybox:latest mybox:latest"),
        ("run", 0, "create --name box busybox true\nstart box\nwait box"),
        ("layers", 0, "run -d --name writer busybox sleep 60\nexec writer sh -c 'date > /note'\nstop -t 0 writer"),
        ("undo", 0, "FROM busybox\nRUN touch /one /two"),
    ])
    func otherWaysCount(lesson: String, read: Int, lines: String) throws {
        let learner = ShaleHome()
        try learner.run(["lesson", "start", lesson])
        for _ in 0..<read { try learner.run(["lesson", "next"]) }
        #expect(try learner.run(["-c", lines]).errors.contains("step \(read + 1) of"))
    }

    /// Who takes away what a step needs, or goes to another session, is told in a line.
    @Test func aBrokenStateIsTold() throws {
        let learner = ShaleHome()
        try learner.run(["lesson", "start", "run"])
        let broken = try learner.run(["-c", "rmi busybox; images -q; session new other; session switch default"])
        #expect(
            broken.errors.components(separatedBy: "needs something that is not here").count == 3, "\(broken.errors)")
        #expect(broken.errors.contains("the lesson run goes on in the session default"))
        #expect(try learner.run(["lesson", "check"], expecting: 1).text.contains("lesson restart"))
        try learner.run(["undo"])
        #expect(try learner.run(["lesson", "restart"]).text.contains("step 1 of 5"))
        // What an earlier try left is told, with the line that takes it away.
        try learner.run(["create", "--name", "sleeper", "busybox"])
        #expect(try learner.run(["lesson", "restart"]).text.contains("rm -f sleeper"))
    }

    /// Hints get clearer, a skipped step is passed, and the report counts them.
    @Test func hintsAndSkips() throws {
        let learner = ShaleHome()
        try learner.run(["lesson", "start", "commit"])
        #expect(try learner.run(["lesson", "hint"]).text.contains("lesson hint again"))
        #expect(try learner.run(["lesson", "hint"]).text.contains("run --name kitchen"))
        #expect(try learner.run(["lesson", "next"]).text.hasPrefix("This step is not done yet"))
        #expect(try learner.run(["lesson", "skip"]).text.contains("step 2 of 4"))
        #expect(try learner.run(["lesson", "check"], expecting: 1).text.contains("needs something"))
        let report = try learner.run(["lesson", "report", "--format", "json"]).text
        #expect(
            report.contains("\"hints\":2") && report.contains("\"skipped\":[1]")
                && report.contains("\"failedChecks\":1"))
        #expect(try learner.run(["lesson", "stop"]).text.contains("lesson start commit"))
        #expect(try learner.run(["lesson", "hint"], expecting: 1).errors.contains("hint: lesson start"))
        #expect(try learner.run(["lesson", "start", "commit"]).text.contains("it goes on here"))
    }

    /// Without a name the lesson under way goes on, else the first that is not finished begins.
    @Test func startingWithoutAName() throws {
        let learner = ShaleHome()
        #expect(try learner.run(["lesson", "next"]).text.contains("images, step 1 of"))
        try learner.run(["lesson", "start", "2"])
        #expect(try learner.run(["lesson", "start"]).text.contains("run, step 1 of"))
        try learner.run(["lesson", "stop"])
        #expect(try learner.run(["lesson", "start"]).text.contains("images, step"))
    }

    /// A teacher's file, good and bad.
    @Test func aTeachersFile() throws {
        let learner = ShaleHome()
        let front = "---\nname: mine\ntitle: My own\n---\n\nHello.\n\n## A name\n\nDo it.\n\n"
        try learner.write(
            front + "```check\nexpect --some images -q mine\n```\n\n```solution\ntag busybox mine\n```\n", to: "mine.md"
        )
        #expect(try learner.run(["lesson", "check-file", "mine.md"]).text.contains("1 step, 1 check"))
        #expect(try learner.run(["lesson", "start", "./mine.md"]).text.contains("mine, step 1 of 1: A name"))
        #expect(try learner.run(["tag", "busybox", "mine"]).errors.contains("The lesson mine is done"))
        let bad = [
            ("```check\n!rm -rf x\n```\n", "bad.md:13: a check is one command"),
            ("```check\nrmi busybox\n```\n", "bad.md:13: a check only looks: rmi"),
            ("```check\nexpect --fails prune -f\n```\n", "bad.md:13: a check only looks: prune"),
            ("```check\nimages > x\n```\n", "bad.md:13: a check is one command"),
            ("```check\nstat $x\n```\n", "bad.md:13: a check has no variables"),
            ("```check\nrecipe busybox -o x\n```\n", "bad.md:13: a check only looks: -o"),
            ("```check\nrecipe busybox -o=x\n```\n", "bad.md:13: a check only looks: -o"),
            ("```check\nrecipe parse x\n```\n", "bad.md:13: a check may say recipe"),
            ("```check\nls --remote busybox:/\n```\n", "bad.md:13: a check only looks: --remote"),
            ("```check\nlayers --html=x busybox\n```\n", "bad.md:13: a check only looks: --html"),
            ("```check\ndocekr ps\n```\n", "bad.md:13: unknown command"),
            ("```check\nps\n```\n```chekc\nps\n```\n", "bad.md:15: no such block"),
        ]
        for (text, words) in bad {
            try learner.write(front + text + "```solution\nx\n```\n", to: "bad.md")
            #expect(try learner.run(["lesson", "lint", "bad.md"], expecting: 1).text.contains(words), "\(text)")
            let refused = try learner.run(["lesson", "start", "./bad.md"], expecting: 1).errors
            #expect(refused.contains(words) && refused.contains("hint: lesson lint"), "\(refused)")
        }
        try learner.write("\u{0}\u{1}", to: "bytes.md")
        #expect(try learner.run(["lesson", "lint", "bytes.md"], expecting: 1).errors.contains("not a text"))
        #expect(try learner.run(["lesson", "lint", "none.md"], expecting: 66).errors.contains("none.md"))
    }

    /// Newcomers' lines, and the hint for each.
    @Test(arguments: [
        ("lesson images", "hint: lesson start images"), ("lesson strat", "hint: lesson start"),
        ("lesson start image", "hint: lesson start images"), ("lesson hint", "hint: lesson start"),
        ("lesson 3", "hint: lesson start 3"), ("lesson 99", "hint: help lesson"),
        ("explain laier", "hint: explain layer"), ("expect --some", "at least 1 argument"),
        ("expect --is 3 images -q nosuch", "it prints nothing"), ("expect images -q nosuch --bad", "unknown flag"),
    ])
    func newcomers(line: String, words: String) throws {
        #expect(try ShaleHome().run(["-c", line], expecting: nil).errors.contains(words))
    }

    /// A damaged progress file stops only the lesson, and beginning again keeps it aside.
    @Test func damagedProgress() throws {
        let learner = ShaleHome()
        try learner.run(["lesson", "start", "run"])
        let path = learner.home + "/sessions/default/lessons.json"
        let good = try String(contentsOfFile: path, encoding: .utf8)
        try Data(good.replacing("\"step\":0", with: "\"step\":-1").utf8).write(to: URL(filePath: path))
        #expect(try learner.run(["images", "-q"]).errors.isEmpty)
        #expect(try learner.run(["lesson", "hint"], expecting: 1).errors.contains("cannot be read"))
        try Data("{".utf8).write(to: URL(filePath: path))
        #expect(try learner.run(["images", "-q"]).errors.isEmpty)
        #expect(try learner.run(["lesson", "next"], expecting: 1).errors.contains("cannot be read"))
        try learner.run(["lesson", "start", "run"])
        #expect(FileManager.default.fileExists(atPath: path + "~"))
    }
}
