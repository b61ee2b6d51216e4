import Basics
import Testing

@testable import ShellLanguage

/// Statements as one line of text, so that a table can hold what is expected.
func summary(_ statements: [Statement]) -> String {
    statements.map { statement in
        let joint = ["always": "", "success": "&& ", "failure": "|| "]["\(statement.condition)"] ?? "?"
        return joint + summary(statement.body)
    }.joined(separator: " ; ")
}

private func summary(_ body: Statement.Body) -> String {
    switch body {
    case .command(let command): summary(command)
    case .assignment(let assignment):
        switch assignment.source {
        case .command(let command): "\(assignment.name)={\(summary(command))}"
        case .host(let text): "\(assignment.name)={!\(text)}"
        }
    case .host(let text): "!{\(text)}"
    case .step(let text): "STEP{\(text)}"
    case .recall(let text): "recall{\(text)}"
    }
}

private func summary(_ command: Command) -> String {
    var text = command.words.map { "[" + $0.parts.map(summary).joined() + "]" }.joined()
    for redirection in command.redirections { text += " \(summary(redirection))" }
    if let pipeline = command.pipeline { text += " |\(pipeline.includesErrors ? "&" : ""){\(pipeline.text)}" }
    return text
}

private func summary(_ part: Word.Part) -> String {
    switch part {
    case .literal(let text, let quoted): quoted ? "'\(text)'" : text
    case .variable(let name, _, let quoted): quoted ? "\"$\(name)\"" : "$\(name)"
    case .substitution(let text, let quoted): quoted ? "\"$(\(text))\"" : "$(\(text))"
    }
}

private func summary(_ redirection: Redirection) -> String {
    func file(_ word: Word) -> String { word.parts.map(summary).joined() }
    switch redirection {
    case .output(let word, let append): return (append ? ">>" : ">") + file(word)
    case .errors(let word, let append): return (append ? "2>>" : "2>") + file(word)
    case .both(let word, let append): return (append ? "&>>" : "&>") + file(word)
    case .errorsToOutput: return "2>&1"
    case .outputToErrors: return ">&2"
    case .input(let word): return "<" + file(word)
    case .hereDocument(let word): return "<<" + file(word)
    case .hereString(let word): return "<<<" + file(word)
    }
}

