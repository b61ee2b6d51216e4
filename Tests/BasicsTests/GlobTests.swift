import Basics
import Glibc
import TestSupport
import Testing

@Suite("patterns of names and paths") struct GlobTests {
    @Test(
        "as Go's path.Match",
        arguments: [
            ("*.txt", "a.txt", true), ("*.txt", "d/a.txt", false), ("d/*", "d/a", true), ("?at", "cat", true),
            ("[a-c]at", "bat", true), ("[^a-c]at", "bat", false), ("\\*", "*", true), ("\\*", "x", false),
            ("a*b*c", "axxbyyc", true), ("a*b*c", "axxbyy", false), ("*", "", true), ("**", "abc", true),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false), ("testfoobarbaz*", "testfoobarbaz", true),
            ("*", "a/b", false), ("*/*", "a/b", true), ("a?c", "abc", true), ("a?c", "a/c", false), ("", "", true),
            ("", "a", false), ("*a", "aaab", false), ("[z-a]", "m", false), ("[z-a]", "z", false),
            ("[^z-a]", "m", true), ("[z-ab]", "b", true), ("[^a]", "/", false), ("[!a]", "!", true),
            ("[a\\-c]", "-", true), ("[\\]]", "]", true), ("a]", "a]", true), ("?", "\u{E9}", true),
            ("[\u{E0}-\u{FF}]", "\u{E9}", true), ("*x", "x", true), (".*", ".a", true), ("*", ".a", true),
        ])
    func path(pattern: String, text: String, isMatch: Bool) throws {
        #expect(try Glob(pattern, .path).matches(text) == isMatch)
    }

    @Test(
        "malformed for Go, for both flavours that are Go's",
        arguments: ["[", "[a", "[]", "[a-", "a\\", "[-x]", "[]a]", "[a-]", "[^]", "[^-a]", "a[", "[a\\", "[x-]]"])
    func malformed(pattern: String) {
        #expect(throws: Glob.Malformed.self) { try Glob(pattern, .path) }
        #expect(throws: Glob.Malformed.self) { try Glob(pattern, .ignore) }
    }

    @Test(
        "as C's fnmatch",
        arguments: [
            "*", "?", "a*", "*a", "[a-c]", "[!a-c]", "[^a-c]", "[]a]", "[!]a]", "[a-]", "[-a]", "[", "[a", "a[", "[]",
            "[z-a]", "\\*", "a\\", "\\a", "[[:digit:]]*", "[[:upper:][:digit:]]", "[![:alpha:]]", "[[:punct:]]",
            "[[=a=]]", "[[.-.]]", "[\\]]", "[a\\-c]", "*.*", "**", "a?c", "*/*", "[/]", ".*", "[.]a", "?a",
            "[[:space:]]",
            "[[:xdigit:]][[:blank:]]", "*b*", "",
        ])
    func fnmatchPatterns(pattern: String) throws {
        let names = [
            "", "a", "b", "z", "abc", "a/c", "/", "-", "]", "[", "[a", "a[", "[]", "\\", "a\\", "*", "*a", "9", "42",
            "A", "Z9",
            "!", "!a", ".", ".a", "..", "a.b", " ", "f\t", "c", "a-c", "^",
        ]
        for name in names {
            #expect(try Glob(pattern, .name).matches(name) == (fnmatch(pattern, name, 0) == 0), "\(pattern) on \(name)")
            #expect(
                try Glob(pattern, .fileName).matches(name) == (fnmatch(pattern, name, FNM_PERIOD) == 0),
                "\(pattern) on \(name) with its dot")
            // The C library takes the letter of `[=a=]` as it is, here any case of it.
            if pattern.contains("[=") { continue }
            #expect(
                try Glob(pattern, .name, ignoresCase: true).matches(name) == (fnmatch(pattern, name, 1 << 4) == 0),
                "\(pattern) on \(name) in any case")
        }
    }

    @Test("a letter is one character, and so is a byte that is no text")
    func characters() throws {
        let odd = String(try #require(OddByte.scalar(for: 0xFF)))
        for flavour in [Glob.Flavour.path, .ignore, .name, .fileName] {
            #expect(try Glob("?", flavour).matches("\u{E9}"))
            #expect(try Glob("?", flavour).matches(odd))
            #expect(try Glob("a\(odd)*", flavour).matches("a\(odd)b"))
        }
        #expect(try Glob("\u{C9}*", .name, ignoresCase: true).matches("\u{E9}t\u{E9}"))
    }

    @Test(
        "a .dockerignore's depth",
        arguments: [
            ("**/a", "x/y/a", true), ("**/a", "a", true), ("a/**", "a/b/c", true), ("a/**/c", "a/c", true),
            ("a/**/c", "a/b/b/c", true), ("**.go", "x/y.go", true), ("*", "a/b", true), ("a/b", "a", false),
            ("[^a]b", "/b", true), ("[z-a]", "m", false),
        ])
    func ignore(pattern: String, path: String, isMatch: Bool) throws {
        #expect(try Glob(pattern, .ignore).matchesPathOrParent(Array(path.unicodeScalars)) == isMatch)
    }

    @Test("what may be below a folder")
    func below() throws {
        #expect(try Glob("a/*/c", .ignore).mayMatch(below: Array("a/b".unicodeScalars)))
        #expect(try !Glob("a/*/c", .ignore).mayMatch(below: Array("b".unicodeScalars)))
    }

    @Test(
        "where a match ends",
        arguments: [
            ("a*", "abca", 1, 4), ("*a", "abca", 1, 4), ("a*a", "abcaxa", 4, 6), ("?", "ab", 1, 1), ("*", "ab", 0, 2),
            ("", "ab", 0, 0), ("x", "ab", nil, nil), ("\\*", "*a", 1, 1), ("[a]", "[a]", 3, 3),
        ] as [(String, String, Int?, Int?)])
    func ends(pattern: String, text: String, shortest: Int?, longest: Int?) throws {
        let glob = try Glob(pattern, .parameter)
        let text = Array(text.unicodeScalars)
        #expect(glob.matchEnd(in: text, from: 0, longest: false) == shortest)
        #expect(glob.matchEnd(in: text, from: 0, longest: true) == longest)
        // A text read from its end matches the same pattern read from its end.
        let whole = glob.matchEnd(in: text, from: 0, longest: true) == text.count
        #expect((glob.reversed.matchEnd(in: text.reversed(), from: 0, longest: true) == text.count) == whole)
    }

    @Test(
        "what a backslash may not quote is told",
        arguments: [("a\\", nil), ("\\a", "a")] as [(String, Unicode.Scalar?)])
    func escapes(pattern: String, scalar: Unicode.Scalar?) {
        #expect(throws: Glob.Malformed.escape(scalar)) { try Glob(pattern, .parameter) }
    }

    @Test("no pattern takes long") func time() throws {
        let text = String(repeating: "a", count: 20_000)
        let pattern = String(repeating: "*a", count: 30) + "*b"
        for flavour in [Glob.Flavour.path, .ignore, .name, .fileName, .parameter] {
            #expect(try !Glob(pattern, flavour).matches(text))
        }
    }
}
