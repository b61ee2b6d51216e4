package import ArgumentParser
package import Basics
import Glibc
import Linux
import Rendering

/// `record`: keeps what is typed, as a script, an asciicast or a handout.
package struct Record: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "record", abstract: "Write what is typed into a file that replays",
        usage: """
            record FILE [--output] [--append|-f]
            record --cast FILE
            record --md FILE
            record --html FILE
            record off
            """)
    package static let operandKinds: [ValueKind] = [.hostPath]
    package static let isRecorded = false
    package static let isWorthKeeping = false
    package static let examples = ["record chapter.shale --output", "record --html lesson.html", "record off"]
    package static let differences = [
        "Docker has no such command.", "Without --output a line that failed is kept as a comment.",
        "Secrets are masked as in the journal, and lines that begin with a space are left out.",
    ]

    @Argument(help: "The file, or off; what is recorded now without one.") var file: String?
    @Flag(help: "Keep what each line shows, as comments that replay --check compares.") var output = false
    @Flag(help: "Write an asciicast (version 2), which asciinema plays.") var cast = false
    @Flag(name: .customLong("md"), help: "Write a handout in Markdown.") var handout = false
    @Flag(help: "Write a page that a browser shows step by step, with the layers.") var html = false
    @Flag(help: "Write behind what the file has.") var append = false
    @Flag(name: .shortAndLong, help: "Overwrite the file.") var force = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let file else {
            guard !output, !cast, !handout, !html, !append, !force else {
                throw ShaleError(.usage, "record: no file to write to", hint: "record FILE")
            }
            guard let recorder = shell.recorder else { return .line("nothing is being recorded") }
            return .line("recording to \(recorder.path.visible): \(Self.count(recorder)) so far")
        }
        if file == "off" {
            guard let recorder = shell.endRecording() else {
                throw ShaleError(.conflict, "nothing is being recorded", hint: "record FILE")
            }
            return .line("recorded \(Self.count(recorder)) to \(recorder.path.visible)")
        }
        guard shell.mode != .single else {
            throw ShaleError(
                .usage, "record works at the prompt and in a script: this command alone would be all of it",
                hint: "shale -c 'record FILE; …'")
        }
        if let recorder = shell.recorder {
            throw ShaleError(
                .conflict, "already recording to \(recorder.path.visible)", hint: "record off")
        }
        guard [output, cast, handout, html].count(where: { $0 }) <= 1 else {
            throw ShaleError(.usage, "record: one of --output, --cast, --md and --html")
        }
        guard !append || !force else { throw ShaleError(.usage, "record: --append or -f, not both") }
        shell.recorder = Recorder(try recording(file, shell), path: file, shell)
        if shell.isInteractive { shell.console.note("recording to \(file.visible); record off ends it") }
        return .done
    }

    private func recording(_ path: String, _ shell: ShellContext) throws(ShaleError) -> any Recording {
        if html, append { try Self.requirePage(path) }
        let file = try RecordingFile(path, existing: append ? .append : force ? .replace : .refuse)
        let session = shell.options.session
        if cast {
            let console = shell.console
            return CastRecording(file, session: session, environment: console.environment) { console.size(.output) }
        }
        if html { return PageRecording(file, session: session) }
        if handout { return HandoutRecording(file, session: session) }
        return ScriptRecording(file, keepsOutput: output, session: session)
    }

    /// Throws `conflict` for a file that is there and no page: steps behind it would be lost in it.
    private static func requirePage(_ path: String) throws(ShaleError) {
        guard let file = try? OwnedFD.open(path, O_RDONLY | O_NONBLOCK),
            (try? FileStatus.of(file).size) ?? 0 > 0
        else { return }
        var start = [UInt8](repeating: 0, count: PageRecording.beginning.utf8.count)
        let count = start.withUnsafeMutableBytes { (try? file.read(into: $0)) ?? 0 }
        guard count == start.count, start == Array(PageRecording.beginning.utf8) else {
            throw ShaleError(
                .conflict, "\(path.visible) is no page that record --html wrote",
                hint: "record --html -f \(path.visible)")
        }
    }

    private static func count(_ recorder: Recorder) -> String {
        "\(recorder.lines) line\(recorder.lines == 1 ? "" : "s")"
    }
}
