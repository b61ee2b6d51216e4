import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The cache, interruption, failure and repetition of builds, through the built program.
@Suite("builds", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildBehaviourTests {
    private static let dockerfile =
        "FROM busybox\nWORKDIR /usr/src/app\nCOPY hello.sh .\nRUN echo built > /built\nCMD [\"./hello.sh\"]\n"

    private func context() throws -> ContextFolder {
        let context = try ContextFolder(["Dockerfile": Self.dockerfile])
        try context.write(Array("#!/bin/sh\necho one\n".utf8), to: "hello.sh", mode: 0o755)
        return context
    }

    /// The numbers of the steps that were taken from the cache.
    private func cached(_ output: String) -> [Int] {
        var (step, found) = (0, [Int]())
        for line in output.split(separator: "\n") {
            if line.hasPrefix("Step ") { step = Int(line.dropFirst(5).prefix { $0.isNumber }) ?? 0 }
            if line == " ---> Using cache" { found.append(step) }
        }
        return found
    }

    @Test func aChangedFileStartsTheBuildAgainAtItsCopy() throws {
        let (home, context) = (ShaleHome(), try context())
        let first = try home.run(["build", context.path])
        #expect(cached(first.text) == [])
        #expect(cached(try home.run(["build", context.path]).text) == [2, 3, 4, 5])
        try Peer("touch").run(["-d", "2001-01-01", context.path + "/hello.sh"])
        #expect(cached(try home.run(["build", context.path]).text) == [2, 3, 4, 5])

        try context.write(Array("#!/bin/sh\necho two\n".utf8), to: "hello.sh", mode: 0o755)
        let changed = try home.run(["build", context.path])
        #expect(cached(changed.text) == [2])
        #expect((changed.text + changed.errors).contains("cache miss: COPY hello.sh: content of hello.sh changed"))
        chmod(context.path + "/hello.sh", 0o700)
        let reproved = try home.run(["build", context.path])
        #expect(cached(reproved.text) == [2])
        #expect((reproved.text + reproved.errors).contains("cache miss: COPY hello.sh: mode of hello.sh changed"))
        #expect(cached(try home.run(["build", "--no-cache", context.path]).text) == [])
    }

    @Test func filesOfOneContentAndTwoNamesAreTwoSteps() throws {
        let home = ShaleHome()
        let context = try ContextFolder(["a": "same\n", "b": "same\n", "Dockerfile": "FROM busybox\nCOPY a /\n"])
        try home.run(["build", context.path])
        try context.write(Array("FROM busybox\nCOPY b /\n".utf8), to: "Dockerfile")
        try home.run(["build", "-t", "second", context.path])
        #expect(try home.run(["run", "--rm", "second", "ls", "/b"]).text == "/b\n")
    }

    @Test func aFailingStepPassesItsStatusOnAndLeavesItsContainer() throws {
        let home = ShaleHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo half > /half; exit 7\n"])
        let run = try home.run(["build", "-t", "never", context.path], expecting: nil)
        #expect(run.status == 7)
        #expect(run.errors.contains("The command '/bin/sh -c echo half > /half; exit 7' returned a non-zero code: 7"))
        let container = try #require(try home.run(["ps", "-aq"]).lines.first)
        #expect(try home.run(["diff", container]).lines == ["A /half"])
        #expect(try home.run(["inspect", "never"], expecting: nil).status == 1)
    }

    @Test func anInterruptedStepEndsWithTheBuild() throws {
        let home = ShaleHome()
        try home.run(["images"])
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\nRUN sleep 4711\n"])
        let child = try home.start(["build", context.path])
        try Waiting.until { try isRunning("sleep 4711") }
        child.stop(SIGINT)
        #expect(child.wait() == 130)
        try Waiting.until { try !isRunning("sleep 4711") }
        // What was finished stays.
        let again = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\n"])
        #expect(cached(try home.run(["build", again.path]).text) == [2])
    }

    private func isRunning(_ command: String) throws -> Bool {
        try Peer("pgrep").run(["-xf", command], expecting: nil).status == 0
    }

    @Test func theStepOfAKilledBuildEndsAndLeavesNothing() throws {
        let home = ShaleHome()
        try home.run(["images"])
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\nRUN sleep 4713\n"])
        let child = try home.start(["build", context.path])
        for _ in 0..<1200 where try !isRunning("sleep 4713") { usleep(50_000) }
        let told = home.said().text
        let id = try #require(told.split(separator: "\n").last { $0.hasPrefix(" ---> Running in ") }).suffix(12)
        let runners = try Peer("pgrep").run(["-P", String(child.pid)]).text.split(separator: "\n")
        #expect(!runners.isEmpty)
        child.stop(SIGKILL)
        _ = child.wait()
        func left() throws -> [String] {
            let processes = runners.filter { access("/proc/\($0)", F_OK) == 0 }.map { "process \($0)" }
            let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
            let groups = try Peer("find").run(["/sys/fs/cgroup", "-name", "\(id)*"], expecting: nil).text
            return try processes + (isRunning("sleep 4713") ? ["sleep"] : [])
                + mounts.split(separator: "\n").filter { $0.contains(home.home) }.map(String.init)
                + groups.split(separator: "\n").map(String.init)
        }
        for _ in 0..<600 where try !left().isEmpty { usleep(50_000) }
        #expect(try left() == [])
        #expect(try home.run(["system", "check"], expecting: nil).status == 0)
        #expect(try home.run(["ps", "-aq"]).lines.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.home + "/ingest").isEmpty)
        let again = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\n"])
        #expect(cached(try home.run(["build", again.path]).text) == [2])
    }

    @Test func aKilledBuildLeavesAWholeStore() throws {
        let (home, context) = (ShaleHome(), try context())
        try home.run(["build", "-t", "good", context.path])
        for delay in [20, 60, 120, 200, 350] as [UInt32] {
            let child = try home.start(["build", "--no-cache", "-t", "torn", context.path])
            usleep(delay * 1000)
            child.stop(SIGKILL)
            let check = try home.run(["system", "check"], expecting: nil)
            #expect(check.status == 0, "after \(delay) ms: \(check.text)\(check.errors)")
        }
        #expect(try home.run(["run", "--rm", "good"]).text == "one\n")
        try home.run(["build", "-t", "torn", context.path])
    }

    @Test func oneEpochMakesOneImageInTwoHomes() throws {
        let context = try context()
        let epoch = ["SOURCE_DATE_EPOCH": "1700000000"]
        let ids = try (0..<2).map { _ in
            try ShaleHome().run(["build", "-q", context.path], environment: epoch).text
        }
        #expect(ids[0] == ids[1])
        #expect(ids[0].hasPrefix("sha256:"))
    }
}

/// What a build refuses, and what it leaves when it fails.
@Suite("refused builds", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RefusedBuildTests {
    @Test func refusalsAndTheFailedContainer() throws {
        let home = ShaleHome()
        func context(_ text: String) throws -> ContextFolder {
            try ContextFolder(["Dockerfile": text, "sub/a.txt": "a\n", "base.json": "{\"Env\":[\"A=b\"]}"])
        }
        // A directory cannot take the place of a file.
        let wrong = try context("FROM busybox\nCOPY sub /etc/passwd\n")
        let onto = try home.run(["build", wrong.path], expecting: 1)
        #expect(onto.errors.contains("cannot copy to non-directory: /etc/passwd\n"), "\(onto.errors)")
        let fine = try context("FROM busybox\nCOPY sub /etc/\nENV B=$A\n")
        let host = try home.run(["build", "--add-host", "foo", fine.path], expecting: 64)
        #expect(host.errors.contains("bad format for add-host: \"foo\""))
        let plan = ["recipe", "plan", "--base-config", fine.path + "/base.json", fine.path + "/Dockerfile"]
        #expect(try home.run(plan).text.contains("\"B=b\""))
        // The next shale finds what a single command's failure left.
        let failing = try context("FROM busybox\nRUN touch /made && exit 3\n")
        try home.run(["build", failing.path], expecting: 3)
        #expect(try home.run(["-c", "diff $failed"]).text == "A /made\n")
        // A check's error is not lost beside its warnings.
        let lint = try context("from busybox as X\nCOPY --from=X / /\n")
        let checked = try home.run(["recipe", "check", "--format", "json", lint.path + "/Dockerfile"], expecting: 1)
        #expect(checked.text.contains("\"rule\":\"StageNameCasing\""))
        #expect(checked.errors.contains("circular dependency"))
    }

    @Test func aStepThatIsKilledHasItsSignalsStatus() throws {
        let home = ShaleHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN true\nRUN sh -c 'kill -TERM $$'; exit $?\n"])
        let run = try home.run(["build", context.path], expecting: 143)
        #expect(run.errors.contains("returned a non-zero code: 143\n"))
        #expect(run.errors.contains("Dockerfile:3: RUN sh -c"))
        #expect(try home.run(["ps", "-a", "--format", "{{.Status}}"]).lines.first?.hasPrefix("Exited (143)") == true)
        let again = try home.run(["build", context.path], expecting: 143)
        #expect(again.text.contains("Step 2/3 : RUN true\n ---> Using cache\n"))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root")) func aStepBeyondItsMemoryIsKilled() throws {
        let home = ShaleHome()
        let text = "FROM busybox\nRUN dd if=/dev/zero of=/dev/null bs=200M count=1\n"
        let context = try ContextFolder(["Dockerfile": text])
        let run = try home.run(["build", "-m", "16m", context.path], expecting: 137)
        #expect(run.errors.contains("returned a non-zero code: 137\n"), "\(run.errors)")
        #expect(try home.run(["system", "check"], expecting: nil).status == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root")) func aControlGroupIsMadeWhereItIsAskedFor() throws {
        let home = ShaleHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN true\n"])
        let parent = "shale-test-\(getpid())/below"
        try home.run(["build", "--cgroup-parent", "/\(parent)", context.path])
        // The container's own goes with it; what it was made in stays, as docker leaves it.
        let made = try Peer("find").run(["/sys/fs/cgroup", "-type", "d", "-path", "*/\(parent)*"], expecting: nil).text
        let folders = made.split(separator: "\n").map(String.init)
        #expect(!folders.isEmpty && folders.allSatisfy { $0.hasSuffix("/\(parent)") }, "\(made)")
        for folder in folders {
            rmdir(folder)
            rmdir(String(folder.dropLast(6)))
        }
        let wrong = try home.run(["build", "--cgroup-parent", "../x", "--no-cache", context.path], expecting: 1)
        #expect(wrong.errors.contains("invalid cgroup parent ../x"))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to give a file away"))
    func whatAContextCannotGiveIsToldBeforeTheFirstStep() throws {
        if let user = ShaleHome.Account.tester {
            let learner = try ShaleHome(as: user)
            mkdir(learner.work + "/c", 0o755)
            try learner.write("FROM busybox\nCOPY . /d/\n", to: "c/Dockerfile")
            try learner.write("x\n", to: "c/closed")
            chown(learner.work + "/c/closed", 0, 0)
            chmod(learner.work + "/c/closed", 0o600)
            let run = try learner.run(["build", "c"], expecting: 1)
            #expect(run.errors.contains("error checking context: no permission to read from 'closed'"), "\(run.errors)")
            #expect(!run.text.contains("Step 1"))
        }
    }

    @Test func wrongOptionsAreRefusedAtOnceInDockersWords() throws {
        let home = ShaleHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY Dockerfile /\n"])
        let cases: [([String], Int32, String)] = [
            (["--progress", "foo"], 64, "invalid value \"foo\" passed to --progress, valid values are: auto, plain, "),
            (["--network", "nosuch"], 1, "network nosuch is not supported\nhint: --network host"),
            (["--build-arg", "=x"], 64, "\"=x\" for \"--build-arg\" flag: invalid environment variable: =x"),
            (["--ulimit", "foo"], 64, "\"foo\" for \"--ulimit\" flag: invalid ulimit argument: foo"),
            (["-m", "foo"], 64, "\"foo\" for \"-m, --memory\" flag: invalid size: 'foo'"),
            (["--platform", "linux/amd64,,linux/arm64"], 64, "names one that is empty"),
            (
                ["--platform", "linux/amd64,linux/arm64", "-o", "type=docker,dest=x.tar"], 1,
                "docker exporter does not currently support exporting manifest lists"
            ),
            (["--platform", "a/b/c/d"], 64, "invalid platform: "),
        ]
        for (options, status, words) in cases {
            let run = try home.run(["build"] + options + [context.path], expecting: nil)
            #expect(run.status == status && run.errors.contains(words), "\(options): \(run)")
            #expect(!run.text.contains("Step"))
        }
        // As docker: a name alone is a label without a text.
        try home.run(["build", "--label", "a", "-t", "labelled", context.path])
        #expect(try home.run(["inspect", "-f", "{{json .Config.Labels}}", "labelled"]).lines == ["{\"a\":\"\"}"])
        let gone = try home.run(["context", "-f", "nosuch", context.path], expecting: 1)
        #expect(gone.errors.contains("/nosuch: no such file or directory"))
    }
}

/// Recipes: what they say, and that they make the same image again.
@Suite("recipes of builds", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildRecipeTests {
    private func context() throws -> ContextFolder {
        let context = try ContextFolder([
            "Dockerfile": """
            FROM busybox AS tools
            RUN echo tool > /tool
            FROM busybox
            WORKDIR /usr/src/app
            COPY hello.sh .
            COPY hello.sh /usr/bin
            COPY sub /data/
            COPY hello.sh sub/a.txt /many/
            COPY --from=tools /tool /tool
            ADD tree.tar /tree/
            RUN echo x > /made && rm /etc/group
            COPY <<EOF /heredoc
            path is $PATH
            EOF
            ENV GREETING="hello world" N=1
            LABEL a.b="c d"
            CMD ["./hello.sh"]

            """,
            "sub/a.txt": "a\n", "sub/deep/b": "b\n",
        ])
        try context.write(Array("#!/bin/sh\necho hello\n".utf8), to: "hello.sh", mode: 0o755)
        try Peer("tar").run(["-C", context.path + "/sub", "-cf", context.path + "/tree.tar", "."])
        return context
    }

    /// Saves the recipe of an image, builds it under another name and compares files and config.
    private func rebuild(_ name: String, in home: ShaleHome) throws {
        let folder = "\(home.work)/recipe-\(name)"
        try home.run(["recipe", "save", folder, name])
        try home.run(["build", "--no-cache", "-t", "\(name)-again", folder])
        let ids = try [name, "\(name)-again"].map { try home.run(["inspect", "-f", "{{.Id}}", $0]).lines.first ?? "" }
        let images = try ids.map { try BuiltImage($0, home: home.home) }
        let paths = Set(images[0].files.keys).union(images[1].files.keys).sorted()
        #expect(paths.filter { images[0].files[$0] != images[1].files[$0] } == [])
        // How the committed container was started is no setting that a Dockerfile makes.
        let settings = images.map { WholeImage(config: $0.config["config"]) }
        #expect(settings[0].config == settings[1].config)
        let verified = try home.run(["recipe", "verify", name], expecting: nil)
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)")
    }

    @Test func ofABuild() throws {
        let (home, context) = (ShaleHome(), try context())
        try home.run(["build", "-t", "built", context.path])
        try rebuild("built", in: home)
    }

    @Test func ofACommitAfterCopying() throws {
        let (home, context) = (ShaleHome(), try context())
        try home.run(["build", "-t", "built", context.path])
        try context.write(Array("extra\n".utf8), to: "additional.txt")
        try home.run(
            ["run", "--name", "work", "built", "sh", "-c", "echo y > /made; rm /heredoc; mkdir /dir; echo z > /dir/z"])
        try home.run(["cp", context.path + "/additional.txt", "work:/usr/src/app"])
        try home.run(["commit", "work", "committed"])
        let recipe = try home.run(["recipe", "committed"]).lines
        #expect(recipe.contains("COPY additional.txt /usr/src/app/additional.txt"))
        try rebuild("committed", in: home)
    }

    @Test func ofStepsAtThePrompt() throws {
        let home = ShaleHome()
        let context = try ContextFolder(["additional.txt": "extra\n"])
        let lines = "FROM busybox\nRUN echo hi > /x\nCOPY additional.txt /y/\nENV A=\"b c\"\nrecipe\n"
        let run = try home.run([], input: Array(lines.utf8), in: context.path)
        #expect(run.text.hasSuffix("FROM busybox\nRUN echo hi > /x\nCOPY additional.txt /y/\nENV A=\"b c\"\n"))
        let id = run.text.split(separator: "\n").last { $0.hasPrefix(" ---> ") }.map { $0.dropFirst(6).prefix(12) }
        try home.run(["tag", String(try #require(id)), "stepped"])
        try rebuild("stepped", in: home)
    }

    @Test func aRecipeThatMakesSomethingElseIsFoundOut() throws {
        let home = ShaleHome()
        let context = try ContextFolder([
            "Dockerfile": "FROM busybox\nRUN head -c 9 /dev/urandom > /random\nRUN echo said; echo 1 > /one\n"
        ])
        try home.run(["build", "-t", "built", context.path])
        let verified = try home.run(["recipe", "verify", "built"], expecting: nil)
        #expect(verified.status == 1)
        let line = "/random: content (line 2: RUN head -c 9 /dev/urandom > /random)"
        #expect(
            verified.text == line + " [random]\nrandom: the step writes random bytes\n", "\(verified.errors)")
        let first = [
            "Step 1/3 : FROM busybox", "Step 2/3 : RUN head -c 9 /dev/urandom > /random",
            "Step 3/3 : RUN echo said; echo 1 > /one",
        ]
        #expect(verified.errors.split(separator: "\n").map(String.init) == first)
        let plain = try home.run(["recipe", "verify", "--progress", "plain", "built"], expecting: nil)
        #expect(plain.errors.contains("\nsaid\n") && plain.errors.contains(" ---> Running in "), "\(plain.errors)")
        let rows = try home.run(["recipe", "verify", "built", "--format", "json"], expecting: nil)
        #expect(
            rows.text
                == "{\"path\":\"/random\",\"difference\":\"content\",\"step\":\"RUN head -c 9 /dev/urandom > /random\",\"line\":2,"
                + "\"kind\":\"random\",\"cause\":\"the step writes random bytes\",\"source\":\"random(4)\"}\n"
        )
    }

    @Test func verifyingLeavesNothingBehind() throws {
        let home = ShaleHome()
        let lines = "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /stamp\nRUN echo 1 > /one\nRUN sleep 3\n"
        let context = try ContextFolder(["Dockerfile": lines])
        try home.run(["build", "-t", "built", context.path])
        try home.run(["run", "--name", "kept", "built", "sh", "-c", "echo 2 > /two; exit 4"], expecting: nil)
        func state() throws -> [String] {
            try home.run(["images", "-aq", "--no-trunc"]).lines + home.run(["ps", "-aq"]).lines
                + FileManager.default.contentsOfDirectory(atPath: home.home + "/provenance").sorted()
        }
        let before = try state()
        for subject in ["built", "kept"] {
            let verified = try home.run(["recipe", "verify", subject], expecting: nil)
            #expect(verified.text.contains("/stamp: content (line 2: RUN cat"), "\(verified.errors)")
            #expect(try state() == before)
        }
        // Interrupted in the middle of a step.
        let child = try home.start(["recipe", "verify", "built"])
        for _ in 0..<600 where !home.said().errors.contains("RUN sleep") { usleep(50_000) }
        child.stop(SIGINT)
        #expect(try state() == before)
        // Later builds find their own steps in the cache, not the ones that are gone.
        let again = try home.run(["build", context.path])
        #expect(again.text.split(separator: "\n").filter { $0.contains("Using cache") }.count == 3, "\(again.text)")
    }

    @Test func aFolderThatIsNoRecipesIsLeftAlone() throws {
        let home = ShaleHome()
        let folder = try ContextFolder(["Dockerfile": "FROM mine\n", "own.txt": "x"])
        try home.run(["create", "--name", "one", "busybox"])
        try home.run(["cp", folder.path + "/own.txt", "one:/first"])
        let refused = try home.run(["recipe", "save", folder.path, "one"], expecting: nil)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("holds files that are no recipe's"))
        let saved = folder.path + "/recipe"
        try home.run(["recipe", "save", saved, "one"])
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: saved)) == [".shale-recipe", "Dockerfile", "first"])
        try Data("mine".utf8).write(to: URL(filePath: saved + "/notes"))
        try home.run(["create", "--name", "two", "busybox"])
        try home.run(["cp", folder.path + "/own.txt", "two:/second"])
        try home.run(["recipe", "save", saved, "two"])
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: saved))
                == [".shale-recipe", "Dockerfile", "second", "notes"])
    }

    /// The list in the folder may be a stranger's: what it names stays, and so do files that were changed.
    @Test func aListInTheFolderRemovesNothing() throws {
        let home = ShaleHome()
        let folder = try ContextFolder([
            ".shale-recipe": "[\"src/\",\"own.txt\",\".\",\"src/main.c\"]", "own.txt": "x", "src/main.c": "int main;",
        ])
        try home.run(["create", "--name", "one", "busybox"])
        try home.run(["cp", folder.path + "/own.txt", "one:/first"])
        try home.run(["cp", folder.path + "/own.txt", "one:/changed"])
        try home.run(["recipe", "save", folder.path, "one"])
        #expect(try String(contentsOfFile: folder.path + "/src/main.c", encoding: .utf8) == "int main;")
        #expect(try String(contentsOfFile: folder.path + "/own.txt", encoding: .utf8) == "x")
        try Data("mine".utf8).write(to: URL(filePath: folder.path + "/changed"))
        try home.run(["create", "--name", "two", "busybox"])
        try home.run(["recipe", "save", folder.path, "two"])
        let left = try Set(FileManager.default.contentsOfDirectory(atPath: folder.path))
        #expect(left == [".shale-recipe", "Dockerfile", "own.txt", "src", "changed"])
        #expect(try String(contentsOfFile: folder.path + "/changed", encoding: .utf8) == "mine")
    }

    /// A cache whose filling failed is not there, so that the next build fills it.
    @Test func aCacheIsFilledWholeOrNotAtAll() throws {
        let home = ShaleHome()
        func lines(_ source: String, _ command: String) throws -> ContextFolder {
            try ContextFolder([
                "Dockerfile":
                    "FROM busybox\nRUN --mount=type=cache,target=/c,from=busybox,source=\(source) \(command)\n"
            ])
        }
        let broken = try lines("/nothing", "true")
        #expect(try home.run(["build", broken.path], expecting: nil).status != 0)
        let whole = try lines("/bin", "test -e /c/sh")
        try home.run(["build", whole.path])
    }

    @Test func secretsAreMaskedInEveryForm() throws {
        let home = ShaleHome()
        let lines = "FROM busybox\nENV DB_PASSWORD=hunter2\nRUN echo https://me:pa55@example.org > /url\n"
        let context = try ContextFolder(["Dockerfile": lines])
        try home.run(["build", "-t", "built", context.path])
        for arguments in [[], ["--to", "sh"], ["--to", "md"], ["--to", "shale"], ["--format", "json"], ["--tidy"]] {
            let told = try home.run(["recipe"] + arguments + ["built"])
            #expect(!told.text.contains("hunter2") && !told.text.contains("pa55"), "\(told.text)")
            #expect(told.errors.contains("the value of DB_PASSWORD is masked"))
        }
        let folder = home.work + "/saved"
        let saved = try home.run(["recipe", "save", folder, "built"])
        #expect(
            saved.errors.contains(
                "line 3 (ENV): the value of DB_PASSWORD is masked: build with --build-arg DB_PASSWORD=…"))
        #expect(try !String(contentsOfFile: folder + "/Dockerfile", encoding: .utf8).contains("hunter2"))
        try home.run(["build", "-t", "again", "--build-arg", "DB_PASSWORD=hunter2", folder])
        let env = try home.run(["inspect", "-f", "{{.Config.Env}}", "again"]).lines
        #expect(env.first?.contains("DB_PASSWORD=hunter2") == true)
        #expect(try home.run(["recipe", "--show-secrets", "built"]).text.contains("hunter2"))
        // The proof is of the recipe as it is.
        try home.run(["recipe", "verify", "built"])
    }

    @Test func aPlanSaysWhatABuildWouldDo() throws {
        let (home, context) = (ShaleHome(), try context())
        let plan = try home.run(["recipe", "plan", context.path + "/Dockerfile"]).lines
        #expect(plan.contains("base docker.io/library/busybox:latest"))
        #expect(plan.contains { $0.hasPrefix("config ") && $0.contains("GREETING=hello world") })
        #expect(plan.contains("stage tools from docker.io/library/busybox:latest"))
    }
}
