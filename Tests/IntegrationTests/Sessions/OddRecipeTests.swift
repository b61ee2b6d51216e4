import FoundationEssentials
import TestSupport
import Testing

/// Recipes of what hardly anybody does: each is proved, or says what it cannot say.
@Suite("odd recipes", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct OddRecipeTests {
    private let home = ShaleHome()

    @discardableResult
    private func session(_ lines: String...) throws -> Peer.Outcome {
        try home.run([], input: Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    /// The recipe, which `recipe verify` must prove.
    private func proved(_ image: String) throws -> [String] {
        let verified = try home.run(["recipe", "verify", image], expecting: nil)
        let lines = try home.run(["recipe", image]).lines
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)\(lines.joined(separator: "\n"))")
        return lines
    }

    /// Builds a Dockerfile beside a file `f`.
    private func build(_ dockerfile: String, _ flags: [String] = [], as name: String = "odd") throws {
        let context = try ContextFolder(["Dockerfile": dockerfile, "f": "f\n"])
        try home.run(["build", "-q", "-t", name] + flags + ["."], in: context.path)
    }

    @Test func twoSpellingsOfALetter() throws {
        let (one, two) = ("\u{e9}", "e\u{301}")
        try session(
            "FROM busybox", "ENV A=\(one)", "LABEL l=\(one)", "CMD [\"\(one)\"]", "tag @ one",
            "run --name ww -e A=\(two) --label l=\(two) one touch /t", "commit -c 'CMD [\"\(two)\"]' ww two")
        let bytes = try proved("two").map { Array($0.utf8) }
        for line in ["ENV A=\"\(two)\"", "LABEL l=\"\(two)\"", "CMD [\"\(two)\"]"] {
            #expect(bytes.contains(Array(line.utf8)), "\(line)")
        }
        let compared = try home.run(["compare", "one", "two"], expecting: nil).text
        for name in ["Env.A", "Labels.l", "Cmd"] { #expect(compared.contains("~ \(name): "), "\(compared)") }
        try session("FROM busybox", "ENV \(one)=1", "ENV \(two)=2", "tag @ names")
        #expect(try proved("names").count == 3)
    }

    @Test(arguments: ["linux/arm64", "linux/arm/v7", "linux/amd64/v3"])
    func thePlatformIsKept(_ platform: String) throws {
        let folder = TemporaryDirectory()
        try Peer("sh").run(["-c", "echo a > a && tar -cf q.tar a"], in: folder.path)
        try home.run(["import", "--platform", platform, folder.path + "/q.tar", "odd"])
        #expect(try proved("odd").contains("FROM --platform=\(platform) scratch"))
    }

    /// docker's older builder refuses several sources without it.
    @Test func severalSourcesGoIntoAFolderWithASlash() throws {
        try build("FROM busybox\nWORKDIR /w\nCOPY f Dockerfile .\nCOPY Docker* f /w/x/\n")
        let recipe = try proved("odd")
        let places = recipe.filter { $0.hasPrefix("COPY ") }.map { $0.split(separator: " ").last }
        #expect(places == ["./", "/w/x/"], "\(recipe)")
    }

    @Test func theAuthorOutlivesAFlattening() throws {
        // What is removed by hand has nothing left that removes it.
        try session(
            "FROM busybox", "MAINTAINER Ann", "tag @ base", "run -d --name ww base sleep 1000", "exec ww rm /bin/rm",
            "exec --privileged ww busybox rm /etc/passwd", "stop -t 0 ww", "commit ww odd")
        #expect(try home.run(["recipe", "odd"]).lines.contains("FROM scratch"))
        #expect(try proved("odd").contains("MAINTAINER Ann"))
    }

    @Test func anAuthorIsNoInstruction() throws {
        try home.run(["run", "--name", "ww", "busybox", "touch", "/t"])
        for author in ["foo\\", "a\r\nRUN touch /injected", "  b  "] {
            try home.run(["commit", "-a", author, "ww", "odd"])
            let lines = try home.run(["recipe", "odd"]).lines
            #expect(lines.contains("RUN touch /t") && lines.contains("CMD [\"touch\", \"/t\"]"))
            #expect(!lines.contains { $0.hasPrefix("MAINTAINER") || $0.hasPrefix("RUN touch /injected") })
            #expect(lines.contains { $0.hasPrefix("# its author cannot be said in a Dockerfile") })
            let verified = try home.run(["recipe", "verify", "odd"], expecting: 1).text
            #expect(
                verified.split(separator: "\n").count == 1 && verified.hasPrefix("config: author is "), "\(verified)")
        }
    }

    @Test func whatNoInstructionSaysIsTold() throws {
        try home.run(
            ["run", "--name", "ww", "-w", "/w\r\nb", "--stop-timeout", "5", "busybox", "touch", "/t"])
        try home.run(["commit", "-c", "WORKDIR /app", "ww", "odd"])
        let lines = try home.run(["recipe", "odd"]).lines
        #expect(lines.contains("# some settings cannot be said in a Dockerfile: WorkingDir"))
        #expect(lines.contains("# some settings cannot be said in a Dockerfile: StopTimeout"))
        #expect(lines.contains { $0.hasPrefix("# WORKDIR makes /app, which the image does not have") })
    }

    @Test func namesThatLookLikeFlags() throws {
        let folder = TemporaryDirectory()
        for name in ["--from=x", "<<EOF", "two  words\u{3000}wide"] {
            try Data("\(name)\n".utf8).write(to: URL(filePath: "\(folder.path)/\(name)"))
        }
        try home.run(["run", "-d", "--name", "ww", "busybox", "sleep", "1000"])
        for name in ["--from=x", "<<EOF", "two  words\u{3000}wide"] {
            try home.run(["cp", "./\(name)", "ww:/"], in: folder.path)
        }
        try home.run(["stop", "-t", "0", "ww"])
        try home.run(["commit", "ww", "odd"])
        let lines = try proved("odd").filter { $0.hasPrefix("COPY") }
        #expect(lines.contains { $0.hasSuffix("/--from=x /--from=x") })
        #expect(lines.contains { $0.hasSuffix("/<<EOF /<<EOF") })
        #expect(lines.contains { $0.hasPrefix("COPY [") })
    }

    @Test(arguments: ["/dev/shm/x", "/dev/x", "/etc/hosts"])
    func whatLiesOutsideTheLayerIsNotForgotten(_ path: String) throws {
        try session(
            "run -d --name ww busybox sleep 1000", "exec ww touch /before",
            "exec ww sh -c 'echo a >> \(path)'", "exec ww sh -c 'cp \(path) /y'",
            "stop -t 0 ww", "commit ww odd")
        let lines = try proved("odd")
        #expect(lines.contains("RUN touch /before"))
        #expect(!lines.contains { $0.hasPrefix("RUN") && $0.contains("/y") })
    }

    @Test(arguments: [["--hostname", "abc"], ["--init"], ["--shm-size", "128m"]])
    func whatABuildHasNotIsNoPlainRun(_ flags: [String]) throws {
        try home.run(["run", "--name", "ww"] + flags + ["busybox", "touch", "/t"])
        try home.run(["commit", "ww", "odd"])
        #expect(try !proved("odd").contains { $0.hasPrefix("RUN") })
    }

    @Test func aContainerWithoutItsShell() throws {
        try session(
            "run -d --name ww busybox sleep 1000", "exec ww rm /bin/sh", "exec ww touch /x",
            "exec ww rm /bin/rm /etc/passwd", "stop -t 0 ww", "commit ww odd")
        let lines = try proved("odd")
        #expect(lines.contains("RUN rm /bin/sh") && lines.contains("RUN [\"touch\", \"/x\"]"), "\(lines)")
        try home.run(
            ["run", "-i", "--name", "vv", "-e", "PATH=/nowhere", "busybox", "/bin/sh", "-c", "/bin/rm /etc/passwd"])
        try home.run(["commit", "vv", "odd"])
        #expect(try proved("odd").contains("RUN [\"/bin/rm\", \"-rf\", \"/etc/passwd\"]"))
    }

    @Test func anImageWithoutUsers() throws {
        try session(
            "FROM busybox", "RUN rm /etc/passwd", "tag @ base", "run -u 55 -d --name ww base sleep 1000",
            "exec --privileged -u 0 ww rm /etc/group", "stop -t 0 ww", "commit ww odd")
        #expect(try proved("odd").contains("USER 0"))
    }

    @Test func namesThatAShellHasNot() throws {
        try home.run(["run", "--name", "ww", "-e", "A B=c", "-e", "D=e", "busybox", "touch", "/t"])
        try home.run(["commit", "ww", "odd"])
        let lines = try home.run(["recipe", "--to", "sh", "odd"]).lines
        #expect(lines.contains("# ENV \"A B\"=c") && lines.contains("export D=\"e\""), "\(lines)")
    }

    @Test func anotherEscapeCharacter() throws {
        try build(
            """
            # escape=`
            FROM busybox
            ENV A=a`
            b C=C:\\x D="x`"y"
            RUN echo a `
             > /w; echo "$A" >> /w
            LABEL l=C:\\
            COPY f C:\\g
            ARG X=C:\\z
            RUN echo $X > /z

            """)
        let lines = try proved("odd")
        #expect(lines.contains("ENV C=\"C:\\\\x\"") && lines.contains("ENV D=\"x\\\"y\""), "\(lines)")
        #expect(lines.contains("ARG X=\"C:\\\\z\"") && !lines.contains { $0.hasPrefix("COPY") }, "\(lines)")
    }

    @Test func whatABuildGaveItsRuns() throws {
        try build(
            "FROM busybox\nRUN env | sort > /e\nENV Q=$HTTP_PROXY\n", ["--build-arg", "HTTP_PROXY=http://a:1"],
            as: "first")
        #expect(
            try proved("first") == [
                "FROM busybox", "ARG HTTP_PROXY=http://a:1", "RUN env | sort > /e", "ENV Q=\"\"",
            ])
        try build("FROM first\nRUN echo $HTTP_PROXY > /g\n")
        #expect(try proved("odd").last == "RUN unset HTTP_PROXY; echo $HTTP_PROXY > /g")
        try build("FROM busybox\nRUN cat /etc/hosts > /g\n", ["--add-host", "foo:1.2.3.4"])
        #expect(try !proved("odd").contains { $0.hasPrefix("RUN") })
    }

    @Test func wordsThatOlderBuildersDoNotRead() throws {
        try build(
            """
            FROM busybox
            RUN echo nob:x:77:78::/:/bin/sh >> /etc/passwd && echo u:x:88:88::/:/bin/sh >> /etc/passwd
            RUN echo u:x:99: >> /etc/group && echo ok:x:5:6::/:/bin/sh >> /etc/passwd && echo ok:x:6: >> /etc/group
            ENV B=q.txt
            ENV D=${B-x} E=${B%.txt} F=${B:-x}
            COPY f /${B%.txt}/
            COPY --chown=nob f /f1
            COPY --chown=u f /f2
            COPY --chown=ok f /f3
            ADD --unpack=false f /f4

            """)
        let lines = try proved("odd")
        for line in [
            "ENV D=q.txt", "ENV E=q", "COPY --chown=77:78 f /f1", "COPY --chown=88:88 f /f2", "COPY --chown=ok f /f3",
        ] { #expect(lines.contains(line), "\(line): \(lines)") }
        #expect(!lines.contains { $0.hasPrefix("COPY f /$") || $0.hasPrefix("ADD --unpack") })
    }

    @Test func theBlameFindsWhatIsGone() throws {
        try session(
            "FROM busybox", "RUN cat /proc/sys/kernel/random/uuid > /s", "RUN cat /s > /t", "RUN rm /s", "tag @ odd")
        let text = try home.run(["recipe", "verify", "odd"], expecting: 1).text
        #expect(text.contains("/t: content, by way of /s (line 2: RUN cat /proc"), "\(text)")
        #expect(!text.contains("/s:"), "\(text)")
    }
}
