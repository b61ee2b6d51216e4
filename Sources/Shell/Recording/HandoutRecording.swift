import Basics
import OCI
import Rendering
import Sessions
import Synchronization

/// A handout in Markdown: each line and what it showed in a fenced console block, and a drawing of the layers at the
/// end.
final class HandoutRecording: Recording {
    private let file: RecordingFile

    init(_ file: RecordingFile, session: String) {
        self.file = file
        if !file.wasThere { file.write("# \(session == "default" ? "A session with shale" : session)\n\n") }
    }

    var wantsOutput: Bool { true }
    var keepsErrors: Bool { true }

    func began(_ text: String) {}

    func showed(_ bytes: [UInt8], on stream: Console.Stream) {}

    func ended(_ line: RecordedLine) {
        block("console", ["$ \(line.text)"] + ShownText.lines(line.output))
    }

    func finished(_ shell: ShellContext) {
        guard let drawing = try? LayerDrawing(shell).lines(), !drawing.isEmpty else { return }
        file.write("The layers of the working image:\n\n")
        block("text", drawing)
    }

    /// The fence is longer than any in the text.
    private func block(_ kind: String, _ lines: [String]) {
        var fence = "```"
        while lines.contains(where: { $0.contains(fence) }) { fence += "`" }
        file.write("\(fence)\(kind)\n\(lines.map { $0 + "\n" }.joined())\(fence)\n\n")
    }
}

/// The layers of the working image as `layers --draw` draws them.
private struct LayerDrawing {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    func lines() throws(ShaleError) -> [String] {
        guard shell.hasOpenSession, try shell.session().working?.image != nil else { return [] }
        return try LayersCommand.drawing(of: "@", width: 80, shell)
    }
}
