import Basics
import Dockerfiles
import Sessions
import Testing

/// Lines and settings as instructions, read back as a Dockerfile reads them.
struct LineInstructionTests {
    private static let shell = ["/bin/sh", "-c"]

    @Test(arguments: [
        "touch /a", "[ -f /a ] && touch /b", "echo \"$A\" 'b' > /c", "a\nb", "cat <<EOF\nx\nEOF", "--flag", "[\"a\"]",
        "[ \"a\" ]", "# nothing", "echo a # b", "touch 'two\nlines'", "echo ünïcode ☃", "echo $((1 << 2))",
        "echo a\\\\",
    ])
    func runIsReadBack(_ text: String) throws {
        let instruction = LineInstruction.run(text, shell: Self.shell)
        guard case .run(let run) = try Instruction.parse(line: instruction).value,
            case .command(let command) = run.script
        else {
            Issue.record("\(instruction)")
            return
        }
        #expect(run.heredocs.isEmpty)
        #expect(command.usesShell ? command.words == [text] : command.words == Self.shell + [text], "\(instruction)")
    }

    @Test func plainTextStaysPlain() {
        #expect(LineInstruction.run("touch /a", shell: Self.shell) == "RUN touch /a")
        #expect(LineInstruction.run("[ -f /a ]", shell: Self.shell) == "RUN [ -f /a ]")
        #expect(LineInstruction.runTolerating("false", shell: Self.shell) == "RUN trap 'exit 0' EXIT; false")
    }

    @Test(arguments: [
        "plain", "two words", "quote\"and'both", "dollar $HOME", "back\\slash", "", "ünï", "a=b", "${x}", "#x",
    ])
    func settingsAreReadBack(_ value: String) throws {
        let words = WordExpander(environment: ["HOME": "/root", "x": "y"])
        guard
            case .env(let pairs) = try Instruction.parse(line: LineInstruction.environment([("A", value), ("B", "c")]))
                .value
        else { return }
        #expect(try words.expand(pairs[0].value).text == value)
        #expect(pairs.count == 2)
        guard !value.isEmpty,
            case .workdir(let path) = try Instruction.parse(line: LineInstruction.directory("/\(value)")).value
        else { return }
        #expect(try words.expand(path).text == "/\(value)")
    }

    @Test(
        arguments: [
            ("plain", "plain"), ("'a b'", "a b"), ("'it'\\''s'", "it's"), ("'it'\"'\"'s'", "it's"),
            ("\"a\\\"b\\$c\"", "a\"b$c"),
            ("$'a\\nb\\tc\\'d\\\\e\\x41\\101'", "a\nb\tc'd\\eAA"), ("\\ x", " x"), ("''", ""),
        ] as [(String, String)])
    func shellWordsAreReadBack(_ word: String, _ text: String) {
        #expect(ShellWords.unquoted(word) == text)
        #expect(ShellWords.unquoted(text.shellQuoted) == text)
    }

    @Test func onlyWhatALineUsesIsWritten() throws {
        var state = CarriedState()
        let before = try #require(
            ShellReport("after", of: ["after.options": [], "after.exports": [], "after.variables": []]))
        var after = before
        after.variables = ["x": "x=5", "y": "y=6", "list": "list='a b'"]
        _ = state.absorb(before: before, after: after, uses: .init(), line: "", scan: ShellScan(""))
        #expect(state.complete("touch x").text == "touch x")
        #expect(state.complete("echo $x").text == "x=5; echo $x")
        #expect(state.complete("echo ${#y}").text == "y=6; echo ${#y}")
        #expect(state.complete("for i in $list; do a; done").text == "list='a b'; for i in $list; do a; done")
        #expect(state.complete("eval \"$z\"").text == "list='a b'; x=5; y=6; eval \"$z\"")
        #expect(state.complete("echo \"$x\necho\"").text == "x=5\necho \"$x\necho\"")
        #expect(state.complete("unset x").uses.variables == ["x"])
        #expect(state.complete("echo $((y + 1))").text == "y=6; echo $((y + 1))")
    }
}
