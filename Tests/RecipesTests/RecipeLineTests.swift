import Testing

@testable import Recipes

struct RecipeLineTests {
    @Test func whichModifiersAreNewer() {
        for text in ["${B-x}", "${A%.txt}", "${A#b}", "${A/b/q}", "${A:?x}", "$A ${B} ${C+x}"] {
            #expect(RecipeMaker.hasNewerModifier("ENV C=\(text)"), "\(text)")
        }
        for text in ["$B-x", "${A}", "${A:-b}", "${A:+b}", "{A%b}"] {
            #expect(!RecipeMaker.hasNewerModifier("ENV C=\(text)"), "\(text)")
        }
    }

    @Test func commentsHoldNoLineOfTheirOwn() {
        let line = Recipe.Line.comment("a\r\nRUN x\u{10ffff}")
        #expect(line.text == "# a\\r\n# RUN x\\xff")
        #expect(line.height == 2)
    }
}
