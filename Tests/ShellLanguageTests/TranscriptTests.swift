import Basics
import Testing

@testable import ShellLanguage

/// Pasted tutorials: which lines of a block run, and whether shale or the host runs them.
struct TranscriptTests {
    /// A pasted block, and what of it runs at the prompt.
    @Test(arguments: [
        ("$ docker ps", "[ps]"), ("  $ docker ps", "[ps]"), ("ps\nimages", "[ps] ; [images]"),
        (
            "$ docker pull ubuntu\n  Using default tag: latest\n2 $ docker build \\\n>  .\nStep 1/4\n",
            "[pull][ubuntu] ; [build][.]"
        ),
        (
            "$ docker build .\n ---> Running in bd0b4e349cb4\nRemoving intermediate container bd0b\n---> 3 > x",
            "[build][.]"
        ),
        ("REPOSITORY  TAG > f\n$ docker images\nit's ours; rm x", "[images]"),
        // An unclosed quote takes the lines up to the next sign, and asks for more.
        ("$ docker images\n$ echo it's\nps > f\n$ docker ps\n", "error"),
        ("$ chmod +x hello.sh\n\n$ ./hello.sh\nHello, docker!\n", "!{chmod +x hello.sh} ; !{./hello.sh}"),
        ("$ cat > f <<EOF\n$ docker ps\nEOF\nps", "!{cat > f <<EOF\n$ docker ps\nEOF}"),
        ("$ cat > f <<EOF\n> $ docker ps\n> EOF\nps", "!{cat > f <<EOF\n$ docker ps\nEOF}"),
        ("$ cat > f <<E\nx\nE\nout\n$ docker ps", "!{cat > f <<E\nx\nE} ; [ps]"),
        ("$ cat - >> f <<-E\n\tx\n\tE\n", "!{cat - >> f <<-E\n\tx\n\tE}"),
        ("$ cat <<'E' | tee f; docker ps\nx\nE\n", "!{cat <<'E' | tee f\nx\nE} ; [ps]"),
        ("1 $ mkdir d && cat > d/f <<E\nx\nE\n", "!{mkdir d} ; && !{cat > d/f <<E\nx\nE}"),
        ("build - <<EOF\n$ docker ps\nEOF\nps", "[build][-] <<'$ docker ps\n' ; [ps]"),
        ("$ printf 'a\n> b' | docker\nx", "!{printf 'a\nb' | docker}"),
        ("# docker ps\nCONTAINER ID", "[ps]"),
        ("# Start from alpine\nFROM alpine\n# RUN chmod +x x\nCMD ./x", "STEP{FROM alpine} ; STEP{CMD ./x}"),
        (
            "1 $ docker run -it a sh\n1 /usr/src/app # ls\n1 additional.txt\n2 $ touch b",
            "[run][-it][a][sh] ; !{touch b}"
        ),
        ("root@9c06b95e3e85:/# rm -rf /x\n$ docker ps", "[ps]"), ("root@web:/# docker ps\nX", "[ps]"),
        ("me@host:~/d$ make all\nmade > x\nme@host:~/d$ docker ps", "!{make all} ; [ps]"),
        ("$ RUN touch /a \\\n  /b\nStep", "STEP{RUN touch /a \\\n  /b}"),
    ])
    func runsTheSignedLines(text: String, expected: String) {
        let parser = LineParser(origin: .prompt)
        let parsed = (try? parser.statements(in: text)).map(summary) ?? "error"
        #expect(parsed == expected)
    }

    /// One line behind a sign: a command of shale's, or the host's.
    @Test(arguments: [
        ("touch additional.txt", "!{touch additional.txt}"),
        ("./hello.sh | wc -l; docker ps", "!{./hello.sh | wc -l} ; [ps]"),
        ("mkdir x && cd x", "!{mkdir x} ; && [cd][x]"), ("docker ps && ./y", "[ps] ; && !{./y}"),
        ("for i in 1 2; do echo $i; done", "!{for i in 1 2; do echo $i; done}"), ("(cd x; make)", "!{(cd x; make)}"),
        ("sudo apt-get install docker", "!{sudo apt-get install docker}"), ("sudo -E docker ps", "[ps]"),
        ("DOCKER_BUILDKIT=1 docker build .", "[build][.]"), ("A=1 make", "!{A=1 make}"), ("A=1", "A={[1]}"),
        ("export A=1", "A={[1]}"), ("x = images", "x={[images]}"), ("image ls", "[images]"), ("ll x", "[ll][x]"),
        ("\"./my script\" a", "!{\"./my script\" a}"), ("!ls", "!{ls}"), ("./server &", "!{./server &}"),
        ("quit", "[quit]"),
        ("images > f", "[images] >f"), ("printf x > Dockerfile", "!{printf x > Dockerfile}"),
    ])
    func whoseCommand(line: String, expected: String) throws {
        for origin in [LineParser.Origin.prompt, .script] {
            let parser = LineParser(origin: origin, aliases: ["ll"])
            #expect(try summary(parser.statements(in: "$ " + line)) == expected)
        }
        // Without the sign nothing becomes the host's.
        if expected.hasPrefix("!{"), !line.hasPrefix("!") {
            let plain = try? LineParser(origin: .prompt).statements(in: line)
            #expect(plain.map { !summary($0).contains("!{") } ?? true)
        }
    }

    @Test func hostCommandsAreWrittenDownWithTheirSign() throws {
        let statements = try LineParser(origin: .prompt).statements(in: "$ touch a && docker ps")
        #expect(statements.map(\.source) == ["!touch a", "docker ps"])
        #expect(statements.map(\.isSigned) == [true, true])
    }

    /// A text that cannot end before the next sign does not swallow it.
    @Test func anUnclosedQuoteEndsAtTheNextSign() {
        let text = Transcript.commandsOnly("$ echo it's\nout\n$ docker ps\nout", by: LineParser(origin: .prompt))
        #expect(text == "$ echo it's\nout\n$ docker ps\n")
    }

    @Test(arguments: [
        ("$ docker images\nREPOSITORY > x\n$ docker ps", [1, 3]), ("images\n$ docker ps\nps", [1, 2, 3]),
        ("# comment\n$ docker ps\nps", [2, 3]), ("\n  1 $ docker ps\nps", [2]),
    ])
    func aScriptThatBeginsWithASign(text: String, lines: [Int]) throws {
        var streamed = LineScanner(text)
        var readers = [
            ScriptReader(text: text, parser: LineParser()),
            ScriptReader(parser: LineParser()) { () throws(ShaleError) in streamed.takeLine() },
        ]
        for index in readers.indices {
            var seen: [Int] = []
            while let command = try readers[index].next() { seen.append(command.line) }
            #expect(seen == lines)
        }
    }

    @Test func aLongPasteIsReadAtOnce() throws {
        let line = "$ docker ps\n" + String(repeating: "it's output > of \"it\n", count: 3000)
        let text = String(repeating: line, count: 5)
        #expect(try LineParser(origin: .prompt).statements(in: text).count == 5)
    }
}
