import FoundationEssentials
import TestSupport
import Testing

/// How shale is licensed, as the program says it.
@Suite("the licence", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct LicenceTests {
    private static let file = Corpus.packageRoot + "/Sources/Shell/Commands/Shell/Resources/Apache-2.0.txt"

    @Test(
        "version --license prints the whole text",
        arguments: [["version", "--license"], ["-c", "version --license"]])
    func wholeText(words: [String]) throws {
        let text = String(decoding: try Data(contentsOf: URL(filePath: Self.file)), as: UTF8.self)
        #expect(try ShaleHome().run(words).text == text)
        #expect(text.contains("Apache License\n                           Version 2.0, January 2004"))
        #expect(text.contains("END OF TERMS AND CONDITIONS"))
    }

    @Test func aFormatOfTheLicenceIsRefused() throws {
        let outcome = try ShaleHome().run(["version", "--license", "--format", "json"], expecting: nil)
        #expect(outcome.status != 0)
        #expect(outcome.errors.contains("mutually exclusive"))
    }
}