struct LineParserTests {
    static let complete: [(String, String)] = [
        ("", ""),
        ("   # only a comment", ""),
        ("images", "[images]"),
        ("images -q # ids", "[images][-q]"),
        ("cat alpine#2:/etc/hosts", "[cat][alpine#2:/etc/hosts]"),
        ("a; b && c || d;", "[a] ; [b] ; && [c] ; || [d]"),
        ("a &&\n\n b", "[a] ; && [b]"),
        ("tag 'my image' x\\ y \"q $v\"", "[tag]['my image'][x' 'y]['q '\"$v\"]"),
        ("echo ''", "[echo]['']"),
        ("echo \"\"", "[echo]['']"),
        ("echo \"a\\\"b\\nc\\$d\"", "[echo]['a\"b\\nc$d']"),
        ("echo $a ${b}c $? $1 $10 $ $- a$", "[echo][$a][$bc][$?][$1][$10][$][$-][a$]"),
        ("echo ${x:-y} $((1+2))", "[echo][${x:-y}][$((1+2))]"),
        ("rm $(docker ps -aq)", "[rm][$(docker ps -aq)]"),
        ("echo \"$(echo \"a)b\")\"", "[echo][''\"$(echo \"a)b\")\"]"),
        ("echo a\\\nb", "[echo][ab]"),
        ("images |grep x | wc -l && ps", "[images] |{grep x | wc -l} ; && [ps]"),
        (
            "images -q | while read i; do echo $i && true; done; ps",
            "[images][-q] |{while read i; do echo $i && true; done} ; [ps]"
        ),
        ("ps | awk '{print $1; exit}'", "[ps] |{awk '{print $1; exit}'}"),
        ("ps | case x in x) cat;; esac", "[ps] |{case x in x) cat;; esac}"),
        ("ps | sh -c 'a; b'; df", "[ps] |{sh -c 'a; b'} ; [df]"),
        ("build . |& less", "[build][.] |&{less}"),
        ("images > a.txt 2>> 'b c' < in", "[images] >a.txt 2>>'b c' <in"),
        ("logs c >out 2>&1", "[logs][c] >out 2>&1"),
        ("logs c 2>/dev/null&&ps", "[logs][c] 2>/dev/null ; && [ps]"),
        ("echo 2 > f", "[echo][2] >f"),
        ("echo x2>f", "[echo][x2] >f"),
        ("build x &> log", "[build][x] &>log"),
        ("load <<< \"$x\"", "[load] <<<''\"$x\""),
        ("build -f - <<EOF\nFROM $base\nRUN a\\$b\nEOF\nps", "[build][-f][-] <<'FROM '\"$base\"'\nRUN a$b\n' ; [ps]"),
        ("build - <<'EOF' | cat\n$x\nEOF", "[build][-] <<'$x\n' |{cat}"),
        ("run -i a sh <<-X && ps\n\t\tline\n\tX", "[run][-i][a][sh] <<'line\n' ; && [ps]"),
        ("!ls -l | wc; echo", "!{ls -l | wc; echo}"),
        ("!", "!{}"),
        ("images; !", "[images] ; !{}"),
        ("!cat <<E\nx;y\nE\nps", "!{cat <<E\nx;y\nE} ; [ps]"),
        ("!!", "recall{!}"),
        ("!12", "recall{12}"),
        ("!-2 ; ps", "recall{-2} ; [ps]"),
        ("!7z x", "!{7z x}"),
        ("\\q", "[quit]"),
        ("\\i f.shale", "[source][f.shale]"),
        ("x = images -q", "x={[images][-q]}"),
        ("x = 'a b'", "x={['a b']}"),
        ("x=5", "x={[5]}"),
        ("x=$y", "x={[$y]}"),
        ("x=", "x={}"),
        ("x =", "x={}"),
        ("x = !date +%s", "x={!date +%s}"),
        ("x = docker images | head", "x={[images] |{head}}"),
        ("set a=b c", "[set][a=b][c]"),
        ("$ docker pull ubuntu", "[pull][ubuntu]"),
        ("1 $ docker run -it hello-docker sh", "[run][-it][hello-docker][sh]"),
        ("  $ sudo docker ps", "[ps]"),
        ("sudo -E podman ps && docker images", "[ps] ; && [images]"),
        ("docker", "[help]"),
        ("docker --version", "[version]"),
        ("docker -D -l debug --log-level=info ps -a", "[ps][-a]"),
        ("docker -l", "[help]"),
        ("docker image ls -a", "[images][-a]"),
        ("container ls -q", "[ps][-q]"),
        ("image rm x", "[rmi][x]"),
        ("docker system df -v", "[df][-v]"),
        ("docker system prune -f", "[prune][all][-f]"),
        ("docker container prune", "[prune][containers]"),
        ("docker buildx build .", "[build][.]"),
        ("system check", "[system][check]"),
        ("image = x", "image={[x]}"),
        ("RUN a && b | c > d; e", "STEP{RUN a && b | c > d; e}"),
        ("trace RUN a && b | c > d; e", "[trace]['RUN a && b | c > d; e']"),
        ("trace --format json trace -- RUN $a", "[trace][--format][json][trace][--]['RUN $a']"),
        ("trace --format RUN a; ps", "[trace][--format][RUN][a] ; [ps]"),
        ("trace images | wc", "[trace][images] |{wc}"),
        ("RUN a \\\n  # note\n  b\nps", "STEP{RUN a \\\n  # note\n  b} ; [ps]"),
        ("RUN <<EOF\nx\nEOF\nCOPY a b", "STEP{RUN <<EOF\nx\nEOF} ; STEP{COPY a b}"),
        ("RUN cat <<A <<-'B' > /x\n1\nA\n2\n\tB\nps", "STEP{RUN cat <<A <<-'B' > /x\n1\nA\n2\n\tB} ; [ps]"),
        ("RUN echo '<<X' a<<X $((1<<2))", "STEP{RUN echo '<<X' a<<X $((1<<2))}"),
        ("FROM a\r\nRUN b\r\n", "STEP{FROM a} ; STEP{RUN b}"),
        ("$ FROM alpine", "STEP{FROM alpine}"),
        ("RUN a\\\n", "STEP{RUN a\\}"),
        ("edit 2 RUN echo \"a b\" > /x; c\nps", "[edit][2]['RUN echo \"a b\" > /x; c'] ; [ps]"),
        ("edit\t12  RUN <<EOF\nx\nEOF\nps", "[edit][12]['RUN <<EOF\nx\nEOF'] ; [ps]"),
        ("edit 2 'RUN a' > f", "[edit][2]['RUN a'] >f"),
        ("edit 2 > f", "[edit][2] >f"), ("edit 2 RUNE > f", "[edit][2][RUNE] >f"),
        ("FROMx a", "[FROMx][a]"),
        ("run FROM", "[run][FROM]"),
        ("ls x y\\\n", "[ls][x][y]"),
    ]

