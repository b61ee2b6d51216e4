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

    /// What a learner may do in a step's place, by lesson and step: near to what is asked, and not it.
    private static let wrongLines = [
        "images 2": "tag busybox my-box",
        "images 4": "tag mybox again; untag again",
        "run 1": "run -d --name boxx busybox sleep 1; rm -f boxx",
        "run 3": "run --name sleeper2 busybox true",
        "run 4": "pause sleeper; unpause sleeper",
        "run 5": "rm box; create --name box busybox",
        "layers 1": "run --name writer2 busybox touch /note",
        "layers 3": "run --name another busybox ls /",
        "layers 5": "rm other; create --name other busybox",
        "commit 1": "run --rm busybox sh -c 'echo soup > /menu'",
        "commit 2": "tag busybox menu; untag menu; commit kitchen dinner",
        "commit 4": "create --name kitchen2 busybox",
        "recipe 1": "tag busybox started",
        "recipe 2": "WORKDIR /app\nRUN echo hello > other.txt\nundo 2",
        "recipe 3": "CMD echo hello\nundo",
        "recipe 4": "tag busybox greeter",
        "recipe 5": "tag busybox greeter:2",
        "cache 1": "FROM busybox\nRUN date > /made",
        "cache 2": "tag busybox slow:2",
        "cache 3": "tag slow:1 slow:3",
        "whiteouts 1": "FROM busybox\nRUN touch /small",
        "whiteouts 2": "tag @ fat",
        "whiteouts 4": "tag fat slim",
        "stages 1": "FROM busybox AS builder\nRUN mkdir /out && echo program > /out/program",
        "stages 2": "tag @ product",
        "volumes 1": "volume create note",
        "volumes 2": "run --name scribe2 busybox true",
        "volumes 4": "volume create more",
        "volumes 5": "volume create notes2; volume rm notes2",
        "undo 1": "FROM busybox\nRUN touch /one",
        "undo 2": "RUN rm /one\nundo",
        "undo 3": "run --rm busybox touch /two",
        "undo 4": "tag @ pears",
        "undo 5": "tag busybox other",
        "undo 6": "create --name pair busybox",
        "publish 2": "copy busybox oci:box-folder:0",
        "publish 4": "tag borrowed again",
        "verify 1": "FROM busybox\nRUN echo something > /fixe",
        "verify 3": "RUN date +%s%N > /then\nundo",
        "verify 5": "RUN touch /more\nundo",
    ]

    /// The solution does each step, and nothing else does, all of it without a network.
    ///
    /// Before it the check fails, and neither a line that only looks nor a wrong one changes that.
    @Test(arguments: users, lessons) func theSolutionsDoTheSteps(user: ShaleHome.Account, lesson: String) throws {
        let learner = try ShaleHome(as: user, before: ShaleHome.withoutNetwork)
        let told = try learner.run(["lesson", "start", lesson]).text
        #expect(told.contains("\(lesson), step 1 of"), "\(told)")
        for number in 1..<12 {
            let before = try Self.row(lesson, learner)
            if before.isDone { break }
            let solution = try learner.run(["lesson", "solution"]).text
            if solution.hasPrefix("This step is only read") {
                try learner.run(["lesson", "next"])
                continue
            }
            #expect(try learner.run(["lesson", "check"], expecting: 1).text.hasPrefix("Not yet: "))
            #expect(try learner.run(["images", "-q"]).errors.isEmpty)
            let wrong = try #require(Self.wrongLines["\(lesson) \(number)"], "\(lesson) \(number): \(solution)")
            let answer = try learner.run(["--keep-going", "-c", wrong], expecting: nil)
            #expect(!answer.errors.contains("is done"), "\(lesson) \(number): \(wrong)\n\(answer.errors)")
            #expect(try Self.row(lesson, learner).passed == before.passed, "\(lesson) \(number): \(wrong)")
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
