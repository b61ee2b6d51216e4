package import Basics
import Glibc
import Linux
import OCI
import RunnerProtocol
import Runtime
package import Stores

/// What a container uses now.
package struct ContainerUsage: Sendable {
    /// Percent of one processor.
    package var processor: Double
    /// Bytes.
    package var memory: Int64
    package var memoryLimit: Int64
    package var read: Int64
    package var written: Int64
    /// Bytes over the container's own network; `nil` on the host's.
    package var received: Int64?
    package var sent: Int64?
    package var processes: Int
}

extension ContainerEngine {
    /// The host's `ps` of a container's processes: titles and rows.
    ///
    /// `arguments` are options of `ps(1)`; `-ef` when there are none. Throws `conflict` when the container does not run
    /// or is restarting, `invalid` when the output of `ps` has no PID column, and what running `ps` throws.
    package func processes(
        of record: ContainerRecord, arguments: [String]
    ) throws(ShaleError) -> (titles: [String], rows: [[String]]) {
        let state = state(of: record.id)
        guard state.isRunning else { throw Self.notRunning(record) }
        if state.status == .restarting { throw Self.isRestarting(record) }
        let inside = Self.identifiers(inNamespaceOf: state.pid)
        let lines = try Self.output(of: ["ps"] + (arguments.isEmpty ? ["-ef"] : arguments))
        let titles = lines.first?.split(separator: " ").map(String.init) ?? []
        guard let column = titles.firstIndex(of: "PID") else {
            throw ShaleError(.invalid, "Couldn't find PID field in ps output")
        }
        var rows: [[String]] = []
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: max(0, titles.count - 1)).map(String.init)
            guard words.count > column, let pid = Int32(words[column]), inside.contains(pid) else { continue }
            rows.append(words)
        }
        return (titles, rows)
    }

    /// The processes that share a process's pid namespace.
    static func identifiers(inNamespaceOf pid: Int32) -> Set<Int32> {
        guard let own = link("/proc/\(pid)/ns/pid"), let proc = try? OwnedFD.open("/proc", O_RDONLY | O_DIRECTORY),
            let names = try? DirectoryEntries.names(of: proc)
        else { return [] }
        return Set(names.compactMap { Int32($0) }.filter { link("/proc/\($0)/ns/pid") == own })
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The lines that a program of the host's prints; throws with the first one that it says when it fails.
    static func output(of words: [String]) throws(ShaleError) -> [String] {
        let (lines, status) = try run(words, " 2>/dev/null")
        if status == 0 || !lines.isEmpty { return lines }
        // The shell's own status for a program that is not there.
        if status >> 8 == 127 {
            throw ShaleError(.unavailable, "the host has no \(words[0])", hint: "apt-get install procps")
        }
        let said = try run(words, " 2>&1 >/dev/null").lines.first ?? "failed"
        throw ShaleError(.invalid, "\(words[0]): \(said)", hint: "see \(words[0])(1) for its options")
    }

    /// Runs it by the host's shell, each word quoted.
    private static func run(
        _ words: [String], _ redirection: String
    ) throws(ShaleError) -> (lines: [String], status: Int32) {
        let line = words.map(\.singleQuoted).joined(separator: " ")
        guard let stream = popen(line + redirection, "re") else {
            throw SystemCallError("popen").shaleError(words[0])
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        let status = pclose(stream)
        return (String(pathBytes: bytes).split(separator: "\n").map(String.init), status)
    }

    // MARK: Usage

    /// What a running container uses, measured over a moment: by its control groups where they count it, else by
    /// its processes.
    package func usage(of record: ContainerRecord) -> ContainerUsage {
        let state = state(of: record.id)
        guard state.isRunning, state.status != .restarting else {
            return ContainerUsage(processor: 0, memory: 0, memoryLimit: 0, read: 0, written: 0, processes: 0)
        }
        let first = ContainerMeter(containerID: record.id, pid: state.pid)
        let processes = Self.identifiers(inNamespaceOf: state.pid)
        let before = first.processorTime ?? Self.microseconds(of: processes)
        let start = SteadyClock.milliseconds
        usleep(200_000)
        let meter = ContainerMeter(containerID: record.id, pid: state.pid)
        let after = meter.processorTime ?? Self.microseconds(of: Self.identifiers(inNamespaceOf: state.pid))
        let elapsed = Double(max(1, SteadyClock.milliseconds - start)) * 1000
        var usage = ContainerUsage(
            processor: max(0, Double(after - before) / elapsed * 100), memory: meter.memory ?? 0,
            memoryLimit: record.host.memory > 0 ? record.host.memory : Self.memoryOfHost, read: 0, written: 0,
            processes: meter.processes ?? processes.count)
        for pid in processes {
            if meter.memory == nil {
                usage.memory &+= Self.number(after: "RssAnon:", in: "/proc/\(pid)/status") &* 1024
            }
            usage.read &+= Self.number(after: "read_bytes:", in: "/proc/\(pid)/io")
            usage.written &+= Self.number(after: "\nwrite_bytes:", in: "/proc/\(pid)/io")
        }
        if record.host.network != "host" { Self.countNetwork(of: state.pid, in: &usage) }
        return usage
    }

    /// Every interface but the loopback one (`/proc/PID/net/dev`).
    private static func countNetwork(of pid: Int32, in usage: inout ContainerUsage) {
        var (received, sent): (Int64, Int64) = (0, 0)
        for line in (text(of: "/proc/\(pid)/net/dev") ?? "").split(separator: "\n").dropFirst(2) {
            let parts = line.split(separator: ":", maxSplits: 1)
            let numbers = (parts.last ?? "").split(separator: " ").map { Int64($0) ?? 0 }
            guard parts.count == 2, numbers.count > 8, parts[0].drop(while: { $0 == " " }) != "lo" else { continue }
            received &+= numbers[0]
            sent &+= numbers[8]
        }
        (usage.received, usage.sent) = (received, sent)
    }

    private static var memoryOfHost: Int64 { number(after: "MemTotal:", in: "/proc/meminfo") &* 1024 }

    private static func microseconds(of processes: Set<Int32>) -> Int64 {
        let perSecond = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        return processes.reduce(0) { sum, pid in
            // utime and stime are the 14th and 15th; the name before them may hold anything, up to the last bracket.
            guard let text = text(of: "/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return sum }
            let fields = text[end...].split(separator: " ")
            guard fields.count > 13, let user = Int64(fields[12]), let system = Int64(fields[13]) else { return sum }
            return sum &+ (user &+ system) &* 1_000_000 / perSecond
        }
    }

    private static func text(of path: String) -> String? {
        (try? WholeFile.read(path, limit: 1 << 20)).map { String(pathBytes: $0) }
    }

    private static func number(after label: String, in path: String) -> Int64 {
        guard let text = text(of: path) else { return 0 }
        for line in text.split(separator: "\n") {
            let name = label.hasPrefix("\n") ? String(label.dropFirst()) : label
            guard line.hasPrefix(name) else { continue }
            let digits = line.dropFirst(name.count).drop { $0 == " " || $0 == "\t" }.prefix { $0.isNumber }
            return Int64(digits) ?? 0
        }
        return 0
    }
}
