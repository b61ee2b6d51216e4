import Basics
import TestSupport
import Testing

@testable import Dockerfiles

private func environment(_ row: JSONValue) -> [String: String] {
    let pairs = (row["env"]?.strings ?? []).map { $0.cut(at: "=") }
    return Dictionary(pairs.map { ($0.before, $0.after ?? "") }, uniquingKeysWith: { $1 })
}

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct ExpansionCorpusTests {
    @Test(arguments: ["shell-expand", "shell-expand-operators"])
    func words(_ file: String) throws {
        var score = Score("dockerfile-parser/\(file)")
        for row in try Corpus.rows("dockerfile-parser/\(file).json") where row["platform"]?.string != "windows" {
            let id = row["id"]?.string
            let expander = WordExpander(environment: environment(row))
            let input = row["input"]?.string ?? ""
            let got = Result { () throws(ShaleError) in try expander.expand(input) }
            switch (got, row["expect_error"]) {
            case (.failure(let error), let wanted?):
                let part = wanted.string ?? ""
                score.check(id, error.message.contains(part) ? part : error.message, part)
            case (.failure(let error), nil): score.check(id, error.message, "no error")
            case (.success(let expansion), nil):
                score.check(id, expansion.text, row["expect"]?.string ?? "")
                if let names = row["matched"]?.strings { score.check(id, expansion.matched, Set(names)) }
                if let names = row["unmatched"]?.strings { score.check(id, expansion.unmatched, Set(names)) }
            case (.success(let expansion), _?): score.check(id, expansion.text, "an error")
            }
        }
        score.finish()
    }

    @Test func splitWords() throws {
        var score = Score("dockerfile-parser/shell-words")
        for row in try Corpus.rows("dockerfile-parser/shell-words.json") {
            let got = try? WordExpander(environment: environment(row)).expandWords(row["input"]?.string ?? "")
            score.check(row["id"]?.string, got, row["expect"]?.strings)
        }
        score.finish()
    }
}

struct ExpansionTests {
    private static let environment = ["A": "one", "E": "", "P": "/a/b/c.tar.gz", "S": "x  y"]

    @Test(arguments: [
        ("a$A.b", "aone.b"), ("'$A'", "$A"), ("\"$A\"", "one"), ("\\$A", "$A"), ("${E:-d}", "d"), ("${E-d}", ""),
        ("${U-${A}}", "one"), ("${A:+yes}${U:+no}", "yes"), ("${P##*/}", "c.tar.gz"), ("${P%%.*}", "/a/b/c"),
        ("${P%.*}", "/a/b/c.tar"), ("${P#*/}", "a/b/c.tar.gz"), ("${P/a/z}", "/z/b/c.tar.gz"),
        ("${P//\\//-}", "-a-b-c.tar.gz"), ("${A/n*/x}", "ox"), ("${A//?/z}", "zzz"), ("$", "$"), ("a$", "a$"),
        ("${A//x/y}", "one"), ("${A%$E}", "one"),
    ])
    func variables(_ word: String, _ wanted: String) throws {
        #expect(try WordExpander(environment: Self.environment).expand(word).text == wanted)
    }

    @Test(arguments: [
        ("${A", "failed to process \"${A\": syntax error: missing '}'"),
        ("'a", "failed to process \"'a\": unexpected end of statement while looking for matching single-quote"),
        ("${U:?gone}", "failed to process \"${U:?gone}\": U: gone"),
        ("${U?}", "failed to process \"${U?}\": U: is not allowed to be unset"),
        ("${E:?}", "failed to process \"${E:?}\": E: is not allowed to be empty"),
        ("${A!x}", "failed to process \"${A!x}\": unsupported modifier (!) in substitution"),
    ])
    func refusals(_ word: String, _ wanted: String) throws {
        #expect(message { _ = try WordExpander(environment: Self.environment).expand(word) } == wanted)
    }

    @Test(
        "a quoted word stands for its text",
        arguments: [
            ("plain", "plain"), ("", "\"\""), ("a b", "\"a b\""), ("$HOME", "\"\\$HOME\""), ("--flag", "\"--flag\""),
            ("-x", "-x"), ("a\"b", "\"a\\\"b\""), ("c:\\d", "\"c:\\\\d\""), ("it's", "\"it's\""), ("a=b", "\"a=b\""),
            ("~/x", "~/x"), ("\u{E4}", "\u{E4}"), ("a\u{A0}b", "\"a\u{A0}b\""), ("#x", "\"#x\""), ("a\tb", "\"a\tb\""),
            ("[\"a\"]", "\"[\\\"a\\\"]\""),
        ])
    func quoted(_ text: String, _ word: String) throws {
        #expect(DockerfileWord.quoted(text) == word)
        for escape: Unicode.Scalar in ["\\", "`"] {
            let expander = WordExpander(escape: escape, environment: Self.environment)
            let quoted = DockerfileWord.quoted(text, escape: escape)
            #expect(try expander.expand(quoted).text == text)
            // An empty word is none in a list, as BuildKit splits it.
            #expect(try expander.expandWords(quoted) == (text.isEmpty ? [] : [text]))
        }
    }

    @Test func escapeByBacktick() throws {
        let expander = WordExpander(escape: "`", environment: Self.environment)
        #expect(try expander.expand("`$A c:\\d").text == "$A c:\\d")
    }

    @Test func wordsComeApartOnlyOutsideQuotes() throws {
        let expander = WordExpander(environment: Self.environment)
        #expect(try expander.expandWords("$S \"$S\" p$E") == ["x", "y", "x  y", "p"])
    }

    /// What a few lines could make as long as they like is refused before it is there.
    @Test(arguments: ["$a$a$a", "\"$a$a$a\"", "${a//x/$a}", "${none:-$a$a$a}", "${a/x/$a$a}$a"])
    func aWordHasAnEnd(_ word: String) throws {
        let expander = WordExpander(environment: ["a": String(repeating: "x", count: 400_000)])
        #expect(try expander.expand("$a$a").text.count == 800_000)
        let words = #expect(throws: ShaleError.self) { try expander.expand(word) }
        #expect(words?.message.contains("no larger than 1048576 characters") == true)
    }

    @Test func hostileNestingIsRefused() throws {
        let word = String(repeating: "${a:-", count: 20_000)
        #expect(throws: ShaleError.self) { try WordExpander(environment: [:]).expand(word) }
    }
}
