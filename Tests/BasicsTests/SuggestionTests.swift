import Basics
import TestSupport
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

    @Test("no more is offered than can be a slip of the hand")
    func shortDistancesOnly() {
        for (word, far) in [("push", "pause"), ("pull", "push"), ("docker", "doctor-of"), ("lesson", "session-x")] {
            #expect(Suggestion.nearest(to: word, among: [far]).isEmpty, "\(word)")
        }
    }

    @Test("a word with one slip in it finds the word, and what is offered is near", arguments: 0..<UInt64(200))
    func oneSlip(seed: UInt64) throws {
        let names = (0..<24).map {
            RandomText.of(["a", "b", "c", "e", "n", "o", "r", "s", "t"], seed: seed &* 97 &+ $0)
        }
        .filter { $0.count >= 4 }
        let name = try #require(names.first)
        var letters = Array(name)
        let place = Int(seed / 4) % letters.count
        switch seed % 4 {
        case 0: letters.remove(at: place)
        case 1: letters.insert("x", at: place)
        case 2: letters[place] = "x"
        default: letters.swapAt(place, max(0, place - 1))
        }
        let typed = String(letters)
        let found = Suggestion.nearest(to: typed, among: names, limit: 3)
        #expect(found.contains(name) || found.count == 3, "\(typed): \(found)")
        for near in found {
            #expect(
                near.hasPrefix(typed) || Suggestion.distance(typed, near) <= min(3, max(1, typed.count / 3)),
                "\(typed): \(near)")
        }
    }
}
