import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The cache, interruption, failure and repetition of builds, through the built program.
@Suite("builds", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
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
        let (home, context) = (BuildHome(), try context())
        let first = try home.run(["build", context.path], expecting: 0)
        #expect(cached(first.output) == [])
        #expect(cached(try home.run(["build", context.path], expecting: 0).output) == [2, 3, 4, 5])
        try Peer("touch").run(["-d", "2001-01-01", context.path + "/hello.sh"])
        #expect(cached(try home.run(["build", context.path], expecting: 0).output) == [2, 3, 4, 5])

        try context.write(Array("#!/bin/sh\necho two\n".utf8), to: "hello.sh", mode: 0o755)
        let changed = try home.run(["build", context.path], expecting: 0)
        #expect(cached(changed.output) == [2])
        #expect((changed.output + changed.errors).contains("cache miss: COPY hello.sh: content of hello.sh changed"))
        chmod(context.path + "/hello.sh", 0o700)
        let reproved = try home.run(["build", context.path], expecting: 0)
        #expect(cached(reproved.output) == [2])
        #expect((reproved.output + reproved.errors).contains("cache miss: COPY hello.sh: mode of hello.sh changed"))
        #expect(cached(try home.run(["build", "--no-cache", context.path], expecting: 0).output) == [])
    }

    @Test func filesOfOneContentAndTwoNamesAreTwoSteps() throws {
        let home = BuildHome()
        let context = try ContextFolder(["a": "same\n", "b": "same\n", "Dockerfile": "FROM busybox\nCOPY a /\n"])
        try home.run(["build", context.path], expecting: 0)
        try context.write(Array("FROM busybox\nCOPY b /\n".utf8), to: "Dockerfile")
        try home.run(["build", "-t", "second", context.path], expecting: 0)
        #expect(try home.run(["run", "--rm", "second", "ls", "/b"], expecting: 0).output == "/b\n")
    }

    @Test func aFailingStepPassesItsStatusOnAndLeavesItsContainer() throws {
        let home = BuildHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo half > /half; exit 7\n"])
        let run = try home.run(["build", "-t", "never", context.path])
        #expect(run.status == 7)
        #expect(run.errors.contains("The command '/bin/sh -c echo half > /half; exit 7' returned a non-zero code: 7"))
        let container = try #require(try home.lines(["ps", "-aq"]).first)
        #expect(try home.lines(["diff", container]) == ["A /half"])
        #expect(try home.run(["inspect", "never"]).status == 1)
    }

    @Test func anInterruptedStepEndsWithTheBuild() throws {
        let home = BuildHome()
        try home.run(["images"], expecting: 0)
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\nRUN sleep 4711\n"])
        let output = home.folder.path + "/out"
        let child = try home.start(["build", context.path], output: output, errors: output + ".err")
        try CrashHome.wait { try isRunning("sleep 4711") }
        child.stop(SIGINT)
        #expect(child.wait() == 130)
        try CrashHome.wait { try !isRunning("sleep 4711") }
        // What was finished stays.
        let again = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\n"])
        #expect(cached(try home.run(["build", again.path], expecting: 0).output) == [2])
    }

    private func isRunning(_ command: String) throws -> Bool {
        try Peer("pgrep").run(["-xf", command], expecting: nil).status == 0
    }

    @Test func theStepOfAKilledBuildEndsAndLeavesNothing() throws {
        let home = BuildHome()
        try home.run(["images"], expecting: 0)
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\nRUN sleep 4713\n"])
        let output = home.folder.path + "/out"
        let child = try home.start(["build", context.path], output: output, errors: output + ".err")
        for _ in 0..<1200 where try !isRunning("sleep 4713") { usleep(50_000) }
        let told = try String(contentsOfFile: output, encoding: .utf8)
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
                + mounts.split(separator: "\n").filter { $0.contains(home.path) }.map(String.init)
                + groups.split(separator: "\n").map(String.init)
        }
        for _ in 0..<600 where try !left().isEmpty { usleep(50_000) }
        #expect(try left() == [])
        #expect(try home.run(["system", "check"]).status == 0)
        #expect(try home.lines(["ps", "-aq"]).isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/ingest").isEmpty)
        let again = try ContextFolder(["Dockerfile": "FROM busybox\nRUN echo kept > /kept\n"])
        #expect(cached(try home.run(["build", again.path], expecting: 0).output) == [2])
    }

    @Test func aKilledBuildLeavesAWholeStore() throws {
        let (home, context) = (BuildHome(), try context())
        try home.run(["build", "-t", "good", context.path], expecting: 0)
        for delay in [20, 60, 120, 200, 350] as [UInt32] {
            let output = home.folder.path + "/out"
            let child = try home.start(
                ["build", "--no-cache", "-t", "torn", context.path], output: output, errors: output)
            usleep(delay * 1000)
            child.stop(SIGKILL)
            let check = try home.run(["system", "check"])
            #expect(check.status == 0, "after \(delay) ms: \(check.output)\(check.errors)")
        }
        #expect(try home.run(["run", "--rm", "good"], expecting: 0).output == "one\n")
        try home.run(["build", "-t", "torn", context.path], expecting: 0)
    }

    @Test func oneEpochMakesOneImageInTwoHomes() throws {
        let context = try context()
        let epoch = ["SOURCE_DATE_EPOCH": "1700000000"]
        let ids = try (0..<2).map { _ in
            try BuildHome().run(["build", "-q", context.path], environment: epoch, expecting: 0).output
        }
        #expect(ids[0] == ids[1])
        #expect(ids[0].hasPrefix("sha256:"))
    }
}

