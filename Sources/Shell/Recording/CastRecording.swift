import Basics
import Glibc
import OCI
import Synchronization

/// An asciicast of version 2, which asciinema plays: a header, then one event a line, `[seconds, "o", text]`.
///
/// The prompt and the typed lines are written as the terminal showed them; results come as they were shown.
final class CastRecording: Recording {
    private struct State {
        /// Bytes of a character that is not whole yet.
        var pending: [UInt8] = []
        var lastByte: UInt8 = 0
    }

    private let file: RecordingFile
    private let started = ProgressView.monotonicSeconds()
    private let state = Mutex(State())
    private let prompt: String

    init(_ file: RecordingFile, size: (columns: Int, rows: Int), session: String, environment: [String: String]) {
        self.file = file
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
        }
    }

    var hears: Bool { true }

    func began(_ text: String) {
        event("o", prompt)
        event("i", text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r") + "\r")
        event("o", text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n") + "\r\n")
    }

    func showed(_ bytes: [UInt8], on stream: Console.Stream) {
        let text = state.withLock { state -> String in
            var shown = state.pending
            for byte in bytes {
                // The terminal would put the carriage return before it.
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

    func ended(_ text: String, status: Int32, output: String) {}

    func finished(_ shell: ShellContext) { event("o", prompt + "\r\n") }

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
