import Basics
import OCI
import Testing

@testable import Recipes

struct NumberedRecipeTests {
    private let recipe = NumberedRecipe(
        Recipe(lines: [
            .instruction("FROM busybox"), .comment("why"), .instruction("RUN a \\\n    && b"), .instruction("RUN c"),
        ]))

    @Test(arguments: [(1, 0), (3, 2), (4, 2), (5, 3)])
    func aLineBelongsToItsInstruction(_ line: Int, _ index: Int) throws {
        #expect(try recipe.instruction(atLine: line) == index)
    }

    @Test(arguments: [(0, ShaleError.Code.notFound), (6, .notFound), (.max, .notFound), (2, .invalid)])
    func otherLinesAreRefused(_ line: Int, _ code: ShaleError.Code) {
        #expect { try recipe.instruction(atLine: line) } throws: { ($0 as? ShaleError)?.code == code }
    }

    @Test func linesKeepTheirNumbersWhenOthersAreLeftOut() {
        #expect(recipe.without([2]) == "FROM busybox\n# why\n#\n#\nRUN c\n")
        #expect(recipe.lines(of: 2) == 3...4)
    }
}

struct RecipeVariantTests {
    private func variant(_ lines: [String]) -> RecipeVariant {
        RecipeVariant(
            numbered: NumberedRecipe(
                Recipe(lines: lines.map { $0.hasPrefix("#") ? .comment(String($0.dropFirst(2))) : .instruction($0) })))
    }

    @Test func linesThatAreLeftOutTakeTheirFilesWithThem() {
        var recipe = Recipe(lines: [
            .instruction("FROM busybox"), .instruction("COPY one /one"), .instruction("COPY two /two"),
        ])
        let image = Digest.of("image".utf8)
        recipe.attachments = ["one", "two"].map { name in
            .init(path: name, content: .file(image: image, path: "/", mode: 0o644))
        }
        var variant = RecipeVariant(numbered: NumberedRecipe(recipe))
        variant.edits = RecipeProposal.dropping([1]).edits
        #expect(variant.text == "FROM busybox\n#\nCOPY two /two\n")
        #expect(variant.result.dockerfile == "FROM busybox\nCOPY two /two\n")
        #expect(variant.result.attachments.map(\.path) == ["two"])
    }

    @Test(arguments: [
        (["RUN a", "RUN b"], "RUN a && b"), (["RUN a; b", "# why", "RUN c"], "RUN ( a; b ) && c"),
        (["RUN a", "ENV B=c", "RUN b"], nil), (["RUN a", "RUN [\"b\"]"], nil), (["RUN a", "RUN b <<E\nx\nE"], nil),
        (["RUN echo x > /dev/shm/x", "RUN b"], nil),
    ])
    func runsAreJoined(_ lines: [String], _ expected: String?) {
        let variant = variant(lines)
        let proposal = RecipeProposal.joining(0, lines.count - 1, of: variant)
        #expect(proposal?.edits[lines.count - 1] == expected.map(Optional.some))
        #expect((proposal == nil) == (expected == nil))
    }

    @Test(arguments: [
        ("COPY a /a", "RUN --mount=type=bind,source=a,target=/a b"), ("COPY a b /c", nil), ("COPY a /a/", nil),
        ("COPY --from=x a /a", nil), ("COPY a a", nil), ("COPY a* /a", nil), ("COPY $A /a", nil), ("ADD a /a", nil),
    ])
    func aCopiedFileIsMounted(_ copy: String, _ expected: String?) {
        let proposal = RecipeProposal.mounting(0, 2, of: variant([copy, "RUN b", "RUN rm /a"]))
        #expect(proposal?.edits[1] == expected.map(Optional.some))
    }
}

struct SettingNameTests {
    @Test func namesStandForThemselvesWithoutValues() {
        var (old, new) = (ContainerConfig(), ContainerConfig())
        (old.env, new.env) = (["A=1", "B=secret"], ["A=2", "C=other"])
        (old.labels, new.labels) = ([:], ["x.y": "value"])
        (old.cmd, new.cmd) = (["sh"], ["bash"])
        (new.user, new.exposedPorts) = ("1000", ["80/tcp": .init()])
        #expect(
            SettingNames.changes(old, new) == [
                "~ Cmd", "~ Env A", "- Env B", "+ Env C", "+ ExposedPorts 80/tcp", "+ Labels x.y", "+ User",
            ])
    }
}
