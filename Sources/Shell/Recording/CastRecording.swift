import Basics
import Glibc
import Linux
import Rendering
import Synchronization

/// An asciicast of version 2, which asciinema plays: a header, then one event a line, `[seconds, "o", text]`.
///
/// The prompt and the typed lines are written as the terminal showed them; results come as they were shown.
final class CastRecording: Recording {
    private struct State {
        /// Bytes of a character that is not complete yet.
        var pending: [UInt8] = []
        var lastByte: UInt8 = 0
        var size: (columns: Int, rows: Int)
    }

    private let file: RecordingFile
    /// The moment, in seconds, that its times are counted from; earlier than now when an earlier recording is
    /// continued.
    private let started: Double
    private let state: Mutex<State>
    private let prompt: String
    private let currentSize: @Sendable () -> (columns: Int, rows: Int)?

    /// `size` returns the size of the terminal now; `nil` when there is none.
    init(
        _ file: RecordingFile, session: String, environment: [String: String],
        size currentSize: @escaping @Sendable () -> (columns: Int, rows: Int)?
    ) {
        self.file = file
        self.currentSize = currentSize
        let size = currentSize() ?? (columns: 80, rows: 24)
        state = Mutex(State(size: size))
        started = ProgressView.monotonicSeconds() - (file.wasThere ? Self.lastTime(in: file.path) : 0)
        prompt = session == "default" ? "shale> " : "(\(session)) shale> "
        if !file.wasThere {
            let header = JSONDocument.object([
                .init("version", 2), .init("width", .integer(Int64(size.columns))),
                .init("height", .integer(Int64(size.rows))), .init("timestamp", .integer(Timestamp.now().seconds)),
                .init("title", .string("shale session \(session)")),
                .init(
                    "env",
                    .object([
                        .init("SHELL", .string(environment["SHELL"] ?? "/bin/sh")),
                        .init("TERM", .string(environment["TERM"] ?? "xterm-256color")),
                    ])),
            ])
            file.write(header.text() + "\n")
        } else {
            event("r", "\(size.columns)x\(size.rows)")
        }
    }

    var wantsOutput: Bool { true }

    func began(_ text: String) {
        noteSize()
        event("o", prompt)
        event("i", text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r") + "\r")
        event("o", text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n") + "\r\n")
    }

    func showed(_ bytes: [UInt8], on stream: Console.Stream) {
        noteSize()
        let text = state.withLock { state -> String in
            var shown = state.pending
            for byte in bytes {
                // A terminal would add the carriage return before the newline.
                if byte == UInt8(ascii: "\n"), state.lastByte != UInt8(ascii: "\r") { shown.append(UInt8(ascii: "\r")) }
                shown.append(byte)
                state.lastByte = byte
            }
            let whole = shown.count - Self.unfinished(shown)
            state.pending = Array(shown[whole...])
            return String(decoding: shown[..<whole], as: UTF8.self)
        }
        if !text.isEmpty { event("o", text) }
    }

    func ended(_ line: RecordedLine) {}

    func finished(_ shell: ShellContext) { event("o", prompt + "\r\n") }

    /// Another size of the terminal is an event of its own, `r`, before what is shown in it.
    private func noteSize() {
        guard let size = currentSize() else { return }
        let isOther = state.withLock { state in
            defer { state.size = size }
            return state.size != size
        }
        if isOther { event("r", "\(size.columns)x\(size.rows)") }
    }

    /// The time of a recording's last event, in seconds.
    private static func lastTime(in path: String) -> Double {
        guard let bytes = try? WholeFile.read(path, limit: 1 << 30),
            let line = bytes.split(separator: UInt8(ascii: "\n")).last, line.first == UInt8(ascii: "[")
        else { return 0 }
        let time = String(decoding: line.dropFirst().prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self)
        guard let seconds = Double(time), seconds.isFinite, seconds >= 0, seconds < 1e9 else { return 0 }
        return seconds
    }

    private func event(_ kind: String, _ text: String) {
        let elapsed = ProgressView.monotonicSeconds() - started
        let microseconds = Int64((elapsed * 1e6).rounded())
        let fraction = String(microseconds % 1_000_000)
        let time = "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
        file.write("[\(time), \"\(kind)\", \(JSONDocument.string(text).text())]\n")
    }

    /// How many bytes at the end begin a character of UTF-8 that is not whole.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...min(3, max(1, bytes.count)) where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }
}
