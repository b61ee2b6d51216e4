package import Basics
import Diagnostics
import Glibc
import Linux
import Logging
import OCI
import RunnerProtocol
import Runtime
package import Stores

extension ContainerEngine {
    private func socket(_ record: ContainerRecord) -> String {
        store.containers.folder(record.id).socketDirectory
    }

    static func notRunning(_ record: ContainerRecord) -> ShaleError {
        ShaleError(.conflict, "Container \(record.id) is not running")
    }

    static func isRestarting(_ record: ContainerRecord) -> ShaleError {
        ShaleError(
            .conflict, "Container \(record.id) is restarting, wait until the container is running",
            hint: "stop \(record.name), or update --restart no \(record.name)")
    }

    /// `stop`, then `start`; one that is removed at its end is not removed in between.
    ///
    /// Throws what `stop` and `start` throw.
    package func restart(
        _ record: ContainerRecord, timeout: Int?, signal: String?, cancellation: Cancellation
    ) throws(ShaleError) {
        let kept = record.host.autoRemove ? try? runtime.keep(socketDirectory: socket(record)) : nil
        try stop(record, timeout: timeout, signal: signal, cancellation: cancellation)
        defer { withExtendedLifetime(kept) {} }
        _ = try start(record, streams: nil)
        store.events.append(StoreEvent("restart", of: record))
    }

    /// Ends a running container: its stop signal, then SIGKILL after the time it has; does nothing when it does not
    /// run.
    ///
    /// `timeout` is in seconds, negative waits without limit; `nil` takes the container's own, or 10. Throws `invalid`
    /// for an unknown signal, `cancelled` when it is stopped, `timeout` when the container does not end within 10
    /// seconds after SIGKILL, and what asking the runner throws.
    package func stop(
        _ record: ContainerRecord, timeout: Int? = nil, signal: String? = nil,
        cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) {
        let state = state(of: record.id)
        guard state.isRunning else { return }
        let number = try Self.signal(signal ?? record.config.stopSignal ?? "SIGTERM")
        let seconds = timeout ?? record.config.stopTimeout ?? 10
        defer { store.events.append(StoreEvent("stop", of: record)) }
        do throws(ShaleError) {
            if seconds != 0 {
                store.events.append(StoreEvent("kill", of: record, ["signal": String(number)]))
                try runtime.signal(number, socketDirectory: socket(record))
                if state.status == .paused { try runtime.unpause(socketDirectory: socket(record)) }
                if waitUntilStopped(record, seconds: seconds < 0 ? nil : Double(seconds), cancellation) { return }
                try cancellation.check()
            } else if state.status == .paused {
                try runtime.unpause(socketDirectory: socket(record))
            }
            try runtime.signal(SIGKILL, socketDirectory: socket(record))
        } catch {
            // It may have ended between the check and the signal.
            if !self.state(of: record.id).isRunning { return }
            throw error
        }
        guard waitUntilStopped(record, seconds: 10, cancellation) else {
            throw ShaleError(
                .timeout, "cannot stop container: \(record.name)", cause: "tried to kill it, and it does not end")
        }
    }

