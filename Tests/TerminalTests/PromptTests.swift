import FoundationEssentials
import TestSupport
import Testing

/// The real prompt in a real terminal: what a person types and sees.
@Suite(.serialized)
struct PromptTests {
    @Test func commandsPipesListsAndQuotes() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        #expect(terminal.screen.text.contains("type help"))
        #expect(try terminal.run("images | grep busy | wc -l").split(separator: "\n").contains("1"))
        #expect(try terminal.run("version; version").components(of: "shale 0.").count == 3)
        #expect(try terminal.run("nothing-such && version").components(of: "shale 0.").count == 1)
        #expect(try terminal.run("nothing-such || version").components(of: "shale 0.").count == 2)
        #expect(try terminal.run("run --rm busybox echo 'a  b' \"c  d\" e\\ f").contains("a  b c  d e f"))
        #expect(try terminal.run("$ docker images").contains("busybox"))
        #expect(try terminal.run("$ sudo docker image ls -q").contains("\n"))
        try terminal.run("!touch additional.txt")
        #expect(scene.home.exists("additional.txt"))
        try terminal.run("images > list; version >> list")
        #expect(try scene.home.text("list").hasSuffix("shale 0.1.0\n"))
        #expect(try terminal.run("name = busybox").contains("name"))
        #expect(try terminal.run("images $name").contains("latest"))
        try scene.leave(terminal)
    }

    @Test func whatIsTypedIsRecordedAndReplays() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        #expect(try terminal.run("record r.shale --output").contains("recording to r.shale; record off ends it"))
        try terminal.run("FROM busybox")
        try terminal.run("run --rm busybox echo 'hi there'")
        try terminal.run("imagse")
        try terminal.run(" tag busybox secret")
        #expect(try terminal.run("images busybox | wc -l").split(separator: "\n").contains("2"))
        #expect(try terminal.run("record off").contains("recorded 4 lines to r.shale"))
        let lines = try scene.home.text("r.shale").split(separator: "\n").map(String.init)
        #expect(lines[2] == "FROM busybox")
        #expect(lines.contains("#> hi there"))
        #expect(lines.contains("#> shale: unknown command: imagse") && lines.contains("#? 64"))
        #expect(!lines.contains { $0.contains("secret") || $0.contains("\u{1b}") })
        #expect(try terminal.run("replay r.shale --check").contains("r.shale: 4 lines, all as recorded"))
        try scene.leave(terminal)
    }

    @Test func mistakesAreOneLineAndAHint() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        #expect(try terminal.run("imagse").contains("unknown command: imagse\nhint: images"))
        #expect(try terminal.run("images --fo").contains("unknown flag: --fo\nhint: images --format"))
        #expect(try terminal.run("run --rm nothing/such:1 true", timeout: 60).contains("shale: "))
        #expect(try terminal.run("rmi nothing-such").contains("No such image: nothing-such"))
        try scene.leave(terminal, status: 1)
    }

    @Test func helpIsThereForEveryone() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["PAGER": "cat"])
        let overview = try terminal.run("help")
        for word in ["Fetch and share images", "Run programs in containers", "pull", "Ctrl-R"] {
            #expect(overview.contains(word))
        }
        #expect(try terminal.run("help run").contains("--name"))
        #expect(try terminal.run("help RUN").contains("working image"))
        #expect(try terminal.run("run --help").contains("--rm"))
        try scene.leave(terminal)
    }

    @Test func historyOutlivesTheShell() throws {
        let scene = try PromptScene()
        var terminal = try scene.prompt()
        try terminal.run("!echo the-first-of-all")
        try terminal.run("!echo another")
        try terminal.run(" !echo a-secret")
        try scene.leave(terminal)

        terminal = try scene.prompt()
        try terminal.send("\u{12}first-of")
        try terminal.waitFor("the found line") { $0.text.contains("echo the-first-of-all") }
        #expect(try terminal.run("").contains("the-first-of-all"))
        // Arrow up: the line just run, then the one before the last start.
        try terminal.send("\u{1b}[A\u{1b}[A")
        try terminal.waitFor("an older line") { $0.currentLine.hasSuffix("!echo another") }
        #expect(try terminal.run("").contains("another"))
        #expect(try !terminal.run("history").contains("a-secret"))
        try scene.leave(terminal)
    }

    @Test func aPastedBlockRunsLineByLine() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        let lines = ["$ docker images", "$ docker run --rm busybox echo pasted-here", "$ touch both"]
        try terminal.send("\u{1b}[200~\(lines.joined(separator: "\r"))\u{1b}[201~")
        try terminal.waitFor("the pasted text") { $0.text.contains("$ touch both") }
        let output = try terminal.run("")
        #expect(output.contains("REPOSITORY") && output.contains("\npasted-here\n"))
        #expect(scene.home.exists("both"))
        try scene.leave(terminal)
    }

    @Test func dockerfileInstructionsAreSteps() throws {
        let scene = try PromptScene()
        try scene.home.write("#!/bin/sh\necho hello from a step\n", to: "hello.sh", executable: true)
        let terminal = try scene.prompt()
        try terminal.run("FROM busybox")
        #expect(try terminal.run("RUN touch /made").contains("A /made"))
        try terminal.run("WORKDIR /usr/src/app")
        #expect(try terminal.run("COPY hello.sh .").contains("/usr/src/app/hello.sh"))
        #expect(try terminal.run("RUN ./hello.sh").contains("hello from a step"))
        try terminal.run("CMD ./hello.sh")
        #expect(try terminal.run("run --rm @").contains("hello from a step"))
        #expect(try terminal.run("history @").contains("COPY file:"))
        try terminal.run("tag @~1 one-before")
        #expect(try terminal.run("images one-before").contains("latest"))
        #expect(try terminal.run("steps").contains("RUN touch /made"))
        #expect(try terminal.run("RUN false").contains("returned a non-zero code: 1"))
        #expect(try terminal.run("undo").contains("took back: tag"))
        #expect(try terminal.run("undo").contains("took back: CMD ./hello.sh"))
        #expect(try !terminal.run("recipe").contains("CMD"))
        #expect(try terminal.run("redo").contains("made again: CMD ./hello.sh"))
        let recipe = try terminal.run("recipe")
        for line in ["FROM busybox", "RUN touch /made", "WORKDIR /usr/src/app", "COPY hello.sh .", "CMD ./hello.sh"] {
            #expect(recipe.contains(line), "\(recipe)")
        }
        #expect(!recipe.contains("false"))
        try terminal.run("recipe save again")
        #expect(scene.home.exists("again/Dockerfile") && scene.home.exists("again/hello.sh"))
        try scene.leave(terminal)
    }

    @Test func startUpFileAndSessions() throws {
        let scene = try PromptScene()
        let folder = scene.home.folder.path + "/.config/shale"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("alias greet = version\nword = from-the-rc\n".utf8).write(to: URL(filePath: folder + "/rc.shale"))
        let terminal = try scene.prompt()
        #expect(try terminal.run("greet").contains("shale 0."))
        #expect(try terminal.run("!echo $word").contains("from-the-rc"))
        try terminal.run("FROM busybox")
        try scene.leave(terminal)

        let other = try scene.prompt(["--no-rc", "-S", "other"])
        #expect(try other.run("greet").contains("unknown command"))
        #expect(try other.run("steps").contains("no working image yet"))
        try other.run("version")
        try scene.leave(other)
        let again = try scene.prompt(["-S", "default"])
        #expect(try again.run("steps").contains("FROM busybox"))
        try scene.leave(again)
    }

    @Test func theNarrowTerminalAndTheDumbOne() throws {
        let scene = try PromptScene()
        let terminal = try scene.home.terminal([], environment: ["TERM": "dumb"], columns: 40)
        try terminal.expect(terminal.prompt, timeout: 60)
        #expect(try terminal.run("images").contains("busybox"))
        #expect(!terminal.transcript.contains(0x1b))
    }
}

extension String {
    /// The pieces between occurrences of a text.
    func components(of text: String) -> [Substring] {
        var pieces: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            pieces.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return pieces + [rest]
    }
}
