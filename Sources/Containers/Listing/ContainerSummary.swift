package import Basics
import Glibc
import Linux
import OCI
package import RunnerProtocol
import Runtime
package import Stores

/// A container and its current state.
package struct ContainerView: Sendable {
    package var record: ContainerRecord
    package var state: ContainerState

    /// The text of docker's STATUS column, such as `Up 4 minutes (Paused)`, `Exited (0) 5 minutes ago` or `Created`.
    package func statusWords(now: Timestamp = .now()) -> String {
        func since(_ moment: Timestamp?) -> String {
            HumanUnits.duration(seconds: max(0, now.seconds(since: moment ?? record.created)))
        }
        switch state.status {
        case .created: return "Created"
        case .running: return "Up \(since(state.startedAt))\(healthWords)"
        case .paused: return "Up \(since(state.startedAt)) (Paused)"
        case .restarting: return "Restarting (\(state.exitCode)) \(since(state.finishedAt)) ago"
        case .exited: return "Exited (\(state.exitCode)) \(since(state.finishedAt)) ago"
        case .removing: return "Removal In Progress"
        case .dead: return "Dead"
        }
    }

    private var healthWords: String {
        switch state.health?.status {
        case nil: ""
        case .starting?: " (health: starting)"
        case let status?: " (\(status.rawValue))"
        }
    }
}

/// A row of `ps`.
package struct ContainerSummary: Sendable {
    package var view: ContainerView
    /// The image's name as given, or the short ID of the image when the name stands for another image now.
    package var imageName: String
    /// The program and its arguments, quoted as for a shell.
    package var command: String
    /// The size of the container's changes, and that size with the image, in bytes; only on request.
    package var size: (own: Int64, virtual: Int64)?
    package var ports: String
}

extension ContainerEngine {
    /// A container with its state.
    ///
    /// When its runner was killed, it counts as exited.
    package func view(of record: ContainerRecord) -> ContainerView {
        ContainerView(record: record, state: state(of: record.id))
    }

    /// The container that a text names, with its state.
    ///
    /// Throws `notFound` when there is no such container, and `conflict` when the beginning of an id is ambiguous.
    package func container(_ text: String) throws(ShaleError) -> ContainerView {
        view(of: try store.containers.find(text))
    }

    /// The state that a container's runner wrote last; a container that should run and has no runner was killed with
    /// it.
    package func state(of id: String) -> ContainerState {
        var state = store.containers.state(id)
        guard state.isRunning, !ContainerRuntime.isAlive(socketDirectory: store.containers.folder(id).socketDirectory)
        else {
            return state
        }
        // It may have ended just now: its runner wrote the state after our first read.
        state = store.containers.state(id)
        guard state.isRunning else { return state }
        // Ends processes that outlived the runner, and writes the state; when that fails, the state is returned all the
        // same.
        let folder = store.containers.folder(id)
        if (try? ContainerRuntime.recover(
            containerID: id, socketDirectory: folder.socketDirectory, statePath: folder.state)) == true
        {
            if let record = try? store.containers.record(id) {
                store.events.append(StoreEvent("die", of: record, ["exitCode": "137"]))
            }
            return store.containers.state(id)
        }
        state.status = .exited
        state.exitCode = 137
        state.pid = 0
        state.error = "the container's runner was killed"
        state.finishedAt = state.finishedAt ?? state.startedAt
        return state
    }

    /// The rows of `ps`, newest first.
    ///
    /// A container whose record cannot be read is left out, and `passingOver` gets the error. Throws what reading the
    /// store or applying the filter throws.
    package func list(
        _ filter: ContainerFilter = ContainerFilter(), sizes: Bool = false, passingOver: (ShaleError) -> Void
    ) throws(ShaleError) -> [ContainerSummary] {
        var views = removeEnded(try store.containers.readable(passingOver: passingOver).map { view(of: $0) })
        views = try filter.apply(to: views, self)
        guard !views.isEmpty else { return [] }
        let images = try store.images.all(includingIntermediate: true)
        var identifiers: [String: Digest] = [:]
        for image in images {
            for reference in image.references { identifiers[reference.description] = image.id }
        }
        let listed = try store.images.listed(as: views.map(\.record.image))
        var sizesOfImages: [Digest: Int64] = [:]
        if sizes { for image in images { sizesOfImages[image.id] = image.size } }
        return views.map { view in
            let record = view.record
            var summary = ContainerSummary(
                view: view, imageName: displayName(of: record, identifiers, listed), command: record.command.shellWords,
                ports: "")
            summary.ports = ContainerPort.summary(view.ports)
            if sizes {
                let own = (try? FileTree.usage(of: store.containers.folder(record.id).upper).bytes) ?? 0
                summary.size = (own, own &+ (sizesOfImages[record.image] ?? 0))
            }
            return summary
        }
    }

    private func displayName(
        of record: ContainerRecord, _ identifiers: [String: Digest], _ listed: [Digest: Digest]
    ) -> String {
        let given = record.imageName
        if given.isEmpty { return "<no image>" }
        if record.image.description.hasPrefix(given) || record.image.hex.hasPrefix(given) { return given }
        guard let reference = try? Reference(parsing: given) else { return given }
        if reference.digest != nil { return given }
        let image = listed[record.image] ?? record.image
        return identifiers[reference.withDefaultTag.description] == image ? given : record.image.short
    }
}

extension [String] {
    /// Words as one command line, each quoted where it needs it (docker's `Path` and `Args` in `ps`).
    fileprivate var shellWords: String {
        map { word in
            let isPlain =
                !word.isEmpty
                && word.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                        || "_-./:=+,@%^".utf8.contains(byte)
                }
            return isPlain
                ? word
                : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\"'\"'") + "'"
        }.joined(separator: " ")
    }
}
