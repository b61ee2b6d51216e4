import Testing

@testable import Shell

/// What stands at the cursor of a line of shell, and which lines are shale's.
struct InsideWordTests {
    @Test(
        arguments: [
            ("", 0, "", true), ("ls", 0, "ls", true), ("ls /e", 3, "/e", false), ("a; b", 3, "b", true),
            ("a | b", 4, "b", true),
            ("a && b", 5, "b", true), ("A=b c", 4, "c", true), ("cat 'two w", 4, "two w", false),
            ("cat two\\ w", 4, "two w", false),
            ("cat < /e", 6, "/e", false), ("./configure --prefix=/us", 21, "/us", false), ("echo $(l", 7, "l", true),
            ("if ", 3, "", false), ("a\nb", 2, "b", true),
        ] as [(String, Int, String, Bool)])
    func word(_ line: String, _ start: Int, _ value: String, _ isFirst: Bool) {
        let word = InsideWord(line)
        #expect(word.start == start)
        #expect(word.value == value)
        #expect(word.isFirst == isFirst)
    }

    @Test func variables() {
        #expect(InsideWord("echo $HO").variable == .init(opening: "$", prefix: "HO"))
        #expect(InsideWord("echo ${HO").variable == .init(opening: "${", prefix: "HO"))
        #expect(InsideWord("echo \"$HO").variable == .init(opening: "$", prefix: "HO"))
        #expect(InsideWord("echo '$HO").variable == nil)
        #expect(InsideWord("echo $HOME/b").variable == nil)
    }

    @Test func quoting() {
        #expect(InsideWord("cat x").quoted("two words") == "two\\ words")
        #expect(InsideWord("cat 'x").quoted("two words") == "'two words")
        #expect(InsideWord("cat x").quoted("~/a$b") == "~/a\\$b")
    }

    @Test func shalesOwn() {
        #expect(InsideCommands.command(in: "\\undo 2") == "undo 2")
        #expect(InsideCommands.command(in: "\\diff") == "diff @~1 @")
        #expect(InsideCommands.command(in: "\\help") == "help enter")
        for line in ["\\ls", "\\rm -rf /x", "undo", "\\", "\\undoing", "echo \\undo"] {
            #expect(InsideCommands.command(in: line) == nil, "\(line)")
        }
    }

    @Test func pastedLines() {
        #expect(TypedLines.commands(in: "a\nb\nfor i in 1\ndo c\ndone") == ["a", "b", "for i in 1\ndo c\ndone"])
        #expect(TypedLines.commands(in: "cat <<E\nx\nE\nb") == ["cat <<E\nx\nE", "b"])
        #expect(TypedLines.commands(in: "echo 'open") == ["echo 'open"])
    }
}
