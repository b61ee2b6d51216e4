import ShellLanguage
import Testing

@testable import Shell

@Suite("what stands at the verbs themselves") struct VerbFactsTests {
    private func verbs(_ isSo: (any Verb.Type) -> Bool) -> Set<String> {
        Set(CommandTable.shared.verbs.filter(isSo).map { $0.verb })
    }

    @Test func eachFactIsOfTheVerbsItIsMeantFor() {
        #expect(verbs { $0.holdsContainerCommand } == ["run", "create", "exec", "debug"])
        #expect(verbs { $0.hasVariablesOfItsOwn } == ["build", "enter"])
        #expect(verbs { $0.writesItsOwnEntries } == ["undo", "redo", "goto"])
        #expect(verbs { !$0.isRecorded } == ["quit", "record", "lesson", "explain", "test", "watch", "dap", "tall"])
        #expect(verbs { $0.isReserved } == ["alias", "quit"])
        #expect(verbs { $0.holdsCommand } == ["trace", "time", "watch", "expect"])
        #expect(verbs { $0.takesNumberBeforeCommand } == ["watch"])
        #expect(verbs { $0.asksOnlyTheProgram } == ["help", "version", "completions", "manual", "tall"])
        #expect(
            verbs { $0.takesWorkingImageAsTyped } == ["recipe", "enter", "trace", "time", "watch", "expect", "explain"])
        #expect(verbs { $0.takesWorkingPlaces } == ["cp"])
        #expect(verbs { $0.isAboutLines } == ["help", "explain", "lesson", "tall"])
        #expect(verbs { $0.takesFurtherLines } == ["enter"])
        #expect(verbs { $0.plainPaths == .ofHost } == ["cp"])
        #expect(verbs { $0.plainPaths == .ofPlace } == ["cd"])
        #expect(verbs { !$0.filters.isEmpty } == ["ps", "images", "search", "prune", "events"])
        #expect(
            VolumeCommand.subcommands.filter { !$0.filters.isEmpty }.map { $0.verb } == ["volume ls", "volume prune"])
    }

    /// Docker's own spellings of what shale has (`docker image --help` and the like).
    @Test func dockersManagementCommandsAreNamesOfVerbs() {
        let nouns = CommandTable.shared.spelling.nouns
        #expect(Set(nouns.keys) == ["image", "container", "system", "builder", "buildx"])
        #expect(nouns["image"]?["ls"] == ["images"])
        #expect(nouns["system"]?["prune"] == ["prune", "all"])
        #expect(nouns["container"]?["prune"] == ["prune", "containers"])
        let names = CommandTable.shared.verbs.flatMap { $0.managementNames.map { "\($0.noun) \($0.verb)" } }
        #expect(names.count == Set(names).count, "a name of two verbs")
        #expect(!names.contains { $0.hasSuffix(" ") }, "a name of one word")
    }

    @Test func anAliasOfAVerbHasItsFacts() {
        for name in CommandTable.shared.words {
            guard let type = CommandTable.shared.find(name) else { continue }
            #expect(CommandTable.keepsUnknownVariables(name) == type.holdsContainerCommand, "\(name)")
            let isOwn = type.holdsContainerCommand || type.hasVariablesOfItsOwn
            #expect(CommandTable.keepsVariablesOfDocument(name) == isOwn, "\(name)")
        }
        #expect(!CommandTable.keepsUnknownVariables("nosuch"))
    }

    /// A command after an image or a container takes the rest of the line, so nothing may follow it.
    @Test func aProgramIsTheLastOperand() {
        for type in CommandTable.shared.verbs {
            #expect(!type.operandKinds.dropLast().contains(.program), "\(type.verb)")
            #expect(type.holdsContainerCommand == type.operandKinds.contains(.program), "\(type.verb)")
        }
    }
}
