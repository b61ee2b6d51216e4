package import Basics
import Glibc
import Linux
import OCI
import RunnerProtocol
package import Stores

/// One entry of a container's log: a line, or a piece of a long one; the last piece alone ends with a newline.
package struct LogEntry: Sendable, Equatable {
    package var text: [UInt8]
    /// Whether it goes on with the line of the entry before it on the same stream.
    package var continuesLine = false
    package var isError: Bool
    package var time: Timestamp
    /// The moment with all nine digits, as `-t` shows it.
    package var timeText: String

    /// Reads a line of docker's json-file format: `{"log":"…","stream":"stdout","time":"…"}`.
    package init?(parsing line: some Collection<UInt8>) {
        guard let document = try? JSONDocument(parsing: Array(line), naming: "log"),
            let text = document["log"]?.string, let moment = document["time"]?.string,
            let time = Timestamp(rfc3339: moment)
        else { return nil }
        self.text = Array(text.utf8)
        isError = document["stream"]?.string == "stderr"
        self.time = time
        timeText = Self.fullText(of: time)
    }

    private static func fullText(of time: Timestamp) -> String {
        let seconds = Timestamp(seconds: time.seconds).description
        let digits = String(max(0, time.nanoseconds))
        let fraction = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
        return (seconds.hasSuffix("Z") ? String(seconds.dropLast()) : seconds) + ".\(fraction)Z"
    }
}

/// What `logs` shows.
package struct LogOptions: Sendable {
    package var follow = false
    /// Only the last entries; `nil` for all.
    package var tail: Int?
    package var since: Timestamp?
    package var until: Timestamp?

    package init() {}

    package func includes(_ entry: LogEntry) -> Bool {
        if let since, entry.time < since { return false }
        if let until, entry.time > until { return false }
        return true
    }
}

extension ContainerEngine {
    /// Hands a container's log to `emit`, oldest first, until its end; with `follow`, until the container's end.
    ///
    /// `emit` answers whether to go on. Throws `unsupported` when the container has the log driver `none`, and what
    /// reading the log throws.
    package func logs(
        of record: ContainerRecord, _ options: LogOptions = LogOptions(), cancellation: Cancellation = Cancellation(),
        emit: (LogEntry) -> Bool
    ) throws(ShaleError) {
        if record.host.logDriver == "none" {
            throw ShaleError(.unsupported, "configured logging driver does not support reading")
        }
        let path = store.containers.folder(record.id).log
        var reader = LogReader(path: path)
        if let tail = options.tail {
            for entry in try last(tail, options, from: &reader, path) where !emit(entry) { return }
        } else {
            while let entry = try reader.next() {
                if options.includes(entry), !emit(entry) { return }
            }
        }
        guard options.follow else { return }
        while true {
            // Whether it runs is asked before the last look, so that nothing written meanwhile is missed.
            let isRunning = state(of: record.id).isRunning
            while let entry = try reader.next() {
                if let until = options.until, entry.time > until { return }
                if options.includes(entry), !emit(entry) { return }
            }
            if !isRunning || cancellation.isCancelled { return }
            if let until = options.until, Timestamp.now() > until { return }
            usleep(50_000)
        }
    }

    /// The entries of the last lines; the reader is at the log's end then.
    private func last(
        _ tail: Int, _ options: LogOptions, from reader: inout LogReader, _ path: String, skipping: Bool = true
    ) throws(ShaleError) -> ArraySlice<LogEntry> {
        let tail = min(max(tail, 0), Int.max / 2)
        let maySkip = skipping && options.since == nil && options.until == nil
        // Some more than asked for: lines of two streams may lie in one another.
        let skipped = maySkip ? try reader.skip(toLast: tail + Self.spareLines) : false
        var last: [LogEntry] = []
        /// Where the lines among them begin.
        var beginnings: [Int] = []
        while let entry = try reader.next() {
            guard options.includes(entry) else { continue }
            if !entry.continuesLine || last.isEmpty { beginnings.append(last.count) }
            last.append(entry)
            if beginnings.count / 2 > tail + 512 {
                let first = beginnings[beginnings.count - tail]
                last.removeFirst(first)
                beginnings = beginnings.suffix(tail).map { $0 - first }
            }
        }
        if skipped, beginnings.count < tail {
            // After a crash some of these lines may be damaged.
            reader = LogReader(path: path)
            return try self.last(tail, options, from: &reader, path, skipping: false)
        }
        guard beginnings.count > tail else { return last[...] }
        return tail == 0 ? [] : last[beginnings[beginnings.count - tail]...]
    }

    private static let spareLines = 16
}
