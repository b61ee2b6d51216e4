import Basics
import Glibc
import Linux

/// The standard streams of `shale dap`: the protocol has the descriptors that shale was started with, and whatever
/// shale, its containers and host commands print becomes `output` events.
///
/// Descriptor 0 reads nothing meanwhile. Made by the main thread once.
final class AdapterStreams {
    let input: Int32
    let writer: AdapterWriter
    private let output: Int32
    private let errors: Int32
    private let pipes: [OutputPipe]
    /// A byte in it wakes the thread.
    private let wake: (reading: Int32, writing: Int32)
    private let thread: WorkerThread
    private let flushes: Condition<Flushes>
    private var isRestored = false

    private struct Flushes {
        var asked = 0
        var done = 0
        var isEnding = false
    }

    /// A pipe in the place of standard output or error.
    private struct OutputPipe: Sendable {
        var reading: Int32
        var writing: Int32
        /// The protocol's `category`.
        var category: String
    }

    /// Takes the three descriptors over.
    ///
    /// Throws what keeps it from making pipes or a thread.
    init() throws(ShaleError) {
        do throws(SystemCallError) {
            input = try Self.copy(0)
            output = try Self.copy(1)
            errors = try Self.copy(2)
            var made: [OutputPipe] = []
            for category in ["stdout", "stderr"] {
                let ends = try PipeEnds.descriptors()
                made.append(OutputPipe(reading: ends.reading, writing: ends.writing, category: category))
            }
            pipes = made
            wake = try PipeEnds.descriptors()
        } catch {
            throw error.shaleError("standard streams")
        }
        let writer = AdapterWriter(output)
        self.writer = writer
        let flushes = Condition(Flushes())
        self.flushes = flushes
        let pipes = self.pipes
        for end in pipes.map(\.reading) + [wake.reading] {
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
        }
        let waking = wake.reading
        thread = try WorkerThread { Self.forward(pipes, waking, writer, flushes) }
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        dup2(null, 0)
        close(null)
        dup2(pipes[0].writing, 1)
        dup2(pipes[1].writing, 2)
    }

    private static func copy(_ descriptor: Int32) throws(SystemCallError) -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemCallError("dup") }
        return copy
    }

    /// Returns when everything printed so far was sent.
    func flush() {
        let number = flushes.update { state in
            state.asked += 1
            return state.asked
        }
        wakeUp()
        _ = flushes.wait { state -> Bool? in state.done >= number ? true : nil }
    }

    /// Sends what was printed, then gives the descriptors back; what is printed from here on is the user's own.
    func restore() {
        guard !isRestored else { return }
        isRestored = true
        flush()
        flushes.update { $0.isEnding = true }
        wakeUp()
        thread.join()
        dup2(input, 0)
        dup2(output, 1)
        dup2(errors, 2)
        for pipe in pipes {
            close(pipe.reading)
            close(pipe.writing)
        }
        close(wake.reading)
        close(wake.writing)
    }

    private func wakeUp() {
        var byte: UInt8 = 0
        _ = write(wake.writing, &byte, 1)
    }

    deinit { restore() }

    /// The thread: sends what the pipes hold until it is told to end.
    private static func forward(
        _ pipes: [OutputPipe], _ waking: Int32, _ writer: AdapterWriter, _ flushes: Condition<Flushes>
    ) {
        var texts = pipes.map { _ in UTF8Pieces() }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            while chunk.withUnsafeMutableBytes({ read(waking, $0.baseAddress, $0.count) }) > 0 {}
            let (asked, isEnding) = flushes.read { ($0.asked, $0.isEnding) }
            for (index, pipe) in pipes.enumerated() {
                while true {
                    let count = chunk.withUnsafeMutableBytes { read(pipe.reading, $0.baseAddress, $0.count) }
                    guard count > 0 else { break }
                    let text = texts[index].adding(chunk[..<count])
                    if !text.isEmpty { tell(text, pipe.category, writer) }
                }
            }
            flushes.update { $0.done = max($0.done, asked) }
            if isEnding { break }
            var pollers = (pipes.map(\.reading) + [waking]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = poll(&pollers, nfds_t(pollers.count), -1)
        }
        for (index, pipe) in pipes.enumerated() {
            let rest = texts[index].end()
            if !rest.isEmpty { tell(rest, pipe.category, writer) }
        }
    }

    private static func tell(_ text: String, _ category: String, _ writer: AdapterWriter) {
        writer.event("output", .members(["category": .string(category), "output": .string(text)]))
    }
}

/// Cuts a stream of bytes into texts so that no character of UTF-8 lies in two of them.
struct UTF8Pieces {
    private var rest: [UInt8] = []

    /// The text that is whole with these bytes; what is no UTF-8 becomes U+FFFD.
    mutating func adding(_ bytes: some Collection<UInt8>) -> String {
        rest += bytes
        let end = rest.count - unfinished
        defer { rest.removeFirst(end) }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    /// What is left at the end of the stream.
    mutating func end() -> String {
        defer { rest = [] }
        return String(decoding: rest, as: UTF8.self)
    }

    /// How many bytes at the end begin a character whose other bytes are not there yet.
    private var unfinished: Int {
        for back in 1...3 where back <= rest.count {
            let byte = rest[rest.count - back]
            if byte < 0x80 { return 0 }
            if byte >= 0xC0 {
                let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
                return length > back ? back : 0
            }
        }
        return 0
    }
}
