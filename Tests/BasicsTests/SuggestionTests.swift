import Basics
import Testing

struct SuggestionTests {
    static let verbs = ["?", "images", "info", "push", "pull", "ps", "quit", "rm"]

    @Test(arguments: [
        ("q", "quit"), ("i", "images"), ("imagse", "images"), ("pus", "push"), ("imag", "images"), ("rmm", "rm"),
        ("p", "ps"), ("z", nil), ("", nil), ("xyz", nil), ("zz", nil),
    ])
    func nearest(word: String, expected: String?) {
        #expect(Suggestion.nearest(to: word, among: Self.verbs).first == expected)
    }
}
