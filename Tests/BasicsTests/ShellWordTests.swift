import Basics
import TestSupport
import Testing

@Suite("words as a shell reads them") struct ShellWordTests {
    static let texts = [
        "plain", "", "a b", "it's", "''", "$HOME", "`id`", "a\\b", "a\"b", "a\nb", "tab\t", "*", "[a]?", "{a,b}", "(x)",
        "a;b&c|d<e>f", "#x", "img#2", "@~1", "~", "~root", "!x", "a!b", "\u{E4} \u{1F600}", "-x", "--", "a=b",
    ]

    @Test("each spelling is read back by sh as the text", arguments: texts)
    func read(text: String) throws {
        for word in [text.shellQuoted, text.singleQuoted, text.shellEscaped] {
            let outcome = try Script.run("printf '%s|' \(word)", in: "/")
            #expect(outcome.text == text + "|", "\(word)")
        }
    }

    @Test(arguments: [
        ("a b", "a\\ b"), ("img#2", "img#2"), ("@~1", "@~1"), ("~/x", "~/x"), ("~x", "\\~x"), ("#x", "\\#x"),
        ("", "''"),
        ("it's", "it\\'s"), ("a\nb", "'a\nb'"),
    ])
    func escaped(text: String, word: String) {
        #expect(text.shellEscaped == word)
    }
}
