import Basics
import Glibc
import OCI
import Rendering

/// A script that replays: each line as it was typed, with `--output` what it showed behind `#> `.
///
/// Without output a line that failed is kept as a comment, since a script stops at a failure; with output it stands as
/// it was, with its status behind `#? `, which `replay` expects.
final class ScriptRecording: Recording {
    private let file: RecordingFile
    private let keepsOutput: Bool

    /// What a recorded script begins with; `replay` takes such a file for a script, whatever its name.
    static let shebang = "#!/usr/bin/env shale"
    static let outputMark = "#>"
    static let statusMark = "#?"

    init(_ file: RecordingFile, keepsOutput: Bool, session: String) {
        self.file = file
        self.keepsOutput = keepsOutput
        let moment = "# recorded by shale \(Version.current) at \(Timestamp.now()) in the session \(session)\n"
        file.write((file.wasThere ? "" : Self.shebang + "\n") + moment)
    }

    var wantsOutput: Bool { keepsOutput }

    func began(_ text: String) {}

    func showed(_ bytes: [UInt8], on stream: Console.Stream) {}

    func ended(_ line: RecordedLine) {
        let (text, status) = (line.text, line.status)
        if !keepsOutput {
            if status == 0 { return file.write(text + "\n") }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "# \($0)\n" }
            return file.write("# exit status \(status):\n" + lines.joined())
        }
        var block = text + "\n"
        for shown in ShownText.lines(line.output) {
            block += "\(Self.outputMark)\(shown.isEmpty ? "" : " ")\(shown)\n"
        }
        if status != 0 { block += "\(Self.statusMark) \(status)\n" }
        file.write(block)
    }

    func finished(_ shell: ShellContext) {}
}

/// The lines of plain text that a terminal would show for some output.
enum ShownText {
    static func lines(_ output: String) -> [String] {
        // By scalars: a terminal's line ends are one character of Swift's.
        var lines = output.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(line)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// Without styles, and of what was written over on one line the last.
    private static func line(_ text: Substring.UnicodeScalarView) -> String {
        var scalars = String.UnicodeScalarView()
        var rest = text
        while rest.last == "\r" { rest.removeLast() }
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\u{1b}": skipSequence(&rest)
            case "\r": scalars.removeAll()
            default: scalars.append(scalar)
            }
        }
        return String(scalars).visible
    }

    /// ECMA-48: `ESC [`, parameters, a final byte from `@` to `~`; or `ESC` and one byte.
    private static func skipSequence(_ rest: inout Substring.UnicodeScalarView) {
        guard rest.popFirst() == "[" else { return }
        while let scalar = rest.popFirst(), !("@"..."~").contains(scalar) {}
    }
}
