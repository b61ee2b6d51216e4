import Testing

@testable import Containers

/// What shells write of the commands typed into them.
struct ShellHistoryTests {
    @Test(
        arguments: [
            ("ls\ncd /\n", ["ls", "cd /"]), ("#1700000000\nls -l\n#1700000001\nmake\n", ["ls -l", "make"]),
            (": 1700000000:0;ls\n: 1700000001:12;echo a;b\n", ["ls", "echo a;b"]), ("", []),
            ("# a comment\n", ["# a comment"]),
            (": > /file\n", [": > /file"]),
        ] as [(String, [String])])
    func lines(_ text: String, _ lines: [String]) { #expect(ShellHistory.lines(of: text) == lines) }
}
