import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What BuildKit's Dockerfiles ask of a build beyond the classic builder's, through the built program.
@Suite("build features", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildFeatureTests {
    private let home = ShaleHome()

    @discardableResult
    private func build(
        _ text: String, _ options: [String] = [], files: [String: String] = [:], environment: [String: String] = [:],
        expecting status: Int32? = 0
    ) throws -> Peer.Outcome {
        let context = try ContextFolder(files.merging(["Dockerfile": text]) { $1 })
        return try home.run(
            ["build"] + options + ["."], in: context.path, environment: environment, expecting: status)
    }

    /// A Dockerfile may be a stranger's: the host's network is the caller's to give, as BuildKit has it.
    @Test func theNetworkOfTheHostIsForTheCallerToAllow() throws {
        let text = "FROM busybox\nRUN --network=host true\n"
        for options in [[], ["--network", "none"], ["--network", "default"]] {
            let refused = try build(text, options, expecting: 1)
            #expect(refused.errors.contains("network.host is not allowed"), "\(refused.errors)")
            try build(text, options + ["--allow", "network.host"])
        }
        try build(text, ["--network", "host"])
        let other = try build(text, ["--allow", "security.insecure"], expecting: 1)
        #expect(other.errors.contains("--allow security.insecure: cannot be granted here"), "\(other.errors)")
    }

    @Test func secretsAreSeenAndLeaveNoTrace() throws {
        let text =
            "FROM busybox\nRUN --mount=type=secret,id=tok,required cat /run/secrets/tok > /seen; stat -c %a /run/secrets/tok\n"
            + "RUN --mount=type=secret,id=env,env=TOKEN,target=/t echo $TOKEN; cat /t; rm /seen\n"
        let run = try build(
            text, ["-t", "s", "--secret", "id=tok,src=token", "--secret", "id=env,env=MY_TOKEN"],
            files: ["token": "s3cr3t\n"], environment: ["MY_TOKEN": "0th3r"])
        #expect(run.text.contains("400\n") && run.text.contains("0th3r\n0th3r"))
        // Another secret is no reason to carry a step out again.
        let again = try build(
            text, ["-t", "s", "--secret", "id=tok,src=token"], files: ["token": "changed\n"])
        #expect(again.text.components(of: " ---> Using cache") == 2)
        #expect(try home.run(["run", "--rm", "s", "sh", "-c", "ls -d /run /t 2>/dev/null; true"]).lines.isEmpty)
        // Nor is a secret that is not there, as long as nobody asks for it.
        #expect(try build(text).text.components(of: " ---> Using cache") == 2)
        let missing = try build("FROM busybox\nRUN --mount=type=secret,id=no,required true\n", expecting: 1)
        #expect(
            missing.errors.contains(
                "secret no: not found\n    Dockerfile:2: RUN --mount=type=secret,id=no,required true"))
        #expect(
            try build("FROM busybox\n", ["--secret", "id=a,src=/nope"], expecting: 1).errors.contains(
                "failed to stat /nope"))
    }

    @Test func aProgramInATemporaryMountRuns() throws {
        let run = try build(
            "FROM busybox\nRUN --mount=type=tmpfs,target=/t,size=8m printf '#!/bin/sh\\necho ran in it\\n' > /t/p && "
                + "chmod +x /t/p && /t/p\n")
        #expect(run.text.contains("\nran in it\n"), "\(run)")
    }

    @Test func aMountedContextIsReadAnewWhenItChanged() throws {
        let context = try ContextFolder([
            "Dockerfile": "FROM busybox\nRUN --mount=type=bind,target=/src,rw cat /src/d/f; echo no > /src/d/f\n",
            ".dockerignore": "out\n", "d/f": "one\n", "out": "1\n",
        ])
        func build() throws -> String { try home.run(["build", "."], in: context.path).text }
        #expect(try build().contains("\none\n"))
        try context.write(Array("2\n".utf8), to: "out")
        #expect(try build().contains(" ---> Using cache\n"))
        try context.write(Array("two!\n".utf8), to: "d/f")
        let run = try build()
        #expect(run.contains("\ntwo!\n") && !run.contains("Using cache"), "\(run)")
        #expect(try String(contentsOfFile: context.path + "/d/f", encoding: .utf8) == "two!\n")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to give files away"))
    func filesOfTheContextAreRootsWhosesoeverTheyAre() throws {
        let context = try ContextFolder([
            "Dockerfile": "FROM busybox\nCOPY d /d/\nRUN --mount=type=bind,target=/src ls -ln /src/d /d | grep f$\n"
                + "RUN --mount=type=bind,source=d/f,target=/f stat -c %u:%g /f\n",
            "d/f": "one\n",
        ])
        func build() throws -> String { try home.run(["build", "."], in: context.path).text }
        chown(context.path + "/d/f", 5, 6)
        let run = try build()
        #expect(run.matches(of: /\ 1 0 +0 +4 .* f\n/).count == 2 && run.contains("\n0:0\n"), "\(run)")
        chown(context.path + "/d/f", 7, 8)
        #expect(try build().components(of: " ---> Using cache") == 3)
    }

    @Test func warningsStandAmongTheLinesOfTheBuild() throws {
        let run = try build(
            "FROM busybox\nENV A=1 \\\n\n  B=2\n\nENV C=3 \\\n  # said\n\n  D=4\n", ["--build-arg", "NO=1"])
        let lines = run.text.split(separator: "\n").map(String.init)
        #expect(
            lines[1...5] == [
                "[WARNING]: Empty continuation line found in:", "    ENV A=1   B=2",
                "[WARNING]: Empty continuation line found in:", "    ENV C=3   D=4",
                "[WARNING]: Empty continuation lines will become errors in a future release.",
            ])
        #expect(lines.contains("[Warning] One or more build-args [NO] were not consumed"), "\(run.text)")
        let told = try build("FROM busybox\n", ["--build-arg", "NO=1", "--progress", "json"]).text
        #expect(told.contains("[Warning] One or more build-args [NO] were not consumed"), "\(told)")
    }

    @Test func stagesThatNobodyNeedsAreNotBuilt() throws {
        let text =
            "FROM busybox AS broken\nRUN false\nFROM busybox AS one\nRUN echo 1 > /one\nFROM busybox AS two\n"
            + "RUN echo 2 > /two\nFROM busybox\nCOPY --from=one /one /\nCOPY --from=two /two /\n"
        let run = try build(text)
        #expect(run.errors.contains("stage broken is not needed and not built"))
        // Built at once, told in the file's order.
        let steps = run.text.split(separator: "\n").filter { $0.hasPrefix("Step ") }.map { $0.prefix { $0 != ":" } }
        #expect(steps == ["Step 3/9 ", "Step 4/9 ", "Step 5/9 ", "Step 6/9 ", "Step 7/9 ", "Step 8/9 ", "Step 9/9 "])
        #expect(try build(text, ["--target", "broken"], expecting: 1).errors.contains("returned a non-zero code: 1"))
    }

    @Test func whatABaseLeftForItsHeirsMayCopyFromStages() throws {
        _ = try build("FROM busybox\nONBUILD COPY --from=src /s /s\n", ["-t", "leaves"])
        let run = try build("FROM busybox AS src\nRUN echo 1 > /s\nFROM leaves\nRUN cat /s\n")
        #expect(!run.errors.contains("not needed"), "\(run.errors)")
        let told = ["Step 2/4", "Step 3/4", "# Executing 1 build trigger", "\n1\n"]
        #expect(told.map { run.text.components(of: $0) } == [1, 1, 1, 1], "\(run.text)")
        #expect(run.text.hasPrefix("Sending build context to Docker daemon  2.048kB\nStep 1/4"), "\(run.text)")
    }

    @Test func parentsArePatternsOfAnyDepth() throws {
        let text =
            "FROM busybox\nCOPY --parents **/package.json in/./a/** /w/\n"
            + "RUN find /w -type f | sort && ls /w/p/node/*\n"
        let names = ["package.json", "p/one/package.json", "p/node/package.json", "p/node/x.js", "in/a/b/c", "in/d"]
        let files = Dictionary(uniqueKeysWithValues: names.map { ($0, "") })
        let run = try build(text, files: files)
        let wanted = ["a/b/c", "p/node/package.json", "p/one/package.json", "package.json", "p/node/package.json"]
        #expect(run.text.contains(wanted.map { "/w/\($0)\n" }.joined()), "\(run.text)")
    }

    @Test func modesMayBeWrittenInLetters() throws {
        let text =
            "FROM busybox\nCOPY --chmod=u=rwX,go=rX d /d/\nCOPY --chmod=a+x f /\nCOPY --chmod=g-r,o= <<E /e\nx\nE\n"
            + "RUN stat -c '%a %n' /d /d/g /f /e\n"
        let run = try build(text, files: ["d/g": "", "f": ""])
        #expect(run.text.contains("\n755 /d\n644 /d/g\n755 /f\n600 /e\n"), "\(run.text)")
        #expect(
            try build("FROM busybox\nCOPY --chmod=u=q f /\n", files: ["f": ""], expecting: 1).errors.contains(
                "invalid chmod parameter: 'u=q'"))
    }

    private static let git = Peer("git")
    private static let python = Peer("python3")

    /// A repository that a web server gives as plain files, which knows no shallow history.
    @Test(.enabled(if: git.isPresent && python.isPresent, "needs git and python3"))
    func aRepositoryOfPlainFilesIsAContext() throws {
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY f /\nRUN cat /f\n", "f": "in git\n"])
        let named = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
        for words in [
            ["init", "-q", "-b", "trunk"], ["add", "-A"], named + ["commit", "-qm", "first"],
            ["clone", "-q", "--bare", ".", "r.git"], ["-C", "r.git", "update-server-info"],
        ] { try Self.git.run(words, in: context.path) }
        let said = context.path + "/said"
        let server = try Child(
            Self.python.path ?? "", ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"], in: context.path,
            output: said, errors: "/dev/null")
        defer { server.stop() }
        var port: Substring?
        for _ in 0..<600 where port == nil && server.isRunning {
            usleep(50_000)
            let words = (try? String(contentsOfFile: said, encoding: .utf8))?.split(separator: " ") ?? []
            port = words.firstIndex(of: "port").flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
        }
        for reference in ["", "#trunk"] {
            let address = "http://127.0.0.1:\(port ?? "1")/r.git\(reference)"
            let run = try home.run(["build", "--no-cache", address], in: context.path)
            #expect(run.text.contains("\nin git\n"), "\(run.text)")
        }
    }

    @Test func aSecondHealthCheckIsNoted() throws {
        let run = try build("FROM busybox\nHEALTHCHECK CMD true\nHEALTHCHECK NONE\n")
        #expect(run.text.contains("Note: overriding previous HEALTHCHECK: [CMD-SHELL true]\n"), "\(run.text)")
    }

    @Test func aDockerfileThatIsNotThereIsToldByItsWholePath() throws {
        let context = try ContextFolder(["f": ""])
        let run = try home.run(["build", "."], in: context.path, expecting: 1)
        #expect(run.errors.contains("lstat \(context.path)/Dockerfile: no such file"), "\(run.errors)")
        #expect(
            try home.run(["build", "-f", "sub/D", "."], in: context.path, expecting: 1).errors.contains(
                "lstat \(context.path)/sub/D: no such"))
    }

    @Test func theFailureIsTheOneThatStepsInTurnWouldMeet() throws {
        let text =
            "FROM busybox AS a\nRUN sleep 1; exit 5\nFROM busybox AS b\nRUN exit 6\nFROM busybox\n"
            + "COPY --from=b /b /\nCOPY --from=a /a /\n"
        let run = try build(text, expecting: 5)
        #expect(run.errors.contains("    Dockerfile:2: RUN sleep 1; exit 5\nhint: enter "))
        #expect(!run.text.contains("Step 3/"))
        #expect(try home.run(["ps", "-aq"]).lines.count == 1)
        #expect(try home.run(["ps", "-a", "--format", "{{.Status}}"]).lines.first?.hasPrefix("Exited (5)") == true)
    }

    @Test func platformsAreArgumentsThatHeirsInherit() throws {
        let text =
            "FROM --platform=$BUILDPLATFORM busybox AS a\nARG TARGETOS\nARG GIVEN=x\nRUN echo \"<$TARGETOS>\"\n"
            + "FROM a\nARG TARGETARCH=none\nRUN echo \"[$TARGETOS $GIVEN ${TARGETARCH:+set}]\"\n"
        let run = try build(text, ["--build-arg", "GIVEN=y"])
        #expect(run.text.contains("\n<linux>\n") && run.text.contains("\n[linux y set]\n"), "\(run.text)")
        #expect(!run.errors.contains("not consumed"))
    }

    @Test func workingDirectoriesAreAsWrittenAndMadeBehindLinks() throws {
        let text =
            "FROM busybox\nRUN ln -s /made/there /link\nWORKDIR /link\nWORKDIR /made/here//\nRUN pwd > /where\n"
            + "COPY f ../and/\nRUN cat /where && ls -d /made/*\n"
        let run = try build(text, ["-t", "dirs"], files: ["f": "f\n"])
        #expect(run.text.contains("\n/made/here\n/made/and\n/made/here\n/made/there\n"), "\(run.text)")
        #expect(try home.run(["inspect", "-f", "{{.Config.WorkingDir}}", "dirs"]).lines == ["/made/here//"])
    }

    @Test func whatIsCopiedAgainIsALayerAgain() throws {
        let run = try build("FROM busybox\nCOPY f /\nCOPY f /\n", ["-q"], files: ["f": "f\n"])
        let image = run.text.split(separator: "\n").first.map(String.init) ?? ""
        let counts = try home.run(["inspect", "-f", "{{len .RootFS.Layers}}", image, "busybox"]).lines
        let layers = counts.compactMap { Int($0) }
        #expect(layers.count == 2 && layers[0] == layers[1] + 2, "\(layers)")
    }

    @Test func modesHoldForDirectoriesMadeOnTheWayAndNotForArchives() throws {
        let context = try ContextFolder(["f": "f\n", "in/g": "g\n"])
        try Peers.tar.run(["-C", context.path + "/in", "--mode=640", "-cf", context.path + "/t.tar", "g"])
        let text =
            "FROM busybox\nCOPY --chmod=4710 f /p/q/f\nCOPY --chmod=700 in /r/s\nADD --chmod=777 t.tar /t\n"
            + "RUN stat -c '%a %n' /p /p/q /p/q/f /r /r/s /r/s/g /t /t/g\n"
        try context.write(Array(text.utf8), to: "Dockerfile")
        let run = try home.run(["build", context.path])
        let told = "710 /p\n710 /p/q\n4710 /p/q/f\n700 /r\n700 /r/s\n700 /r/s/g\n755 /t\n640 /t/g\n"
        #expect(run.text.contains(told), "\(run.text)")
    }

    /// What an ignore file keeps out may be secret, so that one which cannot be read is no empty one.
    @Test func anIgnoreFileThatCannotBeReadIsNotPassedOver() throws {
        let large = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /c\n", "secret.key": "s\n"])
        try large.write(
            Array(repeating: UInt8(ascii: "\n"), count: 1 << 20) + Array("*.key\n".utf8), to: ".dockerignore")
        let folder = try ContextFolder([
            "Dockerfile": "FROM busybox\nCOPY . /c\n", "secret.key": "s\n", ".dockerignore/x": "",
        ])
        let beside = try ContextFolder([
            "Dockerfile": "FROM busybox\nCOPY . /c\n", "secret.key": "s\n", "Dockerfile.dockerignore/x": "",
        ])
        for context in [large, folder, beside] {
            let run = try home.run(["build", "."], in: context.path, expecting: 1)
            #expect(
                run.errors.contains("error checking context: .dockerignore") && !run.text.contains("Step"), "\(run)")
        }
    }

    /// A user of `:` alone is root, in a recipe for the host's shell too.
    @Test func anEmptyUserMakesNoTrouble() throws {
        try home.run(
            ["build", "-q", "-t", "colon", "-"], input: Array("FROM busybox\nUSER :\nRUN true > /tmp/x\n".utf8),
            expecting: nil)
        let run = try home.run(["recipe", "colon", "--to", "sh"], expecting: nil)
        #expect(run.status == 0 || run.errors.hasPrefix("shale: "), "\(run)")
    }

    @Test func whatIsLeftOutOrNowhereIsToldWithItsPlace() throws {
        let files = [".dockerignore": "# none\n*.log\n", "a.log": "a\n"]
        let ignored = try build("FROM busybox\nCOPY a.log /\n", files: files, expecting: 1)
        #expect(ignored.errors.contains("\nhint: context -a   (line 2 of the ignore file leaves it out: *.log)\n"))
        let gone = try build("FROM busybox\nCOPY b.log /\n", files: files, expecting: 1)
        #expect(gone.errors.contains("stat b.log: file does not exist") && !gone.errors.contains("hint: "))
        let context = try ContextFolder(["sub/f": "f\n"])
        let nowhere = try home.run(["build", "-f", "none", "sub"], in: context.path, expecting: 1)
        #expect(nowhere.errors.contains("/none: no such file") && !nowhere.errors.contains("/sub/none"))
    }

    @Test(arguments: [
        ("FROM busybox AS a\nCOPY --from=b /x /\nFROM a AS b\n", "circular dependency detected on stage: a"),
        (
            "FROM busybox AS a\nCOPY --from=b /x /\nFROM busybox AS b\nFROM a\n",
            "cannot copy from stage \"b\", it needs to be defined before current stage \"a\""
        ),
        ("FROM busybox\nCOPY --from=7 /x /\n", "invalid from flag value 7: index out of bounds"),
        (
            "FROM busybox\nCOPY --chown=nobody-here f /\n",
            "can't find uid for user nobody-here: no such user: nobody-here"
        ),
        ("FROM busybox\nADD --checksum=sha256:0 f /\n", "checksum requires HTTP(S) or Git sources"),
        ("FROM busybox\nADD http://127.0.0.1:1/f /\n", "connection refused"),
        ("FROM busybox\nRUN --security=insecure true\n", "security.insecure is not allowed"),
        ("FROM busybox\nCOPY gone /\n", "stat gone: file does not exist"),
        ("FROM busybox\nCOPY gone/deep /\n", "excluded by .dockerignore: stat gone/deep: file does not exist\n"),
        ("FROM busybox\nCOPY --from=busybox /gone /\n", "COPY failed: stat gone: file does not exist\n"),
        ("FROM busybox\nCOPY g* /\n", "COPY failed: no source files were specified\n"),
        ("FROM busybox AS a\nCOPY --from=a /x /\n", "circular dependency detected on stage: a\n"),
        ("FROM busybox\nCOPY --from=127.0.0.1:1/none /x /\n", "invalid from flag value 127.0.0.1:1/none: "),
        ("FROM busybox\nCOPY --chown=: f /\n", "can't find uid for user : no such user: \n"),
        ("FROM busybox\nCOPY --chown=0:none-such f /\n", "can't find gid for group none-such: no such group"),
        ("FROM busybox\nRUN --mount=type=secret,id=no,required true\n", "secret no: not found\n"),
        ("FROM busybox\nRUN [\"nowhere\"]\n", "exec: \"nowhere\": executable file not found in $PATH\n"),
        // A backslash is part of a name, and no pattern by itself.
        ("FROM busybox\nCOPY --from=busybox etc\\\\passwd /\n", "stat etc\\passwd: file does not exist"),
        ("FROM busybox\nRUN --mount=type=bind,source=. true\n", "invalid mount target \"/\"\n"),
        ("FROM busybox\nWORKDIR /etc/passwd\n", "Cannot mkdir: /etc/passwd is not a directory\n"),
        ("FROM busybox\nCOPY ../f /\n", "forbidden path outside the build context: ../f ()"),
    ])
    func whatCannotBeIsToldWithItsLine(_ text: String, _ words: String) throws {
        let run = try build(text, files: ["f": "f\n"], expecting: 1)
        #expect(run.errors.contains(words), "\(run.errors)")
        let lines = text.split(separator: "\n")
        let failing = ["COPY", "ADD", "RUN", "WORKDIR"]
        let number = (lines.firstIndex { line in failing.contains { line.hasPrefix($0) } } ?? 0) + 1
        #expect(run.errors.contains("\n    Dockerfile:\(number): \(lines[number - 1])\n"), "\(run.errors)")
        #expect(try home.run(["system", "check"], expecting: nil).status == 0)
    }

    @Test(.enabled(if: RegistryServer.isPresent, "needs docker-registry"))
    func aFileOfAnotherChecksumIsRefused() throws {
        let server = try RegistryServer()
        let zeros = String(repeating: "0", count: 64)
        let text = "FROM busybox\nADD --checksum=sha256:\(zeros) \(server.url)/v2/_catalog /f\n"
        let wrong = try build(text, expecting: 1)
        #expect(wrong.errors.contains("ADD failed: digest mismatch sha256:"), "\(wrong.errors)")
        #expect(wrong.errors.contains(": sha256:\(zeros)\n    Dockerfile:2: ADD --checksum="))
        // The one it has is the one it may have.
        let sum = try #require(wrong.errors.firstMatch(of: /mismatch sha256:([0-9a-f]{64})/)).output.1
        _ = try build(text.replacing(zeros, with: sum))
    }

    @Test func aMissIsExplainedAndItsKeyShown() throws {
        let context = try ContextFolder([
            "Dockerfile": "FROM busybox\nRUN true\nCOPY a b /d/\nRUN ls /d\n", "a": "1\n", "b": "1\n",
        ])
        func build() throws -> Peer.Outcome { try home.run(["build", "."], in: context.path) }
        _ = try build()
        try context.write(Array("2\n".utf8), to: "b")
        let run = try build()
        #expect(run.errors.contains("cache miss: COPY a b: content of b changed\n"))
        #expect(run.errors.contains("cache miss: RUN ls /d: the step before it was carried out anew\n"))
        let why = try home.run(["why-cache", "3"]).text
        #expect(why.hasPrefix("step 3: COPY a b /d/\nkey      sha256:"))
        #expect(why.contains("missed   content of b changed") && why.contains("    before file 644 "))
        let row = try home.run(["why-cache", "3", "--format", "json"]).text
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(row.utf8))
        #expect(json["differences"]?.array?.first?["attributes"]?.strings == ["content"])
        #expect(try home.run(["why-cache", "9"], expecting: nil).status == 1)
    }

    @Test func aFileRewrittenBehindItsTimesIsFoundOut() throws {
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY f /\n", "f": "one\n"])
        for _ in 0..<2 {
            usleep(120_000)
            try home.run(["build", "."], in: context.path)
        }
        // The same size and time: only the time of the change tells.
        try Peer("sh").run(["-c", "touch -r f ref; printf 'two\\n' > f; touch -r ref f"], in: context.path)
        let run = try home.run(["build", "-t", "t", "."], in: context.path)
        #expect(!run.text.contains("Using cache"))
        #expect(try home.run(["run", "--rm", "t", "cat", "/f"]).text == "two\n")
    }

    @Test func eventsComeAsObjects() throws {
        let text = "FROM busybox\nRUN echo said; exit 3\n"
        let run = try build(text, ["--progress", "json"], expecting: 3)
        let events = try run.text.split(separator: "\n").map {
            try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
        }
        #expect(
            events.compactMap { $0["event"]?.string } == ["context", "step", "stepDone", "step", "output", "error"])
        #expect(events[4]["text"]?.string == "said\n")
        #expect(events[5]["status"]?.int == 3 && events[5]["line"]?.int == 2)
    }

    @Test func contextsComeAsTarsAndRepositories() throws {
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY . /all/\n", "sub/file": "x\n"])
        let plain = try home.run(["build", "-q", "."], in: context.path).text
        for flags in ["-cf", "-czf"] {
            // Whose the files are does not count: the copies are root's.
            try Peer("tar").run([
                "-C", context.path, "--owner=7", "--group=8", flags, home.work + "/c.tar", "Dockerfile", "sub",
            ])
            let tar = try Data(contentsOf: URL(filePath: home.work + "/c.tar"))
            let run = try home.run(["build", "-", "-t", "tarred"], input: [UInt8](tar))
            #expect(run.text.contains("Using cache"), "\(run.text)")
        }
        #expect(!plain.isEmpty)
        let repository = try ContextFolder([
            "deep/Dockerfile": "FROM busybox\nADD file /\nCMD [\"cat\", \"/file\"]\n", "deep/file": "branch\n",
        ])
        let git = "git -c user.name=a -c user.email=a@b"
        try Peer("sh").run(
            ["-c", "\(git) init -q -b main . && git add . && \(git) commit -qm 1 && git branch other"],
            in: repository.path)
        try home.run(["build", "-t", "fetched", "file://\(repository.path)#other:deep"])
        #expect(try home.run(["run", "--rm", "fetched"]).text == "branch\n")
        let missing = try home.run(["build", "file://\(repository.path)#nothing"], expecting: nil)
        #expect(missing.status == 1 && missing.errors.contains("fatal: "))
    }

    @Test func aCheckBuildsNothing() throws {
        let run = try build("from busybox\nRUN true\nCMD echo hi\n", ["--check"], expecting: 1)
        #expect(run.text.contains("Check complete, 2 warnings have been found!"))
        #expect(
            run.text.contains(
                "WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n"))
        #expect(
            run.text.contains(
                "Dockerfile:3\n--------------------\n   1 |     from busybox\n   2 |     RUN true\n   3 | >>> CMD echo hi\n"
            ))
        #expect(try build("FROM busybox\n", ["--check"]).text == "Check complete, no warnings found.\n")
    }

    @Test func oneEpochMakesOneImageForRootAndForAnOrdinaryUser() throws {
        var ids: [String] = []
        for user in ShaleHome.Account.all {
            let learner = try ShaleHome(["SOURCE_DATE_EPOCH": "1700000000"], as: user)
            mkdir(learner.work + "/c", 0o755)
            try learner.write(
                "FROM busybox\nCOPY f /d/\nRUN echo 1 > /one && ln -s one /two\nUSER daemon\nCMD [\"sh\"]\n",
                to: "c/Dockerfile")
            try learner.write("content\n", to: "c/f", executable: true)
            ids.append(try learner.run(["build", "-q", "c"]).text)
        }
        #expect(Set(ids).count <= 1, "\(ids)")
        #expect(ids.first?.hasPrefix("sha256:") == true)
    }
}

extension String {
    /// How often a text stands in it.
    fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
