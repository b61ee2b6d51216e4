import Basics
import Explorer
import Layers
import Linux
import OCI
import Rendering

/// A page that a browser shows step by step: what was typed, what it printed, the layers and the files it changed.
///
/// The page's frame is written first, and each step behind it as JSON in an element of its own, so that a recording that
/// is cut off is a page up to there. It fetches nothing.
final class PageRecording: Recording {
    private let file: RecordingFile

    /// What such a page begins with.
    static let beginning = "<!DOCTYPE html>"
    /// Lines and characters of a step's output that the page keeps; the rest is counted.
    static let mostLines = 2000
    static let mostCharacters = 200_000

    init(_ file: RecordingFile, session: String) {
        self.file = file
        guard !file.wasThere else { return }
        let title = session == "default" ? "A session with shale" : session
        file.write(
            PageTemplate(frame: PackageResources.session_html, parts: Self.parts).page([
                "title": PageTemplate.escaped(title.visible),
                "about": PageTemplate.escaped("recorded by shale \(Version.current), \(Self.moment(.now()))"),
            ]))
    }

    /// `2026-11-30 12:24 UTC`.
    private static func moment(_ time: Timestamp) -> String {
        let text = time.description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
    }

    private static var parts: [String: [UInt8]] {
        ["session.css": PackageResources.session_css, "session.js": PackageResources.session_js]
    }

    var wantsOutput: Bool { true }
    var keepsErrors: Bool { true }
    var wantsStacks: Bool { true }

    func began(_ text: String) {}

    func showed(_ bytes: [UInt8], on stream: Console.Stream) {}

    func ended(_ line: RecordedLine) {
        let step = PageTemplate.inScript(Self.document(line).text())
        file.write("<script type=\"application/json\" class=\"step\">\(step)</script>\n")
    }

    func finished(_ shell: ShellContext) {}

    private static func document(_ line: RecordedLine) -> JSONDocument {
        let lines = ShownText.lines(line.output)
        var kept: [JSONDocument] = []
        var room = mostCharacters
        for line in lines.prefix(mostLines) {
            room -= line.utf8.count
            guard room >= 0 else { break }
            kept.append(.string(line))
        }
        let changes = line.stack?.changes ?? []
        let total = line.stack?.changeCount ?? 0
        return .members([
            "line": .string(line.text.visibleLines), "status": .integer(Int64(line.status)),
            "seconds": .number((line.seconds * 1000).rounded() / 1000), "output": .array(kept),
            "cut": .integer(Int64(lines.count - kept.count)), "stack": line.stack.map(document) ?? .null,
            "files": .array(changes.map(document)), "more": .integer(Int64(total - changes.count)),
        ])
    }

    private static func document(_ stack: StackHistory.Stack) -> JSONDocument {
        .members(["subject": .string(stack.title.visible), "layers": .array(stack.layers.map(document))])
    }

    private static func document(_ layer: StackHistory.Layer) -> JSONDocument {
        let counts = layer.count.map { count in
            JSONDocument.array([count.added, count.changed, count.deleted].map { .integer(Int64($0)) })
        }
        return .members([
            "key": .string(layer.key), "instruction": .string(layer.instruction.visibleLines),
            "size": .integer(layer.bytes), "counts": counts ?? .null, "container": .bool(layer.isContainer),
        ])
    }

    private static func document(_ change: LayerChange) -> JSONDocument {
        .array([
            .string(change.kind.rawValue), .string(change.path.visible), .integer(change.entry?.size ?? 0),
        ])
    }
}
