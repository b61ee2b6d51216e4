package import ArgumentParser
package import Basics
import Explorer
import OCI
import Rendering

/// `du PLACE`: how much the files below each directory hold.
package struct Du: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "du", abstract: "Show how much the files below each directory hold",
        usage: "du [-d N] [-s] [-b] PLACE...")
    package static let operandKinds: [ValueKind] = [.place]
    package static let isWorthKeeping = false
    package static let examples = ["du -d 1 ubuntu:22.04", "du -s app:1#3:/usr", "du web:/etc"]
    package static let differences = ["Docker has no such command. Bytes of files are counted, not blocks of a disk."]

    @Option(name: [.customShort("d"), .customLong("max-depth")], help: "Levels below the place.") var depth: Int?
    @Flag(name: .short, help: "The place alone, as -d 0.") var sum = false
    @Flag(name: .short, help: "Plain bytes.") var bytes = false
    @Flag(name: .customShort("h"), help: "For people, as it does anyway.") var human = false
    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "IMAGE:/path, IMAGE#N:/path or CONTAINER:/path.") var places: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let limit = sum ? 0 : depth ?? Int.max
        var lines: [String] = []
        var rows = Rows([.init(key: "size", header: "SIZE"), .init(key: "path", header: "PATH")])
        for (place, view) in try PlaceWords(shell, remote).views(places) {
            for usage in try DiskUsage.measure(view, from: place.path, shell.cancellation) where usage.depth <= limit {
                lines.append("\(bytes ? String(usage.bytes) : HumanUnits.size(usage.bytes))\t\(usage.path.visible)")
                rows.add(
                    [String(usage.bytes), usage.path],
                    .members(["path": .string(usage.path), "size": .integer(usage.bytes)]))
            }
        }
        return format == nil ? .paged(lines) : rows.outcome(format: format, width: shell.console.width)
    }
}
