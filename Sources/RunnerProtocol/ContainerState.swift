package import Basics
import Linux

/// A container's state: what `state.json` beside its record holds, as its runner last wrote it.
///
/// The runner writes it and the shell reads it, both by this type. Whether a `running` one's process still lives is for
/// the caller to find out (`pid`).
package struct ContainerState: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable {
        /// Also when nothing was written yet.
        case created
        case running
        case paused
        /// Between two runs of its program, which is started again.
        case restarting
        case exited
        case removing
        /// What was written cannot be read.
        case dead
    }

    package var status: Status
    /// The first process, in the host's numbering; 0 when none runs.
    package var pid: Int32 = 0
    /// When that process started, in clock ticks since the host's start, as `/proc/PID/stat` has it; empty for none.
    ///
    /// Tells the process from a later one of the same number.
    package var pidStart = ""
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var exitCode: Int32 = 0
    package var error: String?
    package var oomKilled = false
    /// How often its program was started again by itself.
    package var restartCount: Int32 = 0
    /// The host's ports that lead into it while it runs.
    package var ports: [PortBinding] = []
    /// What its health check found; `nil` without one.
    package var health: HealthState?
    /// The runner that wrote it, in the host's numbering; 0 when it was another program.
    package var runnerPid: Int32 = 0

    package init(_ status: Status) { self.status = status }

    /// Whether a runner holds it; its program does not run while it is restarting.
    package var isRunning: Bool { status == .running || status == .paused || status == .restarting }
}

/// A port of the host's that leads to one of a container's.
package struct PortBinding: Sendable, Hashable {
    package var proto: String
    package var hostAddress: String
    package var hostPort: UInt16
    package var containerPort: UInt16

    package init(proto: String, hostAddress: String, hostPort: UInt16, containerPort: UInt16) {
        self.proto = proto
        self.hostAddress = hostAddress
        self.hostPort = hostPort
        self.containerPort = containerPort
    }
}

/// A container's health as its check last found it.
package struct HealthState: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable {
        case starting
        case healthy
        case unhealthy
    }

    /// One run of the check.
    package struct Probe: Sendable, Hashable {
        package var start: Timestamp
        package var end: Timestamp
        /// -1 for one that could not be started or took too long.
        package var exitCode: Int32
        package var output: String

        package init(start: Timestamp, end: Timestamp, exitCode: Int32, output: String) {
            self.start = start
            self.end = end
            self.exitCode = exitCode
            self.output = output
        }
    }

    package var status: Status
    /// Failures in a row.
    package var failures: Int32 = 0
    /// The last ones, oldest first.
    package var probes: [Probe] = []

    package init(_ status: Status) { self.status = status }
}

// MARK: The file

extension ContainerState {
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
    ///
    /// A member that is missing or of another kind counts as not written: older runners wrote fewer.
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
        pidStart = document["pidStart"]?.string ?? ""
        startedAt = document["startedAt"]?.time
        finishedAt = document["finishedAt"]?.time
        exitCode = document["exitCode"]?.int32 ?? 0
        error = document["error"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        oomKilled = document["oomKilled"] == true
        restartCount = document["restartCount"]?.int32 ?? 0
        ports = (document["ports"]?.array ?? []).compactMap(PortBinding.init)
        health = document["health"].flatMap(HealthState.init)
        runnerPid = document["runnerPid"]?.int32 ?? 0
    }

    /// The file's bytes: one line of JSON.
    package var bytes: [UInt8] {
        var members: [JSONDocument.Member] = [
            .init("status", .string(status.rawValue)), .init("pid", .integer(Int64(pid))),
            .init("exitCode", .integer(Int64(exitCode))),
        ]
        if let startedAt { members.append(.init("startedAt", .string(startedAt.description))) }
        if let finishedAt { members.append(.init("finishedAt", .string(finishedAt.description))) }
        if restartCount > 0 { members.append(.init("restartCount", .integer(Int64(restartCount)))) }
        if !pidStart.isEmpty { members.append(.init("pidStart", .string(pidStart))) }
        members += [.init("oomKilled", .bool(oomKilled)), .init("error", .string(error ?? ""))]
        if !ports.isEmpty { members.append(.init("ports", .array(ports.map(\.document)))) }
        if let health { members.append(.init("health", health.document)) }
        if runnerPid > 0 { members.append(.init("runnerPid", .integer(Int64(runnerPid)))) }
        return Array((JSONDocument.object(members).text() + "\n").utf8)
    }
}

extension PortBinding {
    fileprivate init?(_ document: JSONDocument) {
        guard let proto = document["proto"]?.string, let address = document["address"]?.string,
            let host = document["host"]?.int32.flatMap({ UInt16(exactly: $0) }),
            let container = document["container"]?.int32.flatMap({ UInt16(exactly: $0) })
        else { return nil }
        self.init(proto: proto, hostAddress: address, hostPort: host, containerPort: container)
    }

    fileprivate var document: JSONDocument {
        .members([
            "proto": .string(proto), "address": .string(hostAddress), "host": .integer(Int64(hostPort)),
            "container": .integer(Int64(containerPort)),
        ])
    }
}

extension HealthState {
    fileprivate init?(_ document: JSONDocument) {
        guard let status = document["status"]?.string.flatMap({ Status(rawValue: $0) }) else { return nil }
        self.init(status)
        failures = document["failingStreak"]?.int32 ?? 0
        probes = (document["log"]?.array ?? []).compactMap { probe in
            guard let start = probe["start"]?.time, let end = probe["end"]?.time else { return nil }
            return Probe(
                start: start, end: end, exitCode: probe["exitCode"]?.int32 ?? 0, output: probe["output"]?.string ?? "")
        }
    }

    fileprivate var document: JSONDocument {
        .members([
            "status": .string(status.rawValue), "failingStreak": .integer(Int64(failures)),
            "log": .array(
                probes.map { probe in
                    .members([
                        "start": .string(probe.start.description), "end": .string(probe.end.description),
                        "exitCode": .integer(Int64(probe.exitCode)), "output": .string(probe.output),
                    ])
                }),
        ])
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
