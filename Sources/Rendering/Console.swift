package import Basics
import Glibc
import Linux
import Synchronization

/// The only place that writes to shale's standard output and error.
///
/// Results go to one stream; notes, warnings, errors and progress to the other. A reader that went away (EPIPE) is no
/// error: what follows for that stream is dropped, and ``isOutputClosed`` tells loops to stop. Any other failure to
/// write is kept for ``checkWritten()``, which ends every command.
package final class Console: Sendable {
    /// One of the two streams.
    package enum Stream: Sendable, Equatable {
        case output
        case errors
    }

    /// How bytes were shown, for those who keep them.
    package enum Showing: Sendable, Equatable {
        /// As text that stays.
        case text
        /// As a drawing that is later drawn over, such as progress: it has a meaning on a terminal only.
        case drawing
        /// Not shown: the text that is printed in place of the drawing where nothing can be drawn.
        case words
    }

    package typealias Observer = @Sendable ([UInt8], Stream, Showing) -> Void

    /// Where a stream's bytes go.
    package enum Destination: Sendable {
        /// A descriptor, not owned.
        case descriptor(Int32)
        /// Memory: the output of `name = COMMAND`.
        case buffer(OutputBuffer)
    }

    /// Where a script's message comes from.
    package struct SourceLine: Sendable, Equatable {
        package var file: String
        package var line: Int
        package var command: String

        package init(file: String, line: Int, command: String) {
            self.file = file
            self.line = line
            self.command = command
        }
    }

    package let environment: [String: String]
    private let output: Destination
    private let errors: Destination
    private let observer: Observer?
    /// The streams that the observer sees: those that were not redirected.
    private let observed: Set<Stream>
    private let closed = Mutex<Set<Int32>>([])
    /// What is told as the place where writing failed; the standard streams have no entry.
    private let names: [Stream: String]
    /// The first errno of each stream that could not be written, until it is told.
    private let failures = Mutex<[Stream: Int32]>([:])
    /// Keeps lines of two threads apart.
    private let writing: Mutex<Void>

    /// - Parameters:
    ///   - output: Where results go.
    ///   - errors: Where everything else goes.
    ///   - environment: The process's; decides colours, width and pager.
    ///   - observer: Sees every byte written, for `record --output`; called with no lock held by others.
    package convenience init(
        output: Destination = .descriptor(1), errors: Destination = .descriptor(2),
        environment: [String: String] = Console.processEnvironment,
        observer: Observer? = nil
    ) {
        self.init(
            output: output, errors: errors, names: [:], environment: environment, observer: observer,
            observed: [.output, .errors])
    }

    private init(
        output: Destination, errors: Destination, names: [Stream: String], environment: [String: String],
        observer: Observer?, observed: Set<Stream>
    ) {
        self.names = names
        self.observed = observed
        self.output = output
        self.errors = errors
        self.environment = environment
        self.observer = observer
        writing = Mutex(())
    }

    /// The same console with one or both streams elsewhere: redirections, pipelines, captures.
    ///
    /// What goes elsewhere is not seen by the observer. `names` are the files behind them, for messages.
    package func redirected(
        output: Destination? = nil, errors: Destination? = nil, names: [Stream: String] = [:]
    ) -> Console {
        var observed = self.observed
        if output != nil { observed.remove(.output) }
        if errors != nil { observed.remove(.errors) }
        return Console(
            output: output ?? self.output, errors: errors ?? self.errors, names: names, environment: environment,
            observer: observer, observed: observed)
    }

    // MARK: Writing

    /// Writes the text of a result, as it is; `text` ends its own lines.
    ///
    /// Bytes of names that are not UTF-8 go out as they are, so that what reads a listing gets the names; a terminal
    /// gets escapes.
    package func write(_ text: String, to stream: Stream = .output) {
        write(isTerminal(stream) ? Array(text.escapingOddBytes.utf8) : text.pathBytes, to: stream)
    }

    /// Writes one line of a result.
    package func line(_ text: String) { show(text + "\n") }

    /// Writes the text of a result: to a file or a program as it is; to a terminal with control characters visible, so
    /// that nothing that stands in an image or comes from a server can drive it.
    package func show(_ text: String) { write(isTerminal(.output) ? text.visibleLines : text) }

    /// The same for a drawing of shale's own, whose parts were made safe when they were put together: its styles stay.
    package func show(drawing text: String) { write(isTerminal(.output) ? text.visibleButStyled : text) }

    /// Writes raw bytes: a container's output.
    package func write(_ bytes: [UInt8], to stream: Stream) {
        if bytes.isEmpty { return }
        put(bytes, stream)
        observe(bytes, stream)
    }

    /// Writes what will be drawn over.
    func draw(_ text: String, to stream: Stream) {
        let bytes = Array(text.utf8)
        if bytes.isEmpty { return }
        put(bytes, stream)
        if observed.contains(stream) { observer?(bytes, stream, .drawing) }
    }

    /// Tells the observer alone of a line that stands for what was drawn.
    func observe(words text: String, _ stream: Stream) {
        if observed.contains(stream) { observer?(Array(text.utf8), stream, .words) }
    }

    private func put(_ bytes: [UInt8], _ stream: Stream) {
        writing.withLock { _ in
            switch destination(stream) {
            case .buffer(let buffer): buffer.append(bytes)
            case .descriptor(let descriptor): write(bytes, descriptor, stream)
            }
        }
    }

    /// Tells the observer of bytes that were shown, whoever wrote them.
    func observe(_ bytes: [UInt8], _ stream: Stream) {
        if observed.contains(stream) { observer?(bytes, stream, .text) }
    }

    /// A line on the error stream that is neither warning nor error.
    package func note(_ text: String) { write(text.visibleLines + "\n", to: .errors) }

    /// A dim line on the error stream about what was typed: for the person who typed it, so no recording keeps it.
    package func aside(_ text: String) { draw(styled(text.visibleLines, .dim) + "\n", to: .errors) }

    /// `shale: warning: …`.
    package func warning(_ text: String) {
        write(styled("shale:", .yellow) + " warning: \(text.visibleLines)\n", to: .errors)
    }

    /// Reports an error: `shale: text`, then `hint: …`.
    ///
    /// - Parameters:
    ///   - error: Its message and cause are made safe to print here.
    ///   - place: In a script, where it happened: `FILE:LINE: COMMAND: message` takes the place of `shale: message`.
    package func report(_ error: ShaleError, at place: SourceLine? = nil) {
        if error.code == .readerLeft { return }
        var prefix = "shale:"
        var message = Secrets.masked(error.description, isProse: true).text.visibleLines[...]
        if let place {
            let command = "\(Secrets.masked(place.command).text.visible):"
            prefix = "\(place.file.visible):\(place.line): \(command)"
            // A usage error begins with the name of the command, which is printed already.
            if error.code == .usage, message.hasPrefix("\(command) ") { message = message.dropFirst(command.count + 1) }
        }
        var text = styled(prefix, .red) + " \(message)\n"
        if let hint = error.hint { text += styled("hint:", .cyan) + " \(hint.visibleLines)\n" }
        write(text, to: .errors)
        // When a message cannot be written, the command has failed already.
        _ = failures.withLock { $0.removeValue(forKey: .errors) }
    }

    /// Throws what kept a stream from taking all that was written to it, and lets the next command try again.
    ///
    /// A reader that closed the stream is no error.
    package func checkWritten() throws(ShaleError) {
        let failed = failures.withLock { failures in
            defer { failures = [:] }
            return failures
        }
        for stream in [Stream.output, .errors] {
            guard let errno = failed[stream] else { continue }
            if let descriptor = descriptor(stream) { closed.withLock { _ = $0.remove(descriptor) } }
            let place = names[stream] ?? (stream == .output ? "standard output" : "standard error")
            var error = SystemCallError("write", errno: errno).shaleError(place)
            error.exitStatus = 1
            throw error
        }
    }

    /// Throws when results can no longer be written: the cause, or that the reader went away.
    package func checkOutput() throws(ShaleError) {
        guard isOutputClosed else { return }
        try checkWritten()
        throw ShaleError(.readerLeft, "the reader went away")
    }

    /// Whether results can no longer be written: mostly their reader has gone away.
    package var isOutputClosed: Bool {
        guard case .descriptor(let descriptor) = output else { return false }
        return closed.withLock { $0.contains(descriptor) }
    }

    /// Makes a vanished reader an EPIPE instead of the process's end; called once, by `main`.
    package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    private func write(_ bytes: [UInt8], _ descriptor: Int32, _ stream: Stream) {
        FreshLine.wrote(bytes.last, to: descriptor)
        if closed.withLock({ $0.contains(descriptor) }) { return }
        do throws(SystemCallError) {
            try BorrowedFD(descriptor).write(bytes)
        } catch {
            closed.withLock { _ = $0.insert(descriptor) }
            if error.errno != EPIPE { failures.withLock { $0[stream] = $0[stream] ?? error.errno } }
        }
    }

    private func destination(_ stream: Stream) -> Destination { stream == .output ? output : errors }

    // MARK: The terminal

    /// The descriptor behind a stream, for a process that inherits it.
    package func descriptor(_ stream: Stream) -> Int32? {
        if case .descriptor(let descriptor) = destination(stream) { descriptor } else { nil }
    }

    package func isTerminal(_ stream: Stream) -> Bool { descriptor(stream).map { isatty($0) == 1 } ?? false }

    /// Whether a stream is a terminal whose cursor can be moved.
    package func canRedraw(_ stream: Stream) -> Bool { isTerminal(stream) && !TerminalStyle.isDumb(environment) }

    package func hasColour(_ stream: Stream) -> Bool {
        TerminalStyle.isOn(isTerminal: isTerminal(stream), environment: environment)
    }

    /// The text in a style, where the stream has colours.
    package func styled(_ text: String, _ style: TerminalStyle, on stream: Stream = .errors) -> String {
        hasColour(stream) ? style(text) : text
    }

    /// Columns to lay results out in: `COLUMNS`, else the terminal's; `nil` when they go elsewhere.
    package var width: Int? {
        guard isTerminal(.output) else { return nil }
        if let columns = environment["COLUMNS"].flatMap({ Int($0) }), columns > 0 { return columns }
        return size(.output)?.columns ?? 80
    }

    /// The size of the terminal behind a stream.
    package func size(_ stream: Stream) -> (columns: Int, rows: Int)? {
        guard let descriptor = descriptor(stream) else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_col), max(1, Int(size.ws_row)))
    }

    /// The environment of this process.
    package static var processEnvironment: [String: String] {
        var result: [String: String] = [:]
        guard var entry = environ as UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? else { return result }
        while let pointer = entry.pointee {
            let text = String(path: pointer)
            // By bytes: a value may begin with a mark that would make one character with the sign.
            if let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) {
                result[String(text[..<equals])] = String(text[text.utf8.index(after: equals)...])
            }
            entry += 1
        }
        return result
    }
}

/// Output kept in memory.
package final class OutputBuffer: Sendable {
    private let storage = Mutex<[UInt8]>([])
    /// The most bytes that are kept, 64 MiB by default; the rest is dropped.
    private let limit: Int
    private let overflow = Mutex(false)

    package init(limit: Int = 64 << 20) {
        self.limit = limit
    }

    package func append(_ bytes: [UInt8]) {
        let isCut = storage.withLock { stored in
            let room = max(0, limit - stored.count)
            stored.append(contentsOf: bytes.prefix(room))
            return bytes.count > room
        }
        if isCut { overflow.withLock { $0 = true } }
    }

    /// Whether something was dropped.
    package var isCut: Bool { overflow.withLock { $0 } }

    package var bytes: [UInt8] { storage.withLock { $0 } }

    package var count: Int { storage.withLock { $0.count } }

    /// Drops all but the first bytes.
    package func cut(to count: Int) {
        storage.withLock { if count < $0.count { $0.removeSubrange(max(0, count)...) } }
    }

    package func clear() { storage.withLock { $0.removeAll(keepingCapacity: true) } }

    package var text: String { String(pathBytes: bytes) }
}
