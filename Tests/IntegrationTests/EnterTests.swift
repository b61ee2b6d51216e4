import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `enter` through the built program, where no one types: scripts, standard input, here-documents.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct EnterTests {
    private func run(_ lines: String, in shale: ShaleHome, _ options: [String] = []) throws -> Peer.Outcome {
        try shale.run(options, input: Array((lines + "\n").utf8), expecting: nil)
    }

    /// The recipe of the working image, without what stands before the first line.
    private func recipe(_ shale: ShaleHome) throws -> [String] {
        try shale.run(["recipe"]).text.split(separator: "\n").map(String.init)
    }

    @Test func eachLineIsAStep() throws {
        let shale = ShaleHome()
        let made = try run(
            """
            FROM busybox
            enter
            mkdir -p /usr/src/app
            ls /
            cd /usr/src/app && touch first
            export A='b c' B="x\\$y" C=it\\'s
            export A='b c'
            cd /usr/src/app
            echo "$A" > a
            rm first
            exit
            steps --no-trunc
            """, in: shale)
        #expect(made.status == 0, "\(made.errors)")
        #expect(
            try recipe(shale) == [
                "FROM busybox", "RUN mkdir -p /usr/src/app", "RUN cd /usr/src/app && touch first",
                "WORKDIR /usr/src/app", "ENV A=\"b c\" B=\"x\\$y\" C=\"it's\"", "RUN echo \"$A\" > a", "RUN rm first",
            ])
        #expect(made.text.contains("A /usr/src/app/first") && made.text.contains("D /usr/src/app/first"))
        #expect(made.text.contains("+2 ~0 -0  0B"))
        let layers = try shale.run(["layers", "@", "--format", "json"]).text.split(separator: "\n")
        #expect(layers.count == 7, "\(layers)")
        let inside = try shale.run(["run", "--rm", "@", "sh", "-c", "pwd; cat a; echo \"$B$C\"; ls; ls -a /dev"])
        #expect(inside.text.hasPrefix("/usr/src/app\nb c\nx$yit's\na\n"), "\(inside.text)")
        #expect(!inside.text.contains(".enter"))
    }

    @Test func stateIsWrittenIntoTheLinesThatNeedIt() throws {
        let shale = ShaleHome()
        let made = try run(
            """
            enter busybox
            umask 077
            touch /private
            x='two words'
            echo "$x" > /x
            touch /unrelated
            set -e
            f() { echo "f $1" > /f; }
            f one
            unset PATH2; export PATH2=gone
            unset PATH2
            echo "${PATH2-unset}" > /p
            """, in: shale)
        #expect(made.status == 0, "\(made.errors)")
        #expect(
            try recipe(shale) == [
                "FROM busybox", "RUN umask 077; touch /private", "RUN umask 077; x='two words'; echo \"$x\" > /x",
                "RUN umask 077; touch /unrelated", "RUN umask 077; f() { echo \"f $1\" > /f; }; set -e; f one",
                "ENV PATH2=gone", "RUN umask 077; unset PATH2; set -e; echo \"${PATH2-unset}\" > /p",
            ])
        #expect(made.errors.contains("an image cannot unset PATH2"))
        // Built again by itself, it is the same.
        let verified = try shale.run(["recipe", "verify"], expecting: nil)
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)")
    }

    @Test func theStatusOfTheLineBefore() throws {
        let shale = ShaleHome()
        let made = try run(
            "enter busybox\nls /nosuch\necho $? > /status\necho $? >> /status\nexit", in: shale, ["--keep-going"])
        #expect(made.errors.contains("ls: /nosuch"), "\(made.errors)")
        #expect(
            try recipe(shale) == ["FROM busybox", "RUN (exit 1); echo $? > /status", "RUN echo $? >> /status"])
        #expect(try shale.run(["run", "--rm", "@", "cat", "/status"]).text == "1\n0\n")
        #expect(try shale.run(["recipe", "verify"], expecting: nil).status == 0)
    }

    @Test func severalLinesAreOneCommand() throws {
        let shale = ShaleHome()
        let made = try run(
            """
            FROM busybox
            enter <<'OUTER'
            for i in 1 2
            do
              touch /n$i
            done
            cat > /doc <<EOF
            a $((1 + 1))
            EOF
            echo 'two
            lines' > /two
            echo one \\
              two > /joined
            OUTER
            run --rm @ cat /doc /two /joined
            """, in: shale)
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.text.hasSuffix("a 2\ntwo\nlines\none two\n"), "\(made.text)")
        #expect(
            try recipe(shale) == [
                "FROM busybox", "RUN for i in 1 2; do   touch /n$i; done",
                "RUN [\"/bin/sh\", \"-c\", \"cat > /doc <<EOF\\na $((1 + 1))\\nEOF\"]",
                "RUN [\"/bin/sh\", \"-c\", \"echo 'two\\nlines' > /two\"]", "RUN echo one   two > /joined",
            ])
    }

    @Test func aFailedLineIsDroppedAndEndsTheScript() throws {
        let shale = ShaleHome()
        try Data("FROM busybox\nenter\ntouch /a\n\ntouch /b; cd /etc; exit 3\ntouch /c\nexit\n".utf8)
            .write(to: URL(filePath: shale.work + "/lines.shale"))
        let stopped = try shale.run(["lines.shale"], expecting: 3)
        #expect(
            stopped.errors.contains(
                "lines.shale:5: touch /b; cd /etc; exit 3: exit status 3; what it changed was dropped: +1"),
            "\(stopped.errors)")
        #expect(try recipe(shale) == ["FROM busybox", "RUN touch /a"])
        let on = try shale.run(["--keep-going", "lines.shale"], expecting: 1)
        #expect(on.text.contains("(cached)"))
        #expect(try recipe(shale) == ["FROM busybox", "RUN touch /a", "RUN touch /c"])
        // No container stays behind, failed or not.
        #expect(try shale.run(["ps", "-aq"]).text.isEmpty)
    }

    @Test func aFailedLineIsKeptWhenAsked() throws {
        let shale = ShaleHome()
        let made = try run(
            "FROM busybox\nenter --keep-failed\ntouch /a; exit 3\nset -e\nfalse; touch /no\ntouch /b; false\nexit",
            in: shale)
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.errors.contains("stdin:3: touch /a; exit 3: exit status 3, kept"))
        #expect(
            try recipe(shale) == [
                "FROM busybox", "RUN trap 'exit 0' EXIT; touch /a; exit 3",
                "RUN trap 'exit 0' EXIT; set -e; touch /b; false",
            ])
        #expect(try shale.run(["recipe", "verify"], expecting: nil).status == 0)
    }

    @Test func linesAreStepsToEverythingElse() throws {
        let shale = ShaleHome()
        let made = try run(
            """
            FROM busybox
            enter
            touch /a
            cd /tmp && touch b
            touch c
            \\undo
            \\steps
            touch d
            exit
            undo 2
            redo
            drop 1
            recipe
            goto 2
            recipe
            """, in: shale)
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.text.contains("took back: RUN touch c\n"))
        // One line is one state, whatever steps it became.
        #expect(made.text.contains("took back: RUN cd /tmp && touch b; WORKDIR /tmp\n"))
        #expect(made.text.contains("\nFROM busybox\nRUN cd /tmp && touch b\nWORKDIR /tmp\n"))
        #expect(made.text.hasSuffix("\nFROM busybox\nRUN touch /a\n"))
    }

    @Test func whatMayNotBeEntered() throws {
        let shale = ShaleHome()
        try Data("x".utf8).write(to: URL(filePath: shale.work + "/x"))
        let table: [(lines: String, words: String)] = [
            ("enter", "no working image yet"), ("FROM scratch\nenter", "has no shell: /bin/sh is not in it"),
            ("FROM scratch\nCOPY x /\nenter", "has no shell: /bin/sh is not in it\nhint: RUN ["),
            ("FROM busybox\nSHELL [\"/usr/bin/perl\", \"-e\"]\nenter", "knows sh, ash, dash and bash"),
            ("--x", "unknown"), ("enter --frob", "unknown flag"), ("enter busybox two", "enter"),
        ]
        for row in table {
            let outcome = try run(row.lines, in: shale, ["--offline"])
            #expect(outcome.status != 0)
            #expect(outcome.errors.contains(row.words), "\(row.lines): \(outcome.errors)")
        }
    }

    @Test func theLineTakesAwayWhatItStandsIn() throws {
        let shale = ShaleHome()
        let made = try run(
            "FROM busybox\nenter\nmkdir -p /w/x; cd /w/x\nrm -rf /w\nls\ncd /proc/self\nhead -c 5 status > /s\ncd /\nls",
            in: shale)
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.errors.contains("/w/x is gone: now in /"))
        #expect(
            try recipe(shale) == [
                "FROM busybox", "RUN mkdir -p /w/x; cd /w/x", "WORKDIR /w/x", "RUN rm -rf /w", "WORKDIR /",
                "RUN cd /proc/self; head -c 5 status > /s",
            ])
    }

    @Test func userAndEnvironmentAreTheImages() throws {
        let shale = ShaleHome()
        let made = try run(
            """
            FROM busybox
            ENV GREETING=hello
            RUN echo someone:x:1000:1000::/home/someone:/bin/sh >> /etc/passwd; mkdir -p /home/someone; chown 1000 /home/someone
            USER someone
            WORKDIR /home/someone
            enter
            echo "$GREETING from $(id -un) in $(pwd), $HOME" > said
            cat said
            touch /forbidden
            """, in: shale)
        #expect(made.status == 1)
        #expect(made.text.contains("hello from someone in /home/someone, /home/someone\n"), "\(made.text)")
        #expect(made.errors.contains("/forbidden: Permission denied"))
    }

    /// dash and bash of the host, in an image with their libraries.
    @Test(arguments: ["dash", "bash"].filter { access("/bin/\($0)", X_OK) == 0 })
    func otherShells(_ name: String) throws {
        let shale = ShaleHome()
        let sh = Peer("sh")
        try sh.run(
            [
                "-c",
                "mkdir root; for f in /bin/\(name) $(ldd /bin/\(name) | grep -o '/[^ ]*'); do mkdir -p root$(dirname $f); "
                    + "cp -L $f root$f; done",
            ], in: shale.work)
        let made = try run(
            """
            FROM busybox
            COPY root /
            SHELL ["/bin/\(name)", "-c"]
            enter
            set -eu
            export A="it's"
            echo "$A" > /a
            unset A
            x=$(echo 'a b')
            echo "$x ${A-none}" > /b
            g() { echo "$1" > /g; }
            g 1
            """, in: shale)
        #expect(made.status == 0, "\(made.errors)")
        let files = try shale.run(["run", "--rm", "@", "cat", "/a", "/b", "/g"])
        #expect(files.text == "it's\na b none\n1\n")
        let verified = try shale.run(["recipe", "verify"], expecting: nil)
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)")
    }

    /// Killed in the middle of a line: the lines before are there, the one under way is not, and nothing runs on.
    @Test func killedInALine() throws {
        let shale = ShaleHome()
        _ = try run("FROM busybox\nRUN touch /before", in: shale)
        let lines = shale.work + "/lines.shale"
        let mark = "sleep 98\(UInt32.random(in: 100...999))"
        try Data("enter\ntouch /kept\ntouch /lost; \(mark)\n".utf8).write(to: URL(filePath: lines))
        let child = try shale.start([lines])
        func isRunning() throws -> Bool {
            try Peer("pgrep").run(["-f", "^\(mark)$"], expecting: nil).status == 0
        }
        for _ in 0..<2000 where try !isRunning() { usleep(5000) }
        #expect(try isRunning())
        child.stop(SIGKILL)
        for _ in 0..<2000 where try isRunning() { usleep(5000) }
        #expect(try !isRunning())
        #expect(try recipe(shale) == ["FROM busybox", "RUN touch /before", "RUN touch /kept"])
        let on = try run("enter\ntouch /after\nexit\nsystem check", in: shale)
        #expect(on.status == 0, "\(on.text)\(on.errors)")
        #expect(try recipe(shale).last == "RUN touch /after")
        let left = try FileManager.default.contentsOfDirectory(atPath: shale.home + "/ingest")
        #expect(left.isEmpty, "\(left)")
    }

    /// In a container that does not run, and in one that does: no states, and a recipe all the same.
    @Test func inContainers() throws {
        let shale = ShaleHome()
        let made = try run(
            """
            create --name still busybox
            enter still
            mkdir /made
            cd /made
            export A='b c'
            umask 077
            echo "$A" > f
            ls
            exit
            run -d --name busy busybox sleep 1000
            enter busy
            cd /tmp && touch there
            rm /etc/group
            pwd
            exit
            commit busy made:1
            """, in: shale)
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.text.contains(" ---> +1 ~0 -0  4B\n      A /made/f\nf\n"), "\(made.text)")
        #expect(made.text.contains("      D /etc/group\n/tmp\n"), "\(made.text)")
        let still = try shale.run(["recipe", "still"]).text
        #expect(
            still.contains("RUN mkdir /made\nRUN cd /made; umask 077; export A='b c'; echo \"$A\" > f\n"), "\(still)")
        let committed = try shale.run(["recipe", "made:1"]).text
        #expect(committed.contains("RUN cd /tmp && touch there\nRUN cd /tmp; rm /etc/group\n"), "\(committed)")
        #expect(try shale.run(["diff", "still"]).text == "A /made\nA /made/f\n")
        #expect(try shale.run(["exec", "busy", "ls", "-a", "/dev"]).text.contains("enter") == false)
        for image in ["still", "made:1"] {
            let verified = try shale.run(["recipe", "verify", image], expecting: nil)
            #expect(verified.status == 0, "\(image): \(verified.text)\(verified.errors)")
        }
        // Its own command and status are its own, and it starts as before.
        #expect(try shale.run(["ps", "-a", "--filter", "name=still", "--format", "{{.Status}}"]).text == "Created\n")
        #expect(try run("enter --keep-failed busy", in: shale).status == 64)
        try shale.run(["pause", "busy"])
        #expect(try run("enter busy\ntouch /x", in: shale).errors.contains("paused"))
        try shale.run(["rm", "-f", "busy", "still"])
    }

    @Test func replayedWithTheScriptItStandsIn() throws {
        let shale = ShaleHome()
        try Data(
            "FROM busybox\nenter\nfor i in 1 2\ndo touch /f$i\ndone\ncat /etc/hostname >/dev/null\nexit\nsteps\n".utf8
        )
        .write(to: URL(filePath: shale.work + "/lines.shale"))
        let replayed = try shale.run(["replay", "lines.shale"], expecting: nil)
        #expect(replayed.status == 0, "\(replayed.errors)")
        #expect(try recipe(shale) == ["FROM busybox", "RUN for i in 1 2; do touch /f$i; done"])
    }
}