/// What a build refuses, and what it leaves when it fails.
@Suite("refused builds", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct RefusedBuildTests {
    @Test func refusalsAndTheFailedContainer() throws {
        let home = BuildHome()
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
        #expect(try home.run(plan, expecting: 0).output.contains("\"B=b\""))
        // The next shale finds what a single command's failure left.
        let failing = try context("FROM busybox\nRUN touch /made && exit 3\n")
        try home.run(["build", failing.path], expecting: 3)
        #expect(try home.run(["-c", "diff $failed"], expecting: 0).output == "A /made\n")
        // A check's error is not lost beside its warnings.
        let lint = try context("from busybox as X\nCOPY --from=X / /\n")
        let checked = try home.run(["recipe", "check", "--format", "json", lint.path + "/Dockerfile"], expecting: 1)
        #expect(checked.output.contains("\"rule\":\"StageNameCasing\""))
        #expect(checked.errors.contains("circular dependency"))
    }

    @Test func aStepThatIsKilledHasItsSignalsStatus() throws {
        let home = BuildHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN true\nRUN sh -c 'kill -TERM $$'; exit $?\n"])
        let run = try home.run(["build", context.path], expecting: 143)
        #expect(run.errors.contains("returned a non-zero code: 143\n"))
        #expect(run.errors.contains("Dockerfile:3: RUN sh -c"))
        #expect(try home.lines(["ps", "-a", "--format", "{{.Status}}"]).first?.hasPrefix("Exited (143)") == true)
        let again = try home.run(["build", context.path], expecting: 143)
        #expect(again.output.contains("Step 2/3 : RUN true\n ---> Using cache\n"))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root")) func aStepBeyondItsMemoryIsKilled() throws {
        let home = BuildHome()
        let text = "FROM busybox\nRUN dd if=/dev/zero of=/dev/null bs=200M count=1\n"
        let context = try ContextFolder(["Dockerfile": text])
        let run = try home.run(["build", "-m", "16m", context.path], expecting: 137)
        #expect(run.errors.contains("returned a non-zero code: 137\n"), "\(run.errors)")
        #expect(try home.run(["system", "check"]).status == 0)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root")) func aControlGroupIsMadeWhereItIsAskedFor() throws {
        let home = BuildHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nRUN true\n"])
        let parent = "shale-test-\(getpid())/below"
        try home.run(["build", "--cgroup-parent", "/\(parent)", context.path], expecting: 0)
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
        for user in Learner.User.allCases where user != .root && user.obstacle == nil {
            let learner = try Learner(user)
            mkdir(learner.work + "/c", 0o755)
            try learner.write("FROM busybox\nCOPY . /d/\n", to: "c/Dockerfile")
            try learner.write("x\n", to: "c/closed")
            chown(learner.work + "/c/closed", 0, 0)
            chmod(learner.work + "/c/closed", 0o600)
            let run = try learner.shale(["build", "c"], expecting: 1)
            #expect(run.errors.contains("error checking context: no permission to read from 'closed'"), "\(run.errors)")
            #expect(!run.text.contains("Step 1"))
        }
    }

    @Test func wrongOptionsAreRefusedAtOnceInDockersWords() throws {
        let home = BuildHome()
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY Dockerfile /\n"])
        let cases: [([String], Int32, String)] = [
            (["--progress", "foo"], 64, "invalid value \"foo\" passed to --progress, valid values are: auto, plain, "),
            (["--network", "nosuch"], 1, "network nosuch is not supported\nhint: --network host"),
            (["--build-arg", "=x"], 64, "\"=x\" for \"--build-arg\" flag: invalid environment variable: =x"),
            (["--ulimit", "foo"], 64, "\"foo\" for \"--ulimit\" flag: invalid ulimit argument: foo"),
            (["-m", "foo"], 64, "\"foo\" for \"-m, --memory\" flag: invalid size: 'foo'"),
            (["--platform", "linux/amd64,linux/arm64"], 1, "Multi-platform build is not supported for "),
            (["--platform", "a/b/c/d"], 64, "invalid platform: "),
        ]
        for (options, status, words) in cases {
            let run = try home.run(["build"] + options + [context.path])
            #expect(run.status == status && run.errors.contains(words), "\(options): \(run)")
            #expect(!run.output.contains("Step"))
        }
        // As docker: a name alone is a label without a text.
        try home.run(["build", "--label", "a", "-t", "labelled", context.path], expecting: 0)
        #expect(try home.lines(["inspect", "-f", "{{json .Config.Labels}}", "labelled"]) == ["{\"a\":\"\"}"])
        let gone = try home.run(["context", "-f", "nosuch", context.path], expecting: 1)
        #expect(gone.errors.contains("/nosuch: no such file or directory"))
    }
}

/// Recipes: what they say, and that they make the same image again.
@Suite("recipes of builds", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
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
    private func rebuild(_ name: String, in home: BuildHome) throws {
        let folder = "\(home.folder.path)/recipe-\(name)"
        try home.run(["recipe", "save", folder, name], expecting: 0)
        try home.run(["build", "--no-cache", "-t", "\(name)-again", folder], expecting: 0)
        let ids = try [name, "\(name)-again"].map { try home.lines(["inspect", "-f", "{{.Id}}", $0]).first ?? "" }
        let images = try ids.map { try BuiltImage($0, home: home.path) }
        let paths = Set(images[0].files.keys).union(images[1].files.keys).sorted()
        #expect(paths.filter { images[0].files[$0] != images[1].files[$0] } == [])
        // How the committed container was started is no setting that a Dockerfile makes.
        let settings = images.map { WholeImage(config: $0.config["config"]) }
        #expect(settings[0].config == settings[1].config)
        let verified = try home.run(["recipe", "verify", name])
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    }

    @Test func ofABuild() throws {
        let (home, context) = (BuildHome(), try context())
        try home.run(["build", "-t", "built", context.path], expecting: 0)
        try rebuild("built", in: home)
    }

    @Test func ofACommitAfterCopying() throws {
        let (home, context) = (BuildHome(), try context())
        try home.run(["build", "-t", "built", context.path], expecting: 0)
        try context.write(Array("extra\n".utf8), to: "additional.txt")
        try home.run(
            ["run", "--name", "work", "built", "sh", "-c", "echo y > /made; rm /heredoc; mkdir /dir; echo z > /dir/z"],
            expecting: 0)
        try home.run(["cp", context.path + "/additional.txt", "work:/usr/src/app"], expecting: 0)
        try home.run(["commit", "work", "committed"], expecting: 0)
        let recipe = try home.lines(["recipe", "committed"])
        #expect(recipe.contains("COPY additional.txt /usr/src/app/additional.txt"))
        try rebuild("committed", in: home)
    }

    @Test func ofStepsAtThePrompt() throws {
        let home = BuildHome()
        let context = try ContextFolder(["additional.txt": "extra\n"])
        let lines = "FROM busybox\nRUN echo hi > /x\nCOPY additional.txt /y/\nENV A=\"b c\"\nrecipe\n"
        let run = try home.run([], input: Array(lines.utf8), in: context.path, expecting: 0)
        #expect(run.output.hasSuffix("FROM busybox\nRUN echo hi > /x\nCOPY additional.txt /y/\nENV A=\"b c\"\n"))
        let id = run.output.split(separator: "\n").last { $0.hasPrefix(" ---> ") }.map { $0.dropFirst(6).prefix(12) }
        try home.run(["tag", String(try #require(id)), "stepped"], expecting: 0)
        try rebuild("stepped", in: home)
    }

    @Test func aRecipeThatMakesSomethingElseIsFoundOut() throws {
        let home = BuildHome()
        let context = try ContextFolder([
            "Dockerfile": "FROM busybox\nRUN head -c 9 /dev/urandom > /random\nRUN echo said; echo 1 > /one\n"
        ])
        try home.run(["build", "-t", "built", context.path], expecting: 0)
        let verified = try home.run(["recipe", "verify", "built"])
        #expect(verified.status == 1)
        let line = "/random: content (line 2: RUN head -c 9 /dev/urandom > /random)"
        #expect(verified.output == line + "\n", "\(verified.errors)")
        let first = [
            "Step 1/3 : FROM busybox", "Step 2/3 : RUN head -c 9 /dev/urandom > /random",
            "Step 3/3 : RUN echo said; echo 1 > /one",
        ]
        #expect(verified.errors.split(separator: "\n").map(String.init) == first)
        let plain = try home.run(["recipe", "verify", "--progress", "plain", "built"])
        #expect(plain.errors.contains("\nsaid\n") && plain.errors.contains(" ---> Running in "), "\(plain.errors)")
        let rows = try home.run(["recipe", "verify", "built", "--format", "json"])
        #expect(
            rows.output
                == "{\"path\":\"/random\",\"difference\":\"content\",\"step\":\"RUN head -c 9 /dev/urandom > /random\",\"line\":2}\n"
        )
    }

    @Test func verifyingLeavesNothingBehind() throws {
        let home = BuildHome()
        let lines = "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /stamp\nRUN echo 1 > /one\nRUN sleep 3\n"
        let context = try ContextFolder(["Dockerfile": lines])
        try home.run(["build", "-t", "built", context.path], expecting: 0)
        try home.run(["run", "--name", "kept", "built", "sh", "-c", "echo 2 > /two; exit 4"])
        func state() throws -> [String] {
            try home.lines(["images", "-aq", "--no-trunc"]) + home.lines(["ps", "-aq"])
                + FileManager.default.contentsOfDirectory(atPath: home.path + "/provenance").sorted()
        }
        let before = try state()
        for subject in ["built", "kept"] {
            let verified = try home.run(["recipe", "verify", subject])
            #expect(verified.output.contains("/stamp: content (line 2: RUN cat"), "\(verified.errors)")
            #expect(try state() == before)
        }
        // Interrupted in the middle of a step.
        let child = try home.start(
            ["recipe", "verify", "built"], output: "/dev/null", errors: home.folder.path + "/err")
        for _ in 0..<600
        where !((try? String(contentsOfFile: home.folder.path + "/err", encoding: .utf8)) ?? "").contains("RUN sleep") {
            usleep(50_000)
        }
        child.stop(SIGINT)
        #expect(try state() == before)
        // Later builds find their own steps in the cache, not the ones that are gone.
        let again = try home.run(["build", context.path], expecting: 0)
        #expect(again.output.split(separator: "\n").filter { $0.contains("Using cache") }.count == 3, "\(again.output)")
    }

    @Test func aFolderThatIsNoRecipesIsLeftAlone() throws {
        let home = BuildHome()
        let folder = try ContextFolder(["Dockerfile": "FROM mine\n", "own.txt": "x"])
        try home.run(["create", "--name", "one", "busybox"], expecting: 0)
        try home.run(["cp", folder.path + "/own.txt", "one:/first"], expecting: 0)
        let refused = try home.run(["recipe", "save", folder.path, "one"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("holds files that are no recipe's"))
        let saved = folder.path + "/recipe"
        try home.run(["recipe", "save", saved, "one"], expecting: 0)
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: saved)) == [".shale-recipe", "Dockerfile", "first"])
        try Data("mine".utf8).write(to: URL(filePath: saved + "/notes"))
        try home.run(["create", "--name", "two", "busybox"], expecting: 0)
        try home.run(["cp", folder.path + "/own.txt", "two:/second"], expecting: 0)
        try home.run(["recipe", "save", saved, "two"], expecting: 0)
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: saved))
                == [".shale-recipe", "Dockerfile", "second", "notes"])
    }

    @Test func secretsAreMaskedInEveryForm() throws {
        let home = BuildHome()
        let lines = "FROM busybox\nENV DB_PASSWORD=hunter2\nRUN echo https://me:pa55@example.org > /url\n"
        let context = try ContextFolder(["Dockerfile": lines])
        try home.run(["build", "-t", "built", context.path], expecting: 0)
        for arguments in [[], ["--to", "sh"], ["--to", "md"], ["--to", "shale"], ["--format", "json"], ["--tidy"]] {
            let told = try home.run(["recipe"] + arguments + ["built"], expecting: 0)
            #expect(!told.output.contains("hunter2") && !told.output.contains("pa55"), "\(told.output)")
            #expect(told.errors.contains("the value of DB_PASSWORD is masked"))
        }
        let folder = home.folder.path + "/saved"
        let saved = try home.run(["recipe", "save", folder, "built"], expecting: 0)
        #expect(
            saved.errors.contains(
                "line 3 (ENV): the value of DB_PASSWORD is masked: build with --build-arg DB_PASSWORD=…"))
        #expect(try !String(contentsOfFile: folder + "/Dockerfile", encoding: .utf8).contains("hunter2"))
        try home.run(["build", "-t", "again", "--build-arg", "DB_PASSWORD=hunter2", folder], expecting: 0)
        let env = try home.lines(["inspect", "-f", "{{.Config.Env}}", "again"])
        #expect(env.first?.contains("DB_PASSWORD=hunter2") == true)
        #expect(try home.run(["recipe", "--show-secrets", "built"], expecting: 0).output.contains("hunter2"))
        // The proof is of the recipe as it is.
        try home.run(["recipe", "verify", "built"], expecting: 0)
    }

    @Test func aPlanSaysWhatABuildWouldDo() throws {
        let (home, context) = (BuildHome(), try context())
        let plan = try home.lines(["recipe", "plan", context.path + "/Dockerfile"])
        #expect(plan.contains("base docker.io/library/busybox:latest"))
        #expect(plan.contains { $0.hasPrefix("config ") && $0.contains("GREETING=hello world") })
        #expect(plan.contains("stage tools from docker.io/library/busybox:latest"))
    }
}
