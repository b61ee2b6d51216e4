import Testing

@testable import Dockerfiles

struct GoFormatTests {
    @Test(arguments: [
        ("plain", "\"plain\""), ("a\"b\\", "\"a\\\"b\\\\\""), ("\u{1b}[0m", "\"\\x1b[0m\""), ("tab\t", "\"tab\\t\""),
        ("\u{200b}", "\"\\u200b\""), ("h\u{e9}", "\"h\u{e9}\""),
    ])
    func wordsAreQuotedAsGoDoes(word: String, quoted: String) {
        #expect(GoFormat.quoted(word) == quoted)
    }
}
