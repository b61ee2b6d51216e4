import Basics
import Glibc
import Linux

/// How long each process of a container has run, as the kernel counts it.
///
/// Two values are equal when no process ran, started or ended between them.
struct ProcessActivity: Equatable, Sendable {
    /// The nanoseconds on a processor and the number of time slices, by thread.
    private var counts: [String: String] = [:]
    private var isAsleep = true

    /// Reads the processes in the PID namespace of `first`, and the other children of its runner.
    init(of first: Int32) {
        guard first > 0 else { return }
        // All are descendants of the runner: the container's first process, and those that `exec` started.
        let runner = Self.parent(of: first)
        var pending = [runner ?? first]
        var isRunner = runner != nil
        while let pid = pending.popLast() {
            let tasks = Self.names(in: "/proc/\(pid)/task")
            for task in tasks {
                let folder = "/proc/\(pid)/task/\(task)"
                if !isRunner {
                    counts[task] = Self.text(of: "\(folder)/schedstat")
                    if Self.state(of: folder) == "R" { isAsleep = false }
                }
                for child in (Self.text(of: "\(folder)/children") ?? "").split(separator: " ") {
                    if let child = Int32(child) { pending.append(child) }
                }
            }
            isRunner = false
        }
    }

    /// The activity after all processes sleep, when they do so within a short time.
    ///
    /// A program that was just started is still busy.
    static func atRest(of first: Int32, since start: Timestamp?) -> ProcessActivity {
        var activity = ProcessActivity(of: first)
        guard let start, Timestamp.now().seconds(since: start) < 0.25 else { return activity }
        for _ in 0..<20 {
            usleep(1000)
            let next = ProcessActivity(of: first)
            if next == activity, next.isAsleep { break }
            activity = next
        }
        return activity
    }

    static func == (left: ProcessActivity, right: ProcessActivity) -> Bool { left.counts == right.counts }

    private static func names(in folder: String) -> [String] {
        guard let directory = try? OwnedFD.open(folder, O_RDONLY | O_DIRECTORY) else { return [] }
        return (try? DirectoryEntries.names(of: directory)) ?? []
    }

    private static func text(of path: String) -> String? {
        (try? WholeFile.read(path, limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The words after the program's name.
    ///
    /// The name may contain any characters up to the last bracket.
    private static func fields(of folder: String) -> [Substring] {
        guard let text = text(of: "\(folder)/stat"), let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(separator: " ")
    }

    private static func state(of folder: String) -> String? { fields(of: folder).first.map(String.init) }

    private static func parent(of pid: Int32) -> Int32? {
        let fields = fields(of: "/proc/\(pid)")
        return fields.count > 1 ? Int32(fields[1]).flatMap { $0 > 1 ? $0 : nil } : nil
    }
}
