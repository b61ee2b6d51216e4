package import ArgumentParser
package import Basics
import Explorer
import Images
import LineEditing
import OCI
import Recipes
import Sessions

/// `history IMAGE|CONTAINER`: how it came to be; `history` alone: what was typed.
package struct HistoryCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the history of an image or container; without one, what was typed",
        usage: "history [OPTIONS] [IMAGE|CONTAINER]")
    package static let operandKinds: [ValueKind] = [.object]
    package static let managementNames: [ManagementName] = ["image history"]
    package static let formatFields = [
        "ID", "CreatedSince", "CreatedAt", "CreatedBy", "Size", "Comment",
    ]
    package static let examples = ["history ubuntu:22.04", "history --layers ubuntu:22.04", "history --remote alpine"]
    package static let differences = [
        "--layers adds each layer's number, digests, sizes and counts of files",
        "Of a container, what it changed itself comes first.",
    ]
    package static let isWorthKeeping = false

    @Flag(name: [.customShort("H"), .customLong("human")], inversion: .prefixedNo, help: "Sizes and dates in words")
    var human = true
    @Flag(help: "Don't truncate")
    var noTrunc = false
    @Flag(name: .shortAndLong, help: "Only show image ids")
    var quiet = false
    @Flag(help: "Add layer number, diff ID, blob, packed and unpacked size, files")
    var layers = false
    @Option(help: "table, json, or a Go template")
    var format: String?
    @Flag(help: "Look at the image in its registry; no layer is fetched")
    var remote = false
    @Option(help: "The platform of an image of several, here or with --remote")
    var platform: String?
    @Argument(help: "An image or a container; none for what was typed")
    var name: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let name else {
            // Without a prompt the lines are those of the session's journal.
            var typed = shell.history?.entries
            if typed == nil { typed = try shell.session().entries.map(\.line) }
            return .lines(
                (typed ?? []).enumerated().map { number, line in
                    let digits = String(number + 1)
                    return String(repeating: " ", count: max(0, 5 - digits.count)) + "\(digits)  \(line.visible)"
                })
        }
        let images = try shell.images()
        let platform = try Platform.option(platform)
        var rows: [HistoryRow]
        if remote {
            let thing = try PlaceWords(shell).thing(name, for: "history --remote")
            if thing.layer != nil { throw PlaceWords.oneLayer(thing, "history --remote") }
            let reference = try Reference(parsing: thing.subject)
            rows = try shell.withOperation { operation throws(ShaleError) in
                images.history(of: try images.remoteImage(reference, platform: platform, keeping: true, operation))
            }
        } else {
            let stack = try whole(name, platform, shell)
            rows = try images.history(of: stack.image, countingFiles: layers)
            if let own = stack.own { rows.insert(try own.historyRow(number: stack.count), at: 0) }
        }
        let table = ImageHistory(isHuman: human, noTrunc: noTrunc, showsLayers: layers)
        return .listing(table.listing(rows), format: format, quiet: quiet)
    }

    /// The host's shell has `history 3` for the last lines.
    private func whole(_ name: String, _ platform: Platform?, _ shell: ShellContext) throws(ShaleError) -> ImageLayers {
        do throws(ShaleError) {
            return try PlaceWords(shell, platform: platform).whole(name, for: "history")
        } catch {
            guard name.utf8.allSatisfy({ (48...57).contains($0) }) else { throw error }
            var error = error
            error.hint = "history | tail -n \(name)   (the last lines that were typed)"
            throw error
        }
    }
}
