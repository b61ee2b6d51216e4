package import Basics
import Linux

/// A container's state, as its runner last wrote it.
///
/// `created` when nothing was written yet; `dead` when what was written cannot be read. Whether a `running` one's
/// process still lives is for the caller to find out (`pid`).
package struct ContainerState: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable {
        case created
        case running
        case paused
        /// Between two runs of its program, which is started again.
        case restarting
        case exited
        case removing
        case dead
    }

    package var status: Status
    /// The first process, in the host's numbering; 0 when none runs.
    package var pid: Int32
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var exitCode: Int32
    package var error: String?
    package var oomKilled: Bool
    /// How often its program was started again by itself.
    package var restartCount = 0
    /// The host's ports that lead into it while it runs.
    package var ports: [PortBinding] = []
    /// What its health check found; `nil` without one.
    package var health: HealthState?

    package init(_ status: Status) {
        self.status = status
        pid = 0
        exitCode = 0
        oomKilled = false
    }

    /// Whether a runner holds it; its program does not run while it is restarting.
    package var isRunning: Bool { status == .running || status == .paused || status == .restarting }

    /// Reads a state file: missing is `created`, unreadable is `dead`.
    package static func read(_ path: String) -> ContainerState {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path, limit: 1 << 20)
        } catch {
            return ContainerState(error.errno == 2 ? .created : .dead)
        }
        return ContainerState(parsing: bytes)
    }

    /// Reads a state file's bytes; `dead` for anything that is none, `created` for an empty file.
    package init(parsing bytes: [UInt8]) {
        guard !bytes.isEmpty else {
            self.init(.created)
            return
        }
        guard let document = try? JSONDocument(parsing: bytes, naming: "state"),
            let status = document["status"]?.string.flatMap({ Status(rawValue: $0) })
        else {
            self.init(.dead)
            return
        }
        self.init(status)
        pid = document["pid"]?.int32 ?? 0
        exitCode = document["exitCode"]?.int32 ?? 0
        restartCount = Int(document["restartCount"]?.int32 ?? 0)
        startedAt = document["startedAt"]?.time
        finishedAt = document["finishedAt"]?.time
        error = document["error"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        if case .bool(true) = document["oomKilled"] { oomKilled = true }
        ports = (document["ports"]?.array ?? []).compactMap(PortBinding.init)
        health = document["health"].flatMap(HealthState.init)
    }

    /// The file's text, as the runner writes it.
    package var text: String {
        var members: [JSONDocument.Member] = [
            .init("status", .string(status.rawValue)), .init("pid", .integer(Int64(pid))),
            .init("exitCode", .integer(Int64(exitCode))),
        ]
        if let startedAt { members.append(.init("startedAt", .string(startedAt.description))) }
        if let finishedAt { members.append(.init("finishedAt", .string(finishedAt.description))) }
        if let error { members.append(.init("error", .string(error))) }
        if oomKilled { members.append(.init("oomKilled", true)) }
        return JSONDocument.object(members).text()
    }
}

/// A port of the host's that leads to one of a container's.
package struct PortBinding: Sendable, Hashable {
    package var proto: String
    package var hostAddress: String
    package var hostPort: Int
    package var containerPort: Int

    package init(proto: String, hostAddress: String, hostPort: Int, containerPort: Int) {
        self.proto = proto
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.containerPort = containerPort
    }

    fileprivate init?(_ document: JSONDocument) {
        guard let proto = document["proto"]?.string, let address = document["address"]?.string,
            let host = document["host"]?.int32, let container = document["container"]?.int32
        else { return nil }
        self.init(proto: proto, hostAddress: address, hostPort: Int(host), containerPort: Int(container))
    }
}

/// A container's health as its check last found it.
package struct HealthState: Sendable, Hashable {
    /// One run of the check.
    package struct Look: Sendable, Hashable {
        package var start: Timestamp
        package var end: Timestamp
        /// -1 for one that could not be started or took too long.
        package var exitCode: Int32
        package var output: String
    }
    /// `starting`, `healthy` or `unhealthy`.
    package var status: String
    package var failures: Int32
    /// The last ones, oldest first.
    package var looks: [Look]

    fileprivate init?(_ document: JSONDocument) {
        guard let status = document["status"]?.string else { return nil }
        self.status = status
        failures = document["failingStreak"]?.int32 ?? 0
        looks = (document["log"]?.array ?? []).compactMap { look in
            guard let start = look["start"]?.time, let end = look["end"]?.time else { return nil }
            return Look(
                start: start, end: end, exitCode: look["exitCode"]?.int32 ?? 0, output: look["output"]?.string ?? "")
        }
    }
}

extension JSONDocument {
    fileprivate var int32: Int32? { if case .integer(let value) = self { Int32(exactly: value) } else { nil } }

    /// RFC 3339, or nanoseconds since 1970.
    fileprivate var time: Timestamp? {
        switch self {
        case .string(let text): Timestamp(rfc3339: text)
        case .integer(let nanoseconds) where nanoseconds > 0:
            Timestamp(
                seconds: nanoseconds / 1_000_000_000,
                nanoseconds: Int32(truncatingIfNeeded: nanoseconds % 1_000_000_000))
        default: nil
        }
    }
}
