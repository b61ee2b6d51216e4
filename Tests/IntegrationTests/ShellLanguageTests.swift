import FoundationEssentials
import TestSupport
import Testing

/// The shell language as a person meets it: variables, host commands, and lines that must touch nothing.
struct ShellLanguageTests {
    /// An unknown command opens no file and starts no program, however it is written.
    @Test(arguments: [
        "printf x > Dockerfile", "frob >> Dockerfile", "frob < Dockerfile > other", "x = printf hi > Dockerfile",
        "frob | tee Dockerfile", "frob 2> Dockerfile", "x = frob | tee Dockerfile", "frob &> Dockerfile",
        "frob $(!touch made) > Dockerfile", "images $nosuch > Dockerfile", "a; frob > Dockerfile",
        "alias ll = frob\nll > Dockerfile", "version > Dockerfile <<< $nosuch", "version > Dockerfile < $nosuch",
        "rm $(frob-nothing) > Dockerfile",
    ])
    func anUnknownCommandTouchesNothing(script: String) throws {
        let learner = ShaleHome()
        try learner.write("FROM busybox\n", to: "Dockerfile")
        let outcome = try learner.run(["-c", script], expecting: 64)
        #expect(try learner.text("Dockerfile") == "FROM busybox\n")
        #expect(!learner.exists("other") && !learner.exists("made"))
        #expect(!outcome.errors.isEmpty)
    }

    @Test(arguments: [
        ("!echo $HERE", "from outside"), ("run --rm -e A=$HERE busybox sh -c 'echo $A'", "from outside"),
        ("run --rm -v $PWD:/x busybox ls /x", "here.txt"), ("run --rm busybox echo \"$HERE\"", "from outside"),
        ("HERE = mine\nrun --rm busybox echo $HERE", "mine"),
        ("HERE = mine\nunset HERE\nx = $HERE\n!echo $x", "from outside"),
        ("x = $(cat here.txt)\n!echo $x", "words of a file"), ("x = $(echo one; echo two)\n!echo $x", "one two"),
        ("x = `cat here.txt`\n!echo $x", "words of a file"), ("!echo `echo one; echo two`", "one two"),
        ("run --rm busybox echo `images -q busybox | wc -l`", "1"),
        ("run --rm busybox echo 'a `b`' \\`c\\`", "a `b` `c`"),
        ("run --rm -v `pwd`:/x busybox ls /x", "here.txt"), ("x = \"a`echo b c; echo d`e\"\n!echo \"$x\"", "ab c\nde"),
        ("x = `echo \\`echo inner\\``\n!echo $x", "inner"), ("$ echo `echo a; echo b` | wc -w; pwd >/dev/null", "2"),
        ("cat <<E\nof `cat here.txt`, \\`kept\\`\nE", "of words of a file, `kept`"),
        ("cat <<'E'\n`kept`\nE", "`kept`"), ("FROM busybox\nRUN touch /`uname`\nrecipe", "RUN touch /`uname`"),
        ("x = $(pwd)\n!test \"$x\" = \"$PWD\" && echo same", "same"),
        ("run --rm busybox echo $(images -q busybox | wc -l)", "1"),
        ("run --rm busybox echo $NOTHING", "$NOTHING"), ("run --rm busybox sh -c \"echo a$NOTHING; echo b\"", "a\nb"),
        ("run -i --rm busybox sh <<E\nX=inner\necho $X\nE", "inner"), ("PATH = x\nimages -q busybox | wc -l", "1"),
        ("export A=b\n!echo $A", "b"), ("$ echo $HERE | tr a-z A-Z", "FROM OUTSIDE"),
        ("$ cat here.txt", "words of a file"),
        ("$ ls", "here.txt"), ("cat > f <<E\nmine\nE\n!cat f", "mine"),
        ("$ ls busybox:/bin/busybox", "/bin/busybox"),
        ("$ cat - > f <<E\nmy $HERE\nE\n$ cat f", "my from outside"), ("cat - <<E\nmine\nE", "mine"),
        ("$ grep -c from here.txt - <<'E'\n$from\nE", "(standard input):1"),
        ("$ ls here.txt | cat - /dev/fd/3 3<<E\nmine\nE", "here.txt\nmine"),
        ("$ mkdir d && cat > d/f <<E; ls d\n<E>\nE", "f"),
        ("$ cat here.txt | wc -w", "4"),
    ])
    func words(script: String, output: String) throws {
        let learner = ShaleHome(["HERE": "from outside"])
        try learner.write("words of a file\n", to: "here.txt")
        let shown = try learner.run(["-c", script]).text
        #expect(shown.trimmingPrefix { $0 == " " }.contains(output), "\(shown)")
    }

