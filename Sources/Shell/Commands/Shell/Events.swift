package import ArgumentParser
package import Basics
import GoTemplates
package import Images
import OCI
import Recipes
import Rendering
import Stores

/// `events`: what happened in the home, and what happens now.
package struct Events: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened to images, containers and volumes, by any shale",
        usage: "events [OPTIONS]")
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false
    package static let managementNames: [ManagementName] = ["system events"]
    package static let filters = EventQuery.known
    package static let examples = [
        "events", "events --since 10m --until 0s", "events --since 1h --filter type=container --format json",
    ]
    package static let differences = [
        "The events of every shale on the home are kept, up to 16 MiB of them.",
        "Without --until it goes on at a terminal only; elsewhere it ends, or goes on with --follow.",
        "The words of exec are not in its events; values that are named like secrets are masked.",
    ]

    @Option(help: "What came after a time or within an age (10m)") var since: String?
    @Option(help: "Only what came before; without it, go on until Ctrl-C") var until: String?
    @Option(
        name: [.customShort("f", allowingJoined: true), .customLong("filter")],
        help: "type, event, container, image, volume, label, scope")
    var filter: [String] = []
    @Option(help: "json, or a Go template") var format: String?
    @Flag(help: "Go on where the output is no terminal, too") var follow = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var query = EventQuery()
        for text in filter { try query.add(text) }
        query.since = try since.map { text throws(ShaleError) in try Timestamp(typed: text) }
        query.until = try until.map { text throws(ShaleError) in try Timestamp(typed: text) }
        let format = try EventFormat(format)
        let console = shell.console
        if !follow, !console.isTerminal(.output), query.until == nil {
            query.until = .now()
            query.since = query.since ?? .epoch
        }
        let home = try shell.engine().home
        try home.events(query, shell.cancellation) { event throws(ShaleError) in
            console.line(try format.line(of: event))
            return !console.isOutputClosed
        }
        return shell.cancellation.isCancelled ? .status(Interrupt.status) : .done
    }
}

/// `--format` of `events`.
enum EventFormat {
    case line
    case json
    case template(Template)

    init(_ text: String?) throws(ShaleError) {
        switch text {
        case nil, "": self = .line
        // What Go prints of the whole message are the names of its JSON.
        case "json", "{{json .}}": self = .json
        case let text?:
            if text == "table" || text.hasPrefix("table ") {
                throw ShaleError(.usage, "events: --format table is not supported", hint: "events --format json")
            }
            self = .template(try Template(parsing: text, expandingEscapes: true))
        }
    }

    func line(of event: StoreEvent) throws(ShaleError) -> String {
        switch self {
        case .line: Self.text(of: event).visible
        case .json: event.document.text()
        case .template(let template):
            try template.text(of: Self.fields(of: event), missing: .noField(type: "*events.Message")).visibleLines
        }
    }

    /// Docker's line: the time with nine digits, what it is, and the attributes in their order.
    private static func text(of event: StoreEvent) -> String {
        let seconds = Timestamp(seconds: event.time.seconds).description.dropLast()
        let digits = String(event.time.nanoseconds)
        let fraction = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
        var text = "\(seconds).\(fraction)Z \(event.kind.rawValue) \(event.action) \(event.subject)"
        if !event.attributes.isEmpty {
            let pairs = event.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            text += " (\(pairs.joined(separator: ", ")))"
        }
        return text
    }

    /// The fields by Go's names; the last three are those of older clients.
    private static func fields(of event: StoreEvent) -> JSONDocument {
        let image = event.kind == .container ? event.attributes["image"] : nil
        return .members([
            "Type": .string(event.kind.rawValue), "Action": .string(event.action),
            "Actor": .members([
                "ID": .string(event.subject), "Attributes": EventLine.document(of: event.attributes),
            ]),
            "Scope": "local", "Time": .integer(event.time.seconds),
            "TimeNano": .integer(event.time.wholeNanoseconds(since: .epoch)),
            "Status": .string(event.action), "ID": .string(event.subject), "From": .string(image ?? ""),
        ])
    }
}
