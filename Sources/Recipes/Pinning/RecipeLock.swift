import Basics
import Explorer

/// What a pinned recipe holds at which version: its bases, and for each line the packages and files that it brought.
package struct RecipeLock: Sendable {
    struct Base: Hashable {
        var name: String
        var pinned: String

        /// The base of a pinned `FROM`, whose name stands in the comment above it; `nil` for one that is not pinned.
        init?(_ instruction: String, comment: Recipe.Line?) {
            let words = instruction.split(separator: " ").dropFirst().filter { !$0.hasPrefix("--") }
            guard let pinned = words.first, pinned.contains("@sha256:"), case .comment(let name)? = comment else {
                return nil
            }
            self.name = name
            self.pinned = String(pinned)
        }
    }

    struct Step: Hashable {
        var instruction: String
        /// The pinned command, by which its line is found in a recipe that was changed further.
        var pinned: String
        var packages: [PinnedCommand.Locked]
        var files: [PinnedCommand.File]
    }

    var bases: [Base] = []
    var steps: [Step] = []

    /// The lock of a recipe as a text of lines: `from NAME REFERENCE`, `line N INSTRUCTION`, and below a line `MANAGER NAME VERSION
    /// ARCHITECTURE named|beside` and `file CHECKSUM PATH ADDRESS`.
    ///
    /// The same steps give the same text.
    package func text(of recipe: Recipe) -> String {
        let numbers = self.numbers(in: recipe)
        var lines = ["# What each line of the recipe brought in, as its layers have it."]
        lines += bases.map { "from \($0.name.visible) \($0.pinned.visible)" }
        for (step, number) in zip(steps, numbers) {
            let first = step.instruction.split(separator: "\n").first.map(String.init) ?? ""
            lines.append("line \(number.map(String.init) ?? "-") \(first.visible)")
            let packages = step.packages.sorted {
                ($0.isNamed ? 0 : 1, $0.package.manager.rawValue, $0.package.name, $0.package.path)
                    < ($1.isNamed ? 0 : 1, $1.package.manager.rawValue, $1.package.name, $1.package.path)
            }
            lines += packages.map { locked in
                let package = locked.package
                let parts = [
                    package.manager.rawValue, package.name, package.version,
                    package.architecture.isEmpty ? "-" : package.architecture, locked.isNamed ? "named" : "beside",
                ]
                return "  " + parts.map(\.visible).joined(separator: " ")
            }
            lines += step.files.map { "  file \($0.checksum) \($0.path.visible) \($0.address.visible)" }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The line of each step in a recipe, from 1; steps stand in it in their order.
    ///
    /// `nil` for one that was changed further.
    private func numbers(in recipe: Recipe) -> [Int?] {
        var index = 0
        var number = 1
        return steps.map { step in
            var ahead = (index: index, number: number)
            while ahead.index < recipe.lines.count {
                let line = recipe.lines[ahead.index]
                if line.keyword == "RUN", line.text.contains(step.pinned) {
                    (index, number) = ahead
                    return number
                }
                ahead = (ahead.index + 1, ahead.number + line.height)
            }
            return nil
        }
    }
}
