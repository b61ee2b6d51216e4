import Basics
import Testing

@Suite("ids as they are shown") struct IdentifierTests {
    private static let id = String(repeating: "0123456789abcdef", count: 4)

    @Test(
        "in a text only what has 64 digits is shortened",
        arguments: [
            ("wait for /h/containers/\(id)/lock", "wait for /h/containers/0123456789ab/lock"),
            ("\(id)", "0123456789ab"), ("sha256:\(id) sha256:\(id)", "sha256:0123456789ab sha256:0123456789ab"),
            ("\(id)0", "\(id)0"), ("\(id.dropLast())", "\(id.dropLast())"), ("", ""), ("é\(id)é", "é0123456789abé"),
        ])
    func shortened(_ text: String, _ expected: String) {
        #expect(Identifier.shortened(in: text) == expected)
    }

    @Test func onlySixtyFourLowercaseDigitsAreWhole() {
        #expect(Identifier.isWhole(Self.id))
        for text in ["", "\(Self.id)0", "\(Self.id.dropLast())", Self.id.uppercased(), "sha256:\(Self.id)"] {
            #expect(!Identifier.isWhole(text), "\(text)")
        }
    }
}
