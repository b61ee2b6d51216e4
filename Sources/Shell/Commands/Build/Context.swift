package import ArgumentParser
package import Basics
import Building
import Dockerfiles
import Glibc
import Linux
import Rendering

/// `context`: what a build of a directory would see.
package struct Context: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "context", abstract: "List what the build context holds after .dockerignore")
    package static let operandKinds: [ValueKind] = [.hostDirectory]
    package static let isWorthKeeping = false
    package static let examples = ["context .", "context -a .", "context --top 10 --format json src"]
    package static let differences = ["Docker has no such command."]

    @Argument(help: "The directory.") var directory = "."
    @Flag(
        name: [.customShort("a"), .customLong("all")], help: "List ignored paths too, with the line that ignores them.")
    var showsIgnored = false
    @Option(help: "Print the N largest files alone, the largest first.") var top: Int?
    @Option(name: [.customShort("f"), .customLong("file")], help: "The Dockerfile, whose own ignore file counts.")
    var file: String?
    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let top, top < 1 { throw ShaleError(.usage, "context: --top takes a number above zero") }
        let dockerfile = file.map { $0.hasPrefix("/") ? $0 : "\(directory)/\($0)" } ?? "\(directory)/Dockerfile"
        if file != nil, (try? FileStatus.of(hostPath: dockerfile, followingLink: true)) == nil {
            throw ShaleError(.notFound, "context: \(dockerfile.visible)", cause: SystemCallError.words(of: ENOENT))
        }
        let context = try BuildContext(directory: directory, dockerfile: dockerfile)
        var rows: [(path: String, size: Int64, match: IgnoreMatch?)] = []
        var sent = Sent()
        try context.walkAll { path, status, _ in
            let match = context.ignoring(path)
            let isFile = status.kind == .regular
            if match == nil { sent.add(isFile ? status.size : nil) }
            guard match == nil || showsIgnored, top == nil || isFile else { return }
            rows.append((path, status.size, match))
        }
        if let top { rows = Array(rows.sorted { ($1.size, $0.path) < ($0.size, $1.path) }.prefix(top)) }
        var listing = Listing(
            columns: [
                .init("path", "PATH"), .init("size", "SIZE"), .init("ignoredBy", "IGNORED BY", isShown: showsIgnored),
            ],
            quietKey: "path")
        let isJSON = format == "json"
        listing.rows = rows.map { path, bytes, match in
            let size: JSONDocument = isJSON ? .integer(bytes) : .string(HumanUnits.size(bytes))
            let by: JSONDocument = match.map { .string("\($0.line): \($0.pattern)") } ?? (isJSON ? .null : .string(""))
            return .members(["path": .string(path), "size": size, "ignoredBy": by])
        }
        if format == nil { shell.console.note(try sent.summary(context.transferSize())) }
        return .listing(listing, format: format)
    }
}

/// How much of a context counts.
private struct Sent {
    private var files = 0
    private var bytes: Int64 = 0

    /// Counts an entry, a file with its size.
    mutating func add(_ size: Int64?) {
        guard let size else { return }
        files += 1
        bytes = bytes.addingClamped(size)
    }

    func summary(_ transfer: Int64) -> String {
        "\(files) file\(files == 1 ? "" : "s") of \(HumanUnits.size(bytes)); docker would send "
            + HumanUnits.preciseSize(transfer)
    }
}
