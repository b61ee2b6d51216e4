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

    @Test(arguments: [
        (Int64(0), "0s"), (5_000_000_000, "5s"), (90_000_000_000, "1m30s"), (1_500_000_000, "1.5s"),
        (3_600_000_000_000, "1h0m0s"), (250_000_000, "250ms"), (1_000, "1\u{b5}s"), (7, "7ns"),
    ])
    func durations(nanoseconds: Int64, text: String) {
        #expect(GoDuration.text(nanoseconds) == text)
    }
}
