import Basics
import Testing

@testable import ShellLanguage

struct ExpansionTests {
    private func expand(
        _ line: String, unknown: Expansion.Unknown = .fail
    ) throws -> [Expansion.Argument] {
        let variables = ["a": "1", "two": "x y", "lines": "p q\nr", "empty": "", "?": "0", "_": "abc"]
        var expansion = Expansion(
            lookup: { variables[$0] },
            substitute: { (text) throws(ShaleError) in text == "ps -q" ? "id1\nid2 id3\n\n" : nil },
            names: Array(variables.keys), home: "/home/me")
        guard case .command(let command)? = try LineParser().statements(in: line).first?.body else { return [] }
        return try expansion.arguments(command.words) { _ in unknown }
    }

    @Test(arguments: [
        ("e $a ${a}b \"$a\" '$a' \\$a", ["e", "1", "1b", "1", "$a", "$a"]),
        ("e $two \"$two\"", ["e", "x y", "x y"]),
        ("e $lines", ["e", "p q", "r"]),
        ("e \"$lines\"", ["e", "p q\nr"]),
        ("e x$lines-z", ["e", "xp q", "r-z"]),
        ("e $empty \"$empty\" x$empty", ["e", "", "x"]),
        ("e $(ps -q) \"$(ps -q)\"", ["e", "id1", "id2", "id3", "id1\nid2 id3"]),
        ("e ~/x ~ '~' a~ @~2 ~root", ["e", "/home/me/x", "/home/me", "~", "a~", "@~2", "~root"]),
        ("e $? $_", ["e", "0", "abc"]),
        ("$empty", []),
    ])
    func arguments(line: String, texts: [String]) throws {
        #expect(try expand(line).map(\.text) == texts)
    }

    @Test
    func unknownVariables() throws {
        #expect(
            try expand("e $PATH \"${HOME}\" $(hostname)", unknown: .keep).map(\.text) == [
                "e", "$PATH", "${HOME}", "$(hostname)",
            ])
        #expect(try expand("e $PATH x", unknown: .empty).map(\.text) == ["e", "x"])
        let error = #expect(throws: ShaleError.self) { try expand("rm $linse") }
        #expect(error?.description == "$linse: no such variable")
        #expect(error?.hint == "did you mean $lines?")
        #expect(throws: ShaleError.self) { try expand("rm $(hostname)") }
    }

    @Test
    func patterns() throws {
        let arguments = try expand("cp *.txt '*.md' a\\*b* $two*")
        #expect(arguments.map(\.pattern) == [nil, "*.txt", nil, "a\\*b*", "x y*"])
    }

    @Test
    func keptOnesAreRemembered() throws {
        var expansion = Expansion(lookup: { _ in nil })
        #expect(
            try expansion.text(
                Word(parts: [.variable(name: "X", source: "${X}", quoted: true)], source: ""), unknown: .keep) == "${X}"
        )
        #expect(expansion.kept == ["${X}"])
    }
}

struct ScriptReaderTests {
    @Test
    func logicalCommands() throws {
        let text = """
            #!/usr/bin/env shale
            ps

            run x 'a
            b' &&
            ps
            bad & line
            RUN <<EOF
            it's here
            EOF
            build - <<END
            FROM x
            END
            df
            """
        var reader = ScriptReader(text: text, parser: LineParser())
        var seen: [(Int, Int)] = []
        while let command = try reader.next() {
            switch command.statements {
            case .success(let statements):
                seen.append((command.line, statements.count))
                #expect(statements.first?.line == command.line)
            case .failure: seen.append((command.line, -1))
            }
        }
        #expect(seen.map(\.0) == [2, 4, 7, 8, 11, 14])
        #expect(seen.map(\.1) == [1, 2, -1, 1, 1, 1])
    }

    @Test
    func endsTooEarly() throws {
        var reader = ScriptReader(text: "ps\nrun 'x\ny", parser: LineParser())
        _ = try reader.next()
        guard let command = try reader.next(), case .failure(let error) = command.statements else {
            Issue.record("expected a failure")
            return
        }
        #expect(command.line == 2)
        #expect(error.description == "syntax error: unexpected end: unterminated quote: no closing '")
        #expect(try reader.next() == nil)
    }

    @Test
    func unclosedQuoteInALongFile() throws {
        let text = "echo 'x\n" + String(repeating: "a line of text\n", count: 30_000)
        var reader = ScriptReader(text: text, parser: LineParser())
        guard case .failure? = try reader.next()?.statements else {
            Issue.record("expected a failure")
            return
        }
    }
}
