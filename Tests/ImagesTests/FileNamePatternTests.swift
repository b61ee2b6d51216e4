import Testing

@testable import Images

struct FileNamePatternTests {
    @Test(arguments: [
        ("*.txt", "a.txt", true), ("*.txt", "d/a.txt", false), ("d/*", "d/a", true), ("?at", "cat", true),
        ("[a-c]at", "bat", true), ("[^a-c]at", "bat", false), ("\\*", "*", true), ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false), ("*", "", true), ("**", "abc", true),
        ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false),
    ])
    func matchesAsGoDoes(pattern: String, path: String, isMatch: Bool) throws {
        #expect(try #require(FileNamePattern(pattern)).matches(path) == isMatch)
    }

    @Test(arguments: ["[", "[a", "[]", "[a-", "a\\", "[-x]"])
    func malformedOnesAreRefused(pattern: String) {
        #expect(FileNamePattern(pattern) == nil)
    }
}
