package import ArgumentParser
package import Basics
import Explorer
import OCI
import Rendering

/// `find PLACE`: the paths below a place that fit.
package struct Find: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Find files of an image, a layer or a container",
        usage: "find PLACE... [-name PATTERN] [-type f|d|l] [-size +1M] [-newer TIME|PATH]")
    package static let operandKinds: [ValueKind] = [.place]
    package static let isWorthKeeping = false
    package static let examples = [
        "find ubuntu:22.04:/etc -name '*.conf'", "find @ -size +1M", "find 'app:1#3' -type D",
    ]
    package static let differences = ["Docker has no such command. -type D are the deletions a layer makes."]

    @Option(name: .customLong("name", withSingleDash: true), help: "A pattern for the name.") var name: [String] = []
    @Option(name: .customLong("iname", withSingleDash: true), help: "The same, small or capital.") var iname: [String] =
        []
    @Option(name: .customLong("path", withSingleDash: true), help: "A pattern for the path.") var path: [String] = []
    @Option(name: .customLong("type", withSingleDash: true), help: "f d l p s c b; D what a layer deletes.")
    var type: String?
    @Option(
        name: .customLong("size", withSingleDash: true), parsing: .unconditionalSingleValue,
        help: "+N, -N or N, with c k M G.")
    var size: [String] = []
    @Option(name: .customLong("newer", withSingleDash: true), help: "Modified after a time, or after another path was.")
    var newer: String?
    @Option(name: .customLong("maxdepth", withSingleDash: true), help: "Levels below the place.") var maxdepth: Int?
    @Flag(name: .customLong("print", withSingleDash: true), help: "As it does anyway.") var print = false
    @Flag(name: .customShort("l"), help: "Long lines, as ls -l.") var long = false
    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "IMAGE:/path, IMAGE#N:/path or CONTAINER:/path.") var places: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var lines: [String] = []
        var entries: [ViewEntry] = []
        for (place, view) in try PlaceWords(shell, remote).views(places) {
            let found = try query(view).run(view, from: place.path, shell.cancellation)
            entries += found
            if long {
                let text = EntryText(view)
                lines += found.map { entry in
                    let fields = text.fields(entry, isHuman: false)
                    return fields.joined(separator: " ") + " " + EntryText.name(entry, as: entry.path)
                }
            } else {
                lines += found.map { ($0.kind == .whiteout ? "D " : "") + $0.path.visible }
            }
        }
        if format != nil { return EntryText.listing(entries).outcome(format: format, width: shell.console.width) }
        return .paged(lines)
    }

    private func query(_ view: PlaceView) throws(ShaleError) -> FindQuery {
        var query = FindQuery()
        query.patterns += name.map { .init($0) }
        query.patterns += iname.map { .init($0, ignoresCase: true) }
        query.patterns += path.map { .init($0, isWholePath: true) }
        if let type { query.types = try FindQuery.types(parsing: type) }
        for size in size { query.sizes.append(try .init(parsing: size)) }
        if let maxdepth {
            guard maxdepth >= 0 else { throw ShaleError(.usage, "find: -maxdepth is not negative") }
            query.maximumDepth = maxdepth
        }
        query.newer = try newer.map { text throws(ShaleError) in
            if let time = Timestamp(typedDate: text) { return time }
            if text.contains(":/"), let place = try? Place(parsing: text), place.label == view.label {
                return try view.require(place.path).modified
            }
            return try view.require(Place(parsing: view.label).resolving(text).path).modified
        }
        return query
    }
}
