import Basics
import Testing

/// Shale's own prompt in front of a line that was copied.
struct PromptSignTests {
    @Test(arguments: [
        ("shale> images", 7), ("(lesson) shale> images", 16), ("[64] shale> x", 12), ("busybox+2 shale> undo", 17),
        ("(a) [1] busybox:/etc ubuntu:22.04+10 shale> ls", 44), ("g++:1+3 shale> x", 15), ("shale> ", 7),
        ("shale>", nil), ("see shale> x", nil), (" ---> shale> x", nil), ("+2 shale> x", nil), ("", nil),
        ("() shale> x", nil), ("[a] shale> x", nil), ("1 2 3 shale> x", nil), ("echo 'shale> x'", nil),
    ])
    func length(line: String, length: Int?) { #expect(PromptSign.length(in: line) == length) }
}
