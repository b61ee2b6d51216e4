package import ArgumentParser
package import Basics
import Recipes
import Rendering
import Sessions
import Stores

/// `system check`: whether the store is whole.
package struct System: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "system", abstract: "Check the store: every digest, every reference, every lock",
        usage: "system check [--repair] | system prune|df|info …")
    package static let isWorthKeeping = false
    package static let secondWords = [
        SecondWord("check", "whether the store is whole"), SecondWord("df", "disk usage, as df"),
        SecondWord("prune", "remove what nobody uses"), SecondWord("info", "where things are, as info"),
    ]
    package static let leasesWhatItUses = false
    package static let examples = ["system check", "system check --repair", "system df"]
    package static let differences = ["Docker has no such check."]

    @Argument(help: "check, or docker's df and info.") var what = "check"
    @Flag(help: "Mend what can be mended.") var repair = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard what == "check" else {
            throw ShaleError(.usage, "system: \(what.visible) is no part of it", hint: Self.hint(forSecondWord: what))
        }
        let findings = try shell.engine().home.check(repair: repair, shell.cancellation)
        if findings.isEmpty { return .line("the store is whole") }
        if repair, findings.contains(where: \.isRepaired) { shell.changes.append(.lost(.storeRepaired)) }
        let lines = findings.map { "\($0.what.visible)  (\($0.remedy.visible))" }
        let isWhole = findings.allSatisfy(\.isRepaired)
        if !isWhole, !repair { shell.console.note("hint: system check --repair") }
        return Outcome(.lines(lines), status: isWhole ? 0 : 1)
    }
}
