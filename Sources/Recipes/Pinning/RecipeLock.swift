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
        /// The line in the pinned Dockerfile, from 1.
        var line: Int
        var instruction: String
        var packages: [PinnedCommand.Locked]
        var files: [PinnedCommand.File]
    }

    var bases: [Base] = []
    var steps: [Step] = []

    /// The lock as a text of lines: `from NAME REFERENCE`, `line N INSTRUCTION`, and below a line `MANAGER NAME VERSION
    /// ARCHITECTURE named|beside` and `file CHECKSUM PATH ADDRESS`.
    ///
    /// The same steps give the same text.
    package var text: String {
        var lines = ["# What each line of the recipe brought in, as its layers have it."]
        lines += bases.map { "from \($0.name.visible) \($0.pinned.visible)" }
        for step in steps {
            let first = step.instruction.split(separator: "\n").first.map(String.init) ?? ""
            lines.append("line \(step.line) \(first.visible)")
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
}
