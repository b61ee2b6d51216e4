import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `enter` at a terminal: what a person types into it, and into the programs it runs.
@Suite(.serialized)
struct EnterTests {
    private let scene: PromptScene
    private let terminal: Terminal

    /// At the prompt of the recorded shell, in busybox.
    init() throws {
        scene = try PromptScene()
        terminal = try scene.prompt()
        try terminal.run("FROM busybox")
        try terminal.send("enter\r")
        try terminal.expect("default:/ # ")
    }

    /// Types a line and waits for the prompt in a directory.
    @discardableResult
    private func type(_ line: String, at directory: String = "/") throws -> String {
        try terminal.send(line + "\r")
        return try terminal.expect("default:\(directory) # ")
    }

    private func leave() throws {
        try terminal.send("\u{4}")
        try terminal.expect(terminal.prompt)
        try scene.leave(terminal)
    }

    private func recipe() throws -> [String] {
        try scene.home.run(["recipe"]).text.split(separator: "\n").map(String.init)
    }

    @Test func linesAreSteps() throws {
        #expect(try type("mkdir -p /usr/src/app").contains("A /usr/src/app"))
        #expect(try type("cd /usr/src/app", at: "/usr/src/app").contains("WORKDIR /usr/src/app"))
        #expect(try type("export A=b", at: "/usr/src/app").contains("ENV A=b"))
        #expect(try type("echo $A; stty size", at: "/usr/src/app").contains("b\n30 100\n"))
        #expect(
            try type("touch x; false", at: "/usr/src/app").contains("exit status 1; what it changed was dropped: +1"))
        #expect(try type("printf 'no end'", at: "/usr/src/app").hasSuffix("no end\n"))
        try terminal.send("for i in 1 2\r")
        try terminal.expect("> ")
        try terminal.send("do touch f$i\r")
        try terminal.expect("> ")
        #expect(try type("done", at: "/usr/src/app").contains("+2 ~0 -0"))
        #expect(try type("\\undo", at: "/usr/src/app").contains("took back: RUN for i in 1 2; do touch f$i; done"))
        #expect(try type("\\redo", at: "/usr/src/app").contains("made again"))
        #expect(try type("\\diff", at: "/usr/src/app").contains("/usr/src/app/f1"))
        // A paste of several lines is several lines.
        try terminal.send("\u{1b}[200~touch p1\ntouch p2\n\u{1b}[201~\r")
        try terminal.expect("A /usr/src/app/p2")
        try terminal.expect("default:/usr/src/app # ")
        // Up: the line before, of these lines alone.
        try terminal.send("\u{1b}[A")
        try terminal.waitFor("the line before") { $0.currentLine.contains("touch p2") }
        try terminal.send("\u{3}")
        try terminal.expect("default:/usr/src/app # ")
        try terminal.send("exit\r")
        #expect(try terminal.expect(terminal.prompt).contains("(6 steps)"))
        #expect(try terminal.run("undo").contains("took back: RUN touch p2"))
        #expect(try terminal.run("history").contains("enter"))
        try scene.leave(terminal)
        #expect(
            try recipe() == [
                "FROM busybox", "RUN mkdir -p /usr/src/app", "WORKDIR /usr/src/app", "ENV A=b",
                "RUN for i in 1 2; do touch f$i; done", "RUN touch p1",
            ])
    }

    @Test func fullScreenPrograms() throws {
        try type("printf '1\\n2\\n' > /text")
        try terminal.send("vi /text\r")
        try terminal.waitFor("vi") { $0.text.contains("/text") && $0.text.contains("~") }
        try terminal.send("Gothree\u{1b}")
        try terminal.waitFor("the new line") { $0.text.contains("three") && $0.text.contains("3/3") }
        try terminal.send(":wq\r")
        try terminal.expect("made by what you typed")
        try terminal.expect("default:/ # ")
        #expect(try type("cat /text").contains("1\n2\nthree\n"))
        try type("i=1; while [ $i -le 99 ]; do echo line $i; i=$((i+1)); done > /many")
        try terminal.send("less /many\r")
        try terminal.waitFor("the first page") { $0.text.contains("line 1") && !$0.text.contains("line 60") }
        try terminal.send("G")
        try terminal.waitFor("the last page") { $0.text.contains("line 99") }
        try terminal.send("q")
        try terminal.expect("default:/ # ")
        try leave()
        #expect(
            try recipe() == [
                "FROM busybox", "RUN printf '1\\n2\\n' > /text", "# typed at the terminal: vi /text",
                "# what it changed is kept file by file", "ADD step-2.tar /",
                "RUN i=1; while [ $i -le 99 ]; do echo line $i; i=$((i+1)); done > /many",
            ])
        let verified = try scene.home.run(["recipe", "verify"], expecting: nil)
        #expect(verified.status == 0, "\(verified.text)")
        // Nobody is there to edit again: what was typed is put on what is below it now.
        try scene.home.run(["edit", "1", "RUN", "touch /other"])
        #expect(try scene.home.run(["run", "--rm", "@", "cat", "/text"]).text == "1\n2\nthree\n")
        #expect(try recipe().prefix(3) == ["FROM busybox", "RUN touch /other", "# typed at the terminal: vi /text"])
    }

    @Test func passwordsSignalsAndTheWindow() throws {
        try terminal.send("stty -echo; printf 'Pass%s: ' word; read p; stty echo; echo; echo got ${#p}\r")
        try terminal.expect("Password: ")
        try terminal.send("hidden\r")
        let answered = try terminal.expect("default:/ # ")
        #expect(answered.contains("got 6") && !answered.contains("hidden"))
        // Ctrl-C stops the line, what came after it in the line too, and not the shell.
        try terminal.send("echo waiting; sleep 100; touch /never\r")
        try terminal.expect("waiting\r\n")
        try terminal.send("\u{3}")
        #expect(try terminal.expect("default:/ # ").contains("exit status 130"))
        #expect(try type("ls /never").contains("No such file"))
        // The window's size, at the start and while something runs.
        try terminal.resize(columns: 70, rows: 20)
        try terminal.send("stty size\r")
        try terminal.expect("20 70\r\n")
        try terminal.expect("default:/ # ")
        try terminal.send("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done\r")
        try terminal.expect("ready\r\n")
        try terminal.resize(columns: 90, rows: 25)
        try terminal.expect("25 90")
        try terminal.send("\u{3}")
        try terminal.expect("default:/ # ")
        try leave()
    }

    @Test func tabCompletesInside() throws {
        try type("mkdir -p '/data/two words' /data/other; touch /data/only; export VERY_LONG=1")
        func tab(_ typed: String, _ line: String) throws {
            try terminal.send(typed + "\t")
            try terminal.waitFor("\(typed)⇥ to become \(line)") {
                $0.currentLine.hasPrefix("default:/ # " + line)
            }
            try terminal.send("\u{3}")
            try terminal.expect("^C")
            try terminal.expect("default:/ # ")
        }
        try tab("cat /etc/pass", "cat /etc/passwd")
        try tab("ls da", "ls data/")
        try tab("ls /data/tw", "ls /data/two\\ words/")
        try tab("ls '/data/tw", "ls '/data/two words/")
        try tab("whoa", "whoami")
        try tab("ls; unset VERY", "ls; unset VERY")
        try tab("echo $VERY", "echo $VERY_LONG")
        try tab("echo ${VERY", "echo ${VERY_LONG}")
        try tab("\\tim", "\\timeline")
        try terminal.send("ls /data/\t\t")
        try terminal.waitFor("the directory") { $0.text.contains("other/") && $0.text.contains("two words/") }
        try terminal.send("\u{3}")
        try terminal.expect("^C")
        try terminal.expect("default:/ # ")
        try leave()
    }

    /// What is typed while a line runs is typed into the next prompt, and makes the line no answered one.
    @Test func typingAhead() throws {
        try terminal.send("echo be\\gun; sleep 1; touch /slow\r")
        try terminal.expect("begun\r\n")
        try terminal.send("touch /ahead\recho ha")
        try terminal.expect("A /ahead")
        try terminal.waitFor("the half line") { $0.currentLine == "default:/ # echo ha" }
        try terminal.send("lf\r")
        try terminal.expect("half\r\n")
        try terminal.expect("default:/ # ")
        // What reads takes its own, and leaves the rest.
        try terminal.send("printf 'na%s? ' me; read name; echo \"$name\" > /name\r")
        try terminal.expect("name? ")
        try terminal.send("x\rtouch /rest\r")
        try terminal.expect("A /rest")
        try terminal.expect("default:/ # ")
        // Ctrl-Z stops nothing: nobody could wake it.
        try terminal.send("echo be\\gun; sleep 1; echo e\\nd\r")
        try terminal.expect("begun\r\n")
        try terminal.send("\u{1a}")
        try terminal.expect("end\r\n")
        try terminal.expect("default:/ # ")
        try leave()
        #expect(
            try recipe() == [
                "FROM busybox", "RUN echo be\\gun; sleep 1; touch /slow", "RUN touch /ahead",
                "# typed at the terminal: printf 'na%s? ' me; read name; echo \"$name\" > /name",
                "# what it changed is kept file by file", "ADD step-3.tar /", "RUN touch /rest",
            ])
    }

    /// Another shale makes steps while this one waits for a line, and while a line of it runs.
    @Test func anotherShalesStepsAreBelow() throws {
        try type("touch /first")
        try scene.home.run(["RUN", "echo", "second", ">", "/second"])
        #expect(try type("cat /second").contains("second\n"))
        try terminal.send("printf 'Say%s: ' it; cat > /answered\r")
        try terminal.expect("Sayit: ")
        try scene.home.run(["RUN", "echo", "third", ">", "/third"])
        try terminal.send("words\r\u{4}")
        try terminal.expect("another shale changed the working image meanwhile: made again on what it is now")
        try terminal.expect("default:/ # ")
        #expect(try type("cat /first /second /third /answered").contains("second\nthird\nwords\n"))
        try leaveOnly()
        try scene.leave(terminal)
        #expect(
            try scene.home.run(["steps", "--format", "{{.Instruction}}"]).text.split(separator: "\n").count == 5)
        #expect(try recipe().filter { $0.hasPrefix("RUN") }.count == 3)
        #expect(try scene.home.run(["recipe", "verify"], expecting: nil).status == 0)
    }

    /// In a terminal's columns, with lines that fail and such as are not kept: a check finds it as recorded all the same.
    @Test func recordedWithItsOutput() throws {
        try leaveOnly()
        try terminal.run("record typed.shale --output")
        try terminal.send("enter busybox\r")
        try terminal.expect("default:/ # ")
        try type("ls /")
        try type("ls /missing")
        try type(" echo hidden")
        try type("ls / > /list; echo done")
        try leaveOnly()
        try terminal.run("record off")
        let text = try scene.home.text("typed.shale")
        #expect(text.contains("\n#> done\n") && text.contains("bin") && !text.contains("\\n"), "\(text)")
        #expect(!text.contains("hidden") && !text.contains("#> ls: /missing"), "\(text)")
        #expect(try terminal.run("replay typed.shale --check").contains("typed.shale: 1 line, all as recorded"))
        try scene.leave(terminal)
    }

    /// What is typed into `enter` is recorded as a script that replays.
    @Test func recorded() throws {
        try leaveOnly()
        try terminal.run("record typed.shale")
        try terminal.send("enter busybox\r")
        try terminal.expect("default:/ # ")
        try type("touch /recorded")
        try type("ls /missing")
        try terminal.send("printf 'Say%s: ' it; cat > /answered\r")
        try terminal.expect("Sayit: ")
        try terminal.send("words\r\u{4}")
        try terminal.expect("made by what you typed")
        try terminal.expect("default:/ # ")
        try leaveOnly()
        try terminal.run("record off")
        try scene.leave(terminal)
        let text = try scene.home.text("typed.shale")
        #expect(
            text.contains(
                "enter busybox <<'END'\ntouch /recorded\n# exit status 1:\n# ls /missing\n"
                    + "# answered at the terminal:\n# printf 'Say%s: ' it; cat > /answered\nEND\n"), "\(text)")
        try scene.home.run(["replay", "typed.shale"])
        #expect(try recipe() == ["FROM busybox", "RUN touch /recorded"])
    }

    private func leaveOnly() throws {
        try terminal.send("exit\r")
        try terminal.expect(terminal.prompt)
    }

    /// An ordinary `run -it`: its files are told for certain, the lines as its shell's own history names them.
    ///
    /// Debian's busybox keeps no history; bash does, once it ends.
    @Test(.enabled(if: access("/bin/bash", X_OK) == 0, "needs bash"))
    func anOrdinaryShellLeavesARecipe() throws {
        try leaveOnly()
        try Peer("sh").run(
            [
                "-c",
                "for f in /bin/bash $(ldd /bin/bash | grep -o '/[^ ]*'); do mkdir -p root$(dirname $f); "
                    + "cp -L $f root$f; done; chmod -R a+rX root",
            ], in: scene.home.work)
        try terminal.run("COPY root /")
        try terminal.send("run -it --name hand -e PS1=inside: @ bash --norc\r")
        try terminal.expect("inside:")
        try terminal.send("mkdir /made; echo hi > /made/file\r")
        try terminal.expect("\ninside:")
        try terminal.send("rm /etc/group\r")
        try terminal.expect("\ninside:")
        try terminal.send("exit\r")
        try terminal.expect(terminal.prompt)
        try terminal.run("commit --keep-config hand byhand:1")
        try scene.leave(terminal)
        let names =
            "# its shell's history names: mkdir /made; echo hi > /made/file\n# its shell's history names: rm /etc/group\n"
        for subject in ["hand", "byhand:1"] {
            let recipe = try scene.home.run(["recipe", subject]).text
            #expect(recipe.contains(names), "\(recipe)")
            #expect(recipe.contains("not known for certain") && !recipe.contains("RUN mkdir"), "\(recipe)")
            let verified = try scene.home.run(["recipe", "verify", subject], expecting: nil)
            #expect(verified.status == 0, "\(verified.text)\(verified.errors)")
        }
    }
}