    @Test(arguments: [
        ("run --rm -e A=$NOTHING busybox true", "$NOTHING: no such variable"),
        ("run $NOTHING true", "no such variable"),
        ("cp $NOTHING x", "no such variable"), ("x = $(no-such-program-here)", "neither a command of shale's"),
        ("unset 1x", "is no variable's name"), ("unset", "which variable?"),
    ])
    func mistakes(script: String, words: String) throws {
        let outcome = try ShaleHome().run(["-c", script], expecting: 64)
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }

    /// A variable of a name that the host needs stays shale's, in the next shale too.
    @Test func hostNamesDoNotBreakASession() throws {
        let learner = ShaleHome()
        try learner.write("PATH = /nowhere\nLD_PRELOAD = /nowhere.so\nIFS = x\nversion | cat\n", to: "a.shale")
        let first = try learner.run(["./a.shale"])
        #expect(first.text.contains("shale 0.") && !first.errors.contains("nowhere.so"))
        #expect(try learner.run(["-c", "version | cat"]).text.contains("shale 0."))
    }

    @Test func aPulledImageIsKnown() throws {
        let registry = try CourseRegistry()
        let learner = ShaleHome(registry.environment)
        let script = "run --rm alpine:3.13 true\nimages --no-trunc --format {{.ID}} alpine:3.13\n!echo sha256:$img\n"
        let lines = try learner.run(["-c", script]).text.split(separator: "\n")
        #expect(lines.count == 2 && lines.first == lines.last)
        withExtendedLifetime(registry) {}
    }

    /// Of a pasted block with prompt signs only the commands run, however it comes.
    @Test func outputOfAPastedBlockNeverRuns() throws {
        let text = """
            $ touch one
            ---> Running in bd0b4e349cb4 > made
            $ docker images -q busybox | wc -l
            images > made
            1
            """
        let learner = ShaleHome()
        try learner.write(text + "\n", to: "t.shale")
        for arguments in [["-c", text], ["./t.shale"]] {
            #expect(try learner.run(arguments).text == "1\n")
            #expect(learner.exists("one") && !learner.exists("made"))
        }
    }

    /// A hint is the line that was meant.
    @Test(arguments: [
        ("cat busybox:etc/passwd", "hint: cat busybox:/etc/passwd"), ("ls busybox:etc", "hint: ls busybox:/etc"),
        ("cat web:etc/passwd", "hint: cat web:/etc/passwd"), ("ls -l web:etc", "hint: ls -l web:/etc"),
        ("find busybox:latest:etc -name x", "hint: find busybox:latest:/etc -name x"),
        ("grep root busybox:etc", "hint: grep root busybox:/etc"), ("tree busybox/etc", "hint: tree busybox:/etc"),
        ("ls busybox#1:etc", "did you mean busybox#1:/etc?"), ("cd busybox:etc", "hint: cd busybox:/etc"),
        ("diff busybox:etc web", "hint: diff busybox:/etc web"), ("ls busybox:", "hint: ls busybox:/"),
        ("diff web:etc", "hint: diff web:/etc"), ("size busybox:etc", "hint: size busybox:/etc"),
        ("docekr ps", "hint: docker"), ("from busybox", "hint: FROM …"),
        ("FORM busybox", "hint: FROM …"), ("RUNN true", "hint: RUN …"), ("imgs", "hint: images"),
        ("docker-compose up", "hint: run, for each"),
        ("history 99999", "hint: history | tail -n 99999"),
        ("recipe save busybox out", "hint: recipe save out busybox"),
        // What could be a tag is one where there is no such file.
        ("ls busybox:latst", "hint: did you mean busybox:latest?"),
        ("ls busybox:nosuch", "hint: did you mean busybox:latest?"),
        ("cat here.txt", "hint: !cat here.txt"), ("start wenb", "hint: did you mean web?"),
        ("rmi busybx", "hint: did you mean busybox:latest?"),
        ("rmi busybox:lates", "hint: did you mean busybox:latest?"),
        ("ps --filter status=banana", "created|running|paused"), ("ps --filter nonsense=1", "filters: id, name"),
        ("images --filter dangling=x", "dangling=true|false"), ("volume ls --filter x=1", "filters: name, label"),
        ("search --filter x=1 a", "filters: stars"), ("push x", "hint: tag IMAGE x"), ("./here.txt", "here.txt"),
        ("set offline banana", "hint: set offline on|off"),
        ("set registry.mirror x", "hint: set registry.mirror docker.io="),
    ])
    func hintsHelp(line: String, hint: String) throws {
        let learner = ShaleHome()
        try learner.write("words\n", to: "here.txt")
        try learner.run(["create", "--name", "web", "busybox"])
        let outcome = try learner.run(["-c", line], expecting: nil)
        #expect(outcome.status != 0 && outcome.errors.contains(hint), "\(outcome.errors)")
    }