    /// Returns whether it ended in time.
    private func waitUntilStopped(_ record: ContainerRecord, seconds: Double?, _ cancellation: Cancellation) -> Bool {
        let start = Timestamp.now()
        var pause: UInt32 = 1000
        while true {
            if !state(of: record.id).isRunning { return true }
            if cancellation.isCancelled { return false }
            if let seconds, Timestamp.now().seconds(since: start) >= seconds { return false }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
    }

    /// Waits a moment for an auto-removed container that ended to be gone, so that its name is free when `stop` is
    /// done.
    package func awaitAutomaticRemoval(of record: ContainerRecord, cancellation: Cancellation) {
        guard record.host.autoRemove, !state(of: record.id).isRunning else { return }
        let start = Timestamp.now()
        while (try? store.containers.record(record.id)) != nil, !cancellation.isCancelled,
            Timestamp.now().seconds(since: start) < 2
        {
            usleep(5000)
        }
    }

    static func signal(_ text: String) throws(ShaleError) -> Int32 {
        guard let number = Signals.number(of: text) else { throw ShaleError(.invalid, "Invalid signal: \(text)") }
        return number
    }

    /// Sends a signal to a container's first process.
    ///
    /// Throws `invalid` for an unknown signal, `conflict` when the container does not run, and what asking the runner
    /// throws.
    package func kill(_ record: ContainerRecord, signal: String = "SIGKILL", named text: String) throws(ShaleError) {
        let number = try Self.signal(signal)
        let state = state(of: record.id)
        guard state.isRunning else {
            throw ShaleError(.conflict, "Cannot kill container: \(text): \(Self.notRunning(record).message)")
        }
        store.events.append(StoreEvent("kill", of: record, ["signal": String(number)]))
        try runtime.signal(number, socketDirectory: socket(record))
        guard number == SIGKILL else { return }
        if state.status == .paused {
            Logger.container.attempt("unpause container \(record.name) for its end") {
                try runtime.unpause(socketDirectory: socket(record))
            }
        }
        _ = waitUntilStopped(record, seconds: 10, Cancellation())
    }

    /// Pauses a running container's processes.
    ///
    /// Throws `conflict` for a container that is not running, restarting or paused already, and what its runner
    /// answers.
    package func pause(_ record: ContainerRecord) throws(ShaleError) {
        let state = state(of: record.id)
        guard state.isRunning else { throw Self.notRunning(record) }
        if state.status == .restarting { throw Self.isRestarting(record) }
        guard state.status != .paused else {
            throw ShaleError(.conflict, "Container \(record.id) is already paused")
        }
        try runtime.pause(socketDirectory: socket(record))
    }

    /// Continues a paused container's processes.
    ///
    /// Throws `conflict` for a container that is not paused, and what its runner answers.
    package func unpause(_ record: ContainerRecord) throws(ShaleError) {
        guard state(of: record.id).status == .paused else {
            throw ShaleError(.conflict, "Container \(record.id) is not paused")
        }
        try runtime.unpause(socketDirectory: socket(record))
    }

    /// Waits for a container's end and returns its exit code; at once when it does not run.
    ///
    /// Throws `cancelled` when it is stopped before the container ends.
    package func wait(_ record: ContainerRecord, cancellation: Cancellation) throws(ShaleError) -> Int32 {
        let state = state(of: record.id)
        guard state.isRunning else { return state.exitCode }
        do throws(ShaleError) {
            let code = try runtime.wait(socketDirectory: socket(record)) { !cancellation.isCancelled }
            try cancellation.check()
            if let code { return code }
        } catch {
            if error.code == .cancelled { throw error }
        }
        // It ended between the check and the request, or its runner was killed.
        return self.state(of: record.id).exitCode
    }

    /// Removes a container with what it wrote and its nameless volumes.
    ///
    /// With `force`, kills it first when it runs. With a session it is moved to the trash whole, until that session
    /// releases it; returns whether it was: on a full disk it is gone for good, and so is one with `--rm`, which goes
    /// by itself meanwhile. Throws `conflict` when the container runs and `force` is not set, and what killing it or
    /// writing to the store throws.
    @discardableResult
    package func remove(
        _ record: ContainerRecord, force: Bool = false, named text: String, retainedBy session: SessionFolder? = nil
    ) throws(ShaleError) -> Bool {
        let state = state(of: record.id)
        if state.isRunning {
            guard force else { throw Self.refusal(to: text, record, state) }
            do throws(ShaleError) {
                try kill(record, named: text)
            } catch {
                // It may have ended by itself between the check and the signal.
                if self.state(of: record.id).isRunning { throw error }
            }
        }
        if let session, !record.host.autoRemove, !store.isDiskFull, try keeps(record, for: session) { return true }
        try store.containers.remove(record.id)
        removeAnonymousVolumes(of: record)
        return false
    }

    /// The error of removing a container that runs.
    private static func refusal(to text: String, _ record: ContainerRecord, _ state: ContainerState) -> ShaleError {
        guard state.status != .restarting else {
            return ShaleError(
                .conflict,
                "You cannot remove a restarting container \(record.id). Stop the container before attempting "
                    + "removal or force remove", hint: "rm -f \(text)")
        }
        let isPaused = state.status == .paused
        return ShaleError(
            .conflict,
            isPaused
                ? "cannot remove container \"\(text)\": container is paused and must be unpaused first"
                : "cannot remove container \"\(text)\": container is running: stop the container before "
                    + "removing or force remove",
            hint: isPaused ? "unpause \(text)" : "rm -f \(text)")
    }

    /// Removes a container whose record is damaged, for good: nothing else can be done with it, and while it is there
    /// nothing that it may use is removed.
    ///
    /// Throws `notFound` when there is no such container, `conflict` for one that runs, and what removing it throws.
    package func removeDamaged(_ text: String) throws(ShaleError) {
        let id = try store.containers.id(of: text)
        guard !state(of: id).isRunning else {
            throw ShaleError(
                .conflict,
                "cannot remove container \"\(text)\": its record is damaged and it runs: end its process first")
        }
        try store.containers.remove(id, named: text)
    }

    /// Moves a container to the trash for a session's `undo`; `false` where the disk has no room for that.
    private func keeps(_ record: ContainerRecord, for session: SessionFolder) throws(ShaleError) -> Bool {
        do throws(ShaleError) {
            try session.addRoots(SessionRoots(containers: [record.id]))
            try store.containers.moveToTrash(record.id)
        } catch {
            guard error.code == .noSpace else { throw error }
            return false
        }
        try moveVolumesToTrash(of: record)
        return true
    }

    /// Puts a removed container back, stopped, with its id, name, changes and nameless volumes; nothing where it is
    /// back already.
    ///
    /// Returns whether it was put back.
    ///
    /// Throws `conflict`, touching nothing, when its name is taken meanwhile or a volume is gone, `notFound` when it is
    /// gone itself.
    package func bringBack(_ id: String) throws(ShaleError) -> Bool {
        if try ifFound(store.containers.record(id)) != nil { return false }
        try checkBringingBack(id)
        try returnVolumes(of: id)
        try store.containers.bringBack(id)
        return true
    }

    /// Throws what `bringBack` would.
    package func checkBringingBack(_ id: String) throws(ShaleError) {
        if try ifFound(store.containers.record(id)) != nil { return }
        guard let record = try store.containers.trashRecord(id) else {
            throw ShaleError(.notFound, "container \(Identifier.short(id)) has been pruned")
        }
        if let holder = try ifFound(store.containers.find(record.name)), holder.name == record.name {
            throw ShaleError(
                .conflict, "the name \(record.name) is taken by container \(Identifier.short(holder.id)) meanwhile",
                hint: "rename \(record.name) \(record.name)-2")
        }
        for volume in missingVolumes(of: record) {
            throw ShaleError(.conflict, "container \(record.name): its volume \(volume) is gone")
        }
    }

    /// Moves a container to the trash again, for `redo`; nothing where it is there already.
    ///
    /// Returns whether it was moved.
    ///
    /// Throws `notFound` when the container is gone, `conflict` when it runs, and `noSpace` when it cannot be kept: here
    /// nothing is removed for good.
    package func moveToTrashAgain(_ id: String, retainedBy session: SessionFolder) throws(ShaleError) -> Bool {
        guard let record = try ifFound(store.containers.record(id)) else {
            if try store.containers.trashRecord(id) != nil { return false }
            throw ShaleError(.notFound, "container \(Identifier.short(id)) is gone")
        }
        let state = state(of: record.id)
        guard !state.isRunning else { throw Self.refusal(to: record.name, record, state) }
        guard try keeps(record, for: session) else {
            throw ShaleError(
                .noSpace, "container \(record.name) stays: there is no space left to keep it for undo",
                hint: "system df")
        }
        return true
    }

    /// Gives a container another name.
    ///
    /// Throws `invalid` for what is no name, `conflict` for a name that another container has, and what writing the
    /// record throws.
    package func rename(_ record: ContainerRecord, to name: String) throws(ShaleError) {
        guard !name.isEmpty else { throw ShaleError(.invalid, "Neither old nor new names may be empty") }
        try store.containers.rename(record.id, to: name)
    }
}
