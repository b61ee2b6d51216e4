import Basics
import TestSupport
import Testing

@testable import Dockerfiles

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct IgnoreCorpusTests {
    @Test func patternCases() throws {
        var score = Score("pattern-match/pattern-cases")
        for row in try Corpus.rows("pattern-match/pattern-cases.json") {
            let id = row["id"]?.string
            let patterns = row["patterns"]?.strings ?? []
            switch row["op"]?.string {
            case "matches_or_parent_matches", "matches":
                let text = row["text"]?.string ?? ""
                if let wanted = row["expect_error"]?.string {
                    score.check(id, message { _ = try IgnoreList(patterns: patterns) }, wanted)
                } else {
                    score.check(
                        id, try IgnoreList(patterns: patterns).matches(text) != nil, row["expect"]?.bool ?? false)
                }
            case "clean_patterns":
                let list = try IgnoreList(patterns: patterns)
                if let count = row["expect"]?["count"]?.int { score.check(id, list.patterns.count, count) }
                if let wanted = row["expect"]?["has_exclusions"]?.bool {
                    score.check(id, list.patterns.contains { $0.hasPrefix("!") }, wanted)
                }
            // How the reference library classifies a pattern is its own affair.
            default: continue
            }
        }
        score.finish()
    }

    @Test func everyPatternAgainstEveryText() throws {
        var score = Score("pattern-match/pattern-recorded")
        for row in try Corpus.rows("pattern-match/pattern-recorded.json") {
            let id = row["id"]?.string ?? ""
            let patterns = row["patterns"]?.strings ?? []
            if row["error_on"] != nil {
                score.check(id, message { _ = try IgnoreList(patterns: patterns) }, "syntax error in pattern")
                continue
            }
            let list = try IgnoreList(patterns: patterns)
            for text in row["matching"]?.strings ?? [] { score.check("\(id)~\(text)", list.matches(text) != nil, true) }
            for text in row["not_matching"]?.strings ?? [] {
                score.check("\(id)~\(text)", list.matches(text) != nil, false)
            }
        }
        score.finish()
    }

    @Test func nothingBelowAPrunedDirectoryIsWanted() throws {
        var score = Score("pattern-match pruning")
        for row in try Corpus.rows("pattern-match/pattern-recorded.json") where row["error_on"] == nil {
            let patterns = row["patterns"]?.strings ?? []
            let texts = (row["matching"]?.strings ?? []) + (row["not_matching"]?.strings ?? [])
            for exceptions in [[], ["!dir/dir2"], ["!**/file"], ["!a/*/file.txt", "dir/dir"]] {
                let list = try IgnoreList(patterns: patterns + exceptions)
                for text in texts where !text.hasPrefix("/") && !text.hasSuffix("/") {
                    let parts = text.split(separator: "/")
                    for depth in 1..<max(1, parts.count) {
                        let directory = parts[..<depth].joined(separator: "/")
                        if !list.mayMatchBelow(directory) { score.check(text, list.matches(text) != nil, true) }
                    }
                }
            }
        }
        score.finish()
    }

    @Test func ignoreFiles() throws {
        var score = Score("pattern-match/ignorefile-cases")
        for row in try Corpus.rows("pattern-match/ignorefile-cases.json") {
            let got = IgnoreList.lines(of: row["text"]?.string ?? "").map(\.pattern)
            score.check(row["id"]?.string, got, row["expect"]?.strings ?? [])
        }
        score.finish()
    }
}

struct IgnoreTests {
    @Test(arguments: [
        ("*.md\n!README.md", "a.md", 1), ("*.md\n!README.md", "README.md", nil), ("# c\n\n /tmp/ \n", "tmp/x/y", 3),
        ("a\n!a/b\na/b/c", "a/b/c/d", 3), ("a\n!a/b\na/b/c", "a/b/d", nil),
        ("**/node_modules", "x/y/node_modules/z", 1),
        ("a/**", "a", nil), ("a/**", "a/b", 1), ("\u{feff}x", "x", 1), ("x\r\ny\r\n", "y", 2), ("a b", "a b", 1),
        ("[a-c]?", "b1", 1), ("[^a]", "b", 1), ("\\*", "*", 1), ("\\*", "x", nil), ("/", "/", 1),
    ])
    func linesThatIgnore(_ text: String, _ path: String, _ line: Int?) throws {
        #expect(try IgnoreList(parsing: text).matches(path)?.line == line)
    }

    @Test(arguments: ["!", "a\n[", "x\\", "[]", "[a-]", "[-a]"])
    func malformed(_ text: String) {
        #expect(throws: ShaleError.self) { try IgnoreList(parsing: text) }
    }

    @Test(arguments: [
        ("*\n!src", "src", true), ("*\n!src/a", "src", true), ("*\n!src/a", "doc", false), ("*\n!**/*.go", "any", true),
        ("!src/a\n*", "src", false), ("node_modules", "node_modules", false), ("node_modules", "src", true),
        ("a\n!a/b/c", "a/b", true), ("a\n!a/b/c", "a/x", false), ("a\n!a*/c", "a", true),
    ])
    func pruning(_ text: String, _ directory: String, _ wanted: Bool) throws {
        #expect(try IgnoreList(parsing: text).mayMatchBelow(directory) == wanted)
    }

    @Test func tenThousandPaths() throws {
        let list = try IgnoreList(
            parsing: "**/node_modules\n*.log\nbuild/**\n!build/keep\n**/*.tmp\ndocs/[a-m]*\n.git\n")
        let paths = (0..<10_000).map { "src/module\($0 % 97)/deep/er/file\($0).swift" }
        #expect(paths.allSatisfy { list.matches($0) == nil })
    }

    @Test func longPatternsStayFast() throws {
        let list = try IgnoreList(patterns: [
            String(repeating: "*a", count: 200) + "b", String(repeating: "**/", count: 200) + "x?",
        ])
        #expect(list.matches(String(repeating: "a", count: 200)) == nil)
        #expect(list.matches(String(repeating: "a/", count: 200) + "xy")?.line == 2)
    }
}
