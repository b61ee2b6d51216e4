import Testing

@testable import Lessons

struct HandoutTests {
    /// Only console blocks are run; a longer fence holds a shorter one.
    @Test func blocks() {
        let handout = Handout(
            "a\n```console\n$ ls\n```\n```text\n$ no\n```\n````console\n```\n$ x\n````\n```console\r\nopen\n")
        #expect(handout.blocks.map(\.content) == [2..<3, 8..<10, 12..<14])
        #expect(handout.blocks.map(\.number) == [1, 2, 3])
        #expect(Handout("").blocks.isEmpty && Handout("```").blocks.isEmpty)
    }

    @Test(arguments: [
        ("shale> ls", "$ ls"), ("(two) shale> ls", "$ ls"), ("$ shale ls", "$ ls"), ("$ ls", "$ ls"), ("out", "out"),
        ("(a b) shale> ls", "(a b) shale> ls"), ("[64] busybox+2 shale> ls", "$ ls"),
    ])
    func prompts(line: String, signed: String) {
        #expect(Handout.signed(line) == signed)
    }

    @Test func replacing() {
        let handout = Handout("a\nb\nc\nd\n")
        #expect(handout.replacing([(1..<2, ["x", "y"]), (3..<4, [])]) == "a\nx\ny\nc\n")
        #expect(handout.replacing([]) == "a\nb\nc\nd\n")
    }
}