    /// `set teach on`: a line after each about what it did.
    @Test func teachingTellsWhatALineDid() throws {
        let learner = ShaleHome()
        try learner.run(["set", "teach", "on"])
        let lines = [
            ("tag busybox mine", "(mine:latest is now a name of "), ("FROM busybox", "(a working image begins, with "),
            ("RUN touch /a", "as a layer on top; images new here: 1; undo takes it back)"),
            ("run --name one busybox true", "what it writes is a layer of its own"),
            ("rm one", "(container one lies aside until prune; undo takes it back)"),
            ("prune -f --history", "for good: undo cannot bring it back)"),
            ("untag mine", "(mine:latest is no name any more; "), ("images -q", "(nothing was changed)"),
        ]
        for (line, words) in lines {
            let told = try learner.run(["-c", line]).errors
            #expect(told.contains(words), "\(line): \(told)")
        }
        try learner.run(["set", "teach", "off"])
        #expect(try learner.run(["-c", "images -q"]).errors.isEmpty)
    }

    /// A stored setting that is not right locks nobody out.
    @Test func aBadStoredSettingIsPassedOver() throws {
        let learner = ShaleHome()
        try learner.run(["images", "-q"])
        let home = learner.environment["SHALE_HOME"] ?? ""
        try Data("registry.mirror = garbage\noffline = banana\nundo.limit = abc\n".utf8)
            .write(to: URL(filePath: home + "/settings"))
        let outcome = try learner.run(["-c", "images -q\nimages -q"])
        #expect(outcome.errors.components(separatedBy: "is passed over").count == 4, "\(outcome.errors)")
        for words in [["registry.mirror", "docker.io=http://127.0.0.1:1"], ["offline", "off"], ["undo.limit", "5"]] {
            try learner.run(["set"] + words)
        }
        #expect(try learner.run(["images", "-q"]).errors.isEmpty)
    }

    @Test(arguments: ["x/y", "../up", "-x", "a b", ""])
    func aSessionsNameIsChecked(name: String) throws {
        let learner = ShaleHome()
        let status: Int32 = 64
        let outcome = try learner.run(["--session=\(name)", "version"], expecting: status)
        #expect(outcome.errors.contains("a name has letters"))
    }

    /// Offline no server is asked, on this machine neither.
    @Test func offlineAsksNobody() throws {
        let server = try MisbehavingServer { _ in .json("{}") }
        let learner = ShaleHome(["SHALE_MIRROR": "docker.io=http://\(server.host)"])
        for line in [
            ["pull", "alpine"], ["pull", "\(server.host)/a/b"], ["search", "x"], ["tags", "\(server.host)/a/b"],
        ] {
            let outcome = try learner.run(["--offline"] + line, expecting: 1)
            #expect(outcome.errors.contains("offline: "), "\(outcome.errors)")
            #expect(outcome.errors.contains("http://\(server.host) is not asked"), "\(outcome.errors)")
        }
        #expect(server.requests.isEmpty)
    }

    @Test func stepsAndStatesForPrograms() throws {
        let learner = ShaleHome()
        let long = "RUN echo " + String(repeating: "word ", count: 30) + "\\\n end"
        let text = try learner.run(["-c", "FROM busybox\n\(long)\nsteps --format json\ntimeline --format json"]).text
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("{") && $0.contains("RUN echo") }
        #expect(rows.count == 2)
        for row in rows { #expect(row.contains(" end\"") && row.contains("\"CreatedAt\":\"2")) }
    }

    @Test func aHandoutHasErrors() throws {
        let learner = ShaleHome()
        let script = "record --md h.md\nrun --rm busybox ls /nope || version\nrecord off"
        try learner.run(["-c", script])
        #expect(try learner.text("h.md").contains("ls: /nope: No such file or directory"))
    }
}
