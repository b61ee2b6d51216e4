package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `reflog`: every value a name had in this session.
package struct Reflog: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "reflog", abstract: "List every image a name meant in this session")
    package static let operandKinds: [ValueKind] = [.image]
    package static let isWorthKeeping = false
    package static let examples = ["reflog", "reflog hello-docker", "run --rm hello-docker@{1}"]
    package static let differences = [
        "Docker forgets what a tag meant before.", "NAME@{N} is the image a name led to N changes ago.",
    ]

    @Argument(help: "A name; all without one.") var name: String?
    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let wanted = try name.map { text throws(ShaleError) in try Reference(parsing: text).withDefaultTag }
        let session = try shell.session()
        try session.refresh()
        var listing = Listing(
            columns: [
                .init("Ref", "REF"), .init("After", "IMAGE ID"), .init("Before", "BEFORE"), .init("When", "WHEN"),
                .init("State", "STATE"), .init("Line", "LINE", shrinks: true),
            ],
            quietKey: "After")
        var counts: [Reference: Int] = [:]
        let now = Timestamp.now()
        for value in session.nameValues().reversed() {
            if let wanted, value.reference != wanted { continue }
            let back = counts[value.reference, default: 0]
            counts[value.reference] = back + 1
            listing.rows.append(
                .members([
                    "Ref": .string("\(value.reference.familiar)@{\(back)}"), "Name": .string(value.reference.familiar),
                    "Before": .string(value.before?.image?.short ?? "none"),
                    "After": .string(value.after?.image?.short ?? "none"), "State": .string(String(value.entry)),
                    "When": .string(HumanUnits.duration(seconds: now.seconds(since: value.time)) + " ago"),
                    "Line": .string(value.line.split(separator: "\n").first.map(String.init) ?? ""),
                ]))
        }
        if let wanted, listing.rows.isEmpty {
            let isThere = try shell.images().entry(named: wanted) != nil
            throw ShaleError(
                .notFound,
                isThere
                    ? "\(wanted.familiar) has not changed in this session"
                    : "no name \(wanted.familiar) in this session", hint: "reflog")
        }
        return .listing(listing, format: format)
    }
}
