import Testing

@testable import Recipes

struct ShellCommandsTests {
    private func words(_ text: String) -> [[String?]] { ShellCommands(text).commands.map { $0.words.map(\.value) } }

    @Test(arguments: [
        ("a b c", [["a", "b", "c"]]),
        ("a && b || c; d & e", [["a"], ["b"], ["c"], ["d"], ["e"]]),
        ("A=1 B='x y' apt-get install -y curl", [["apt-get", "install", "-y", "curl"]]),
        ("if a; then b; else c; fi", [["a"], ["b"], ["c"]]),
        ("{ a b,c; } && (d; e)", [["a", "b,c"], ["d"], ["e"]]),
        ("a 2>/dev/null >out 1>&2 b", [["a", "b"]]),
        ("a &> log b", [["a", "b"]]),
        ("a 'b c' \"d\\\"e\" f\\ g", [["a", "b c", "d\"e", "f g"]]),
        ("a # b && c", [["a"]]),
        ("a \\\n  b \\\n# a comment && x\n  \\\n\n  c", [["a", "b", "c"]]),
        ("a | b", [["a"], ["b"]]),
        ("for p in x y; do z; done", [["for", "p", "in", "x", "y"], ["z"]]),
        ("! a", [["a"]]),
        ("", []),
    ])
    func wordsOfCommands(_ text: String, _ expected: [[String]]) {
        #expect(words(text) == expected.map { $0.map(Optional.some) }, "\(text)")
    }

    @Test(arguments: ["a $B", "a \"x$(c d)y\"", "a `c d`", "a ${B:-x y}", "a x{b,c}", "a ~/b", "a $(c 'd)' \"e\")"])
    func whatTheShellExpandsHasNoValue(_ text: String) {
        #expect(words(text) == [["a", nil]], "\(text)")
    }

    @Test(arguments: [
        "cat <<E", "f() { a; }", "case x in y) z;; esac", "a 'b", "a \"b", "(a", "a )", "a $(b", "a <(b)",
    ])
    func whatIsNotTakenApart(_ text: String) {
        let commands = ShellCommands(text)
        #expect(commands.obstacle != nil, "\(text)")
        #expect(commands.commands.isEmpty)
    }

    @Test func directories() {
        let commands = ShellCommands("a; cd /x && b && (cd y; c) && d; cd $E; f; cd /g; h").commands
        let found = commands.filter { $0.words[0].value != "cd" }.map(\.directory)
        #expect(
            found == [
                .known(""), .known("/x"), .known("/x/y"), .known("/x"), .unknown, .known("/g"),
            ])
    }

    @Test func rangesAndPipes() throws {
        let text = "RUN A=1 a 'b c' >out | d"
        let commands = ShellCommands(text, from: 3).commands
        #expect(commands.map(\.isInPipe) == [true, true])
        let bytes = Array(text.utf8)
        let first = try #require(commands.first)
        #expect(String(decoding: bytes[first.range], as: UTF8.self) == "A=1 a 'b c' >out")
        #expect(String(decoding: bytes[first.words[1].range], as: UTF8.self) == "'b c'")
        #expect(first.output?.value == "out")
    }

    /// Any bytes end, and every range lies in the text.
    @Test func oddTexts() {
        var state: UInt64 = 7
        let alphabet = Array("ab =<>&|;()'\"\\$`{}#\n*,é\u{0}".utf8)
        for _ in 0..<5_000 {
            var bytes: [UInt8] = []
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            let text = String(decoding: bytes, as: UTF8.self)
            for command in ShellCommands(text).commands {
                #expect(command.range.upperBound <= text.utf8.count)
                for word in command.words { #expect(word.range.upperBound <= text.utf8.count) }
            }
        }
    }
}
