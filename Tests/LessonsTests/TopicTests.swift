import Testing

@testable import Lessons

struct TopicTests {
    /// A line without its fact is left out, and another stands in its place.
    @Test(arguments: [
        (["a {x}", "else: b", "c"], ["a 1", "c"]), (["a {y}", "else: b", "c"], ["b", "c"]),
        (["{y}", "else: {y}", "else: d"], ["d"]), (["open {x"], ["open {x"]), (["else: never"], []),
        (["{x}{x} }"], ["11 }"]), (["NAME@{1} {x}"], ["NAME@{1} 1"]),
    ])
    func placeholders(lines: [String], filled: [String]) {
        #expect(Topics.filled(lines) { $0 == "x" ? "1" : nil } == filled)
    }

    /// Every text has a name, and no name finds two.
    @Test func namesAreUnique() {
        for topics in [Topics.things, Topics.commands] {
            #expect(topics.allNames.count > 20 && Set(topics.allNames).count == topics.allNames.count)
        }
    }
}