    @Test(arguments: complete)
    func completes(text: String, expected: String) throws {
        #expect(try summary(LineParser().statements(in: text)) == expected)
    }

    @Test(arguments: [
        ("echo 'a", Incomplete.singleQuote), ("echo \"a $x", .doubleQuote), ("echo a \\", .continuation),
        ("echo a\\", .continuation), ("a &&", .operand("&&")), ("a ||  # x\n", .operand("||")), ("a |", .operand("|")),
        ("cat <<EOF\nx", .hereDocument("EOF")), ("cat <<EOF", .hereDocument("EOF")), ("rm $(ps", .substitution),
        ("echo ${x", .variable), ("ps | while read x; do", .hostBlock("while")), ("!if true", .hostBlock("if")),
        ("!echo 'x", .singleQuote), ("RUN a \\", .continuation), ("RUN <<E\nfoo", .hereDocument("E")),
    ])
    func wantsMore(text: String, reason: Incomplete) throws {
        #expect(try LineParser().parse(text) == .incomplete(reason))
    }

    @Test(arguments: [
        "a & b", "; a", "a ;; b", "| a", "&& a", "a > ", "a < ; b", "a && ; b", "x=1 y", "a 2>&3", "${a\n}",
    ])
    func refuses(text: String) {
        #expect(throws: ShaleError.self) { try LineParser().statements(in: text) }
    }

    @Test
    func placesAndMarks() throws {
        let text = "\n# c\nps\n  df; \\\n images\nRUN x \\\n y\n info <<E\n1\nE\nquit"
        let statements = try LineParser().statements(in: text, firstLine: 10)
        #expect(statements.map(\.line) == [12, 13, 14, 15, 17, 20])
        #expect(statements.map(\.isPrivate) == [false, true, true, false, true, false])
        let pasted = try LineParser().statements(in: "$ sudo docker ps")
        #expect(pasted.first?.dropped == ["$", "sudo", "docker"])
        #expect(pasted.first?.isPrivate == false)
        #expect(pasted.first?.source == "sudo docker ps")
    }

    @Test
    func rootPromptOnlyAtThePrompt() throws {
        let line = "# docker ps"
        #expect(try summary(LineParser(origin: .prompt).statements(in: line)) == "[ps]")
        #expect(try LineParser(origin: .script).statements(in: line).isEmpty)
        #expect(try LineParser(origin: .prompt).statements(in: "# images are fun").isEmpty)
        #expect(try summary(LineParser(origin: .prompt).statements(in: "root@web1:/# docker ps")) == "[ps]")
    }

    @Test
    func assignmentMeaning() throws {
        func meaning(_ text: String) throws -> Assignment.Meaning? {
            guard case .assignment(let assignment)? = try LineParser().statements(in: text).first?.body else {
                return nil
            }
            return assignment.meaning { $0 == "images" }
        }
        #expect(try meaning("x = images -q") == .capture(Command(words: [Word("images"), Word("-q")])))
        #expect(try meaning("x = hello") == .value([Word("hello")]))
        #expect(try meaning("x = !date") == .captureHost("date"))
        guard case .value? = try meaning("x = 'images'") else {
            Issue.record("a quoted word is a value")
            return
        }
    }

    @Test
    func hostileInput() throws {
        let nested = String(repeating: "$(", count: 5000)
        #expect(try LineParser().parse("echo " + nested) == .incomplete(.substitution))
        _ = try LineParser().parse("echo \u{0} \u{1b}[2J \u{ffff} é́ 👩‍👩‍👧")
        let long = String(repeating: "a b ", count: 50_000)
        #expect(try LineParser().statements(in: long).count == 1)
        let many = String(repeating: "ps;", count: 20_000)
        #expect(try LineParser().statements(in: many).count == 20_000)
    }

    @Test(
        arguments: [
            ("tag a b", "b"), ("run 'a b' \"$x y\"", "\"$x y\""), ("ps | grep x", "x"), ("ps;", "ps"), ("", nil),
            ("run 'x", "run"),
        ] as [(String, String?)])
    func lastWord(entry: String, word: String?) {
        #expect(Word.last(in: entry)?.source == word)
    }
}
