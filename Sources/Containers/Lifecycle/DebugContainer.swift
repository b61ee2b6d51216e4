package import Basics
import Glibc
import Images
package import Linux
import OCI
import RunnerProtocol
package import Runtime
package import Stores

/// What `debug` was asked for.
package struct DebugOptions: Sendable {
    /// Empty for the toolbox's shell.
    package var command: [String] = []
    package var interactive = true
    package var terminal = false
    package var environment: [String] = []
    package var workingDirectory: String?
    /// Root without one, whoever the container's own user is.
    package var user: String?
    package var initialSize: TerminalSize?

    package init() {}
}

/// What is looked into: a container, running or not, or an image.
package enum DebugTarget: Sendable {
    case container(ContainerView)
    /// Under the name it was given.
    case image(Image, name: String)
}

extension ContainerEngine {
    /// Where the toolbox is seen, and where it is when the container's root may not be written.
    private static let toolboxPlace = "/.shale"
    private static let readOnlyToolboxPlace = "/dev/.shale"

    /// The container or image of a name; an image that is not here is pulled.
    ///
    /// Throws `conflict` when the beginning of an id is ambiguous, and what `ImageEngine.ensureImage` throws.
    package func debugTarget(_ name: String, _ operation: OperationContext) throws(ShaleError) -> DebugTarget {
        if let meant = try store.container(meantBy: name) { return .container(view(of: meant.record)) }
        return .image(try images.ensureImage(name, operation), name: name)
    }

    /// Runs a shell with tools of its own in a container or an image that may have none, and removes the tools at the
    /// end.
    ///
    /// In a running container it joins what runs there: what it writes to the container's files is the container's,
    /// the tools are seen by it alone. A stopped container and an image are seen through a layer that is deleted.
    ///
    /// Throws `conflict` for a paused container, and what making the tools and running the shell throws.
    package func debug(
        _ target: DebugTarget, _ options: DebugOptions, streams: AttachStreams
    ) throws(ShaleError) -> AttachOutcome {
        var streams = streams
        // A user who detaches from it could not attach to it again.
        streams.detachKeys = nil
        let toolbox = try toolbox()
        switch target {
        case .container(let view) where view.state.status == .paused:
            throw ShaleError(
                .conflict, "Container \(view.record.name) is paused, unpause the container before debug",
                hint: "unpause \(view.record.name)")
        case .container(let view) where view.state.isRunning:
            return try debugRunning(view.record, options, toolbox, streams)
        case .container(let view):
            let record = view.record
            var spec = try throwaway(
                lowers: [store.containers.folder(record.id).upper] + lowerPaths(of: record), config: record.config,
                name: record.name, options, toolbox)
            spec.launch.mounts += record.host.mounts.map {
                BindMount(source: $0.source, destination: $0.destination, readOnly: true)
            }
            spec.launch.network = record.host.networkMode == "none" ? .none : .host
            return try run(spec, streams)
        case .image(let image, let name):
            return try run(
                throwaway(
                    lowers: images.lowerPaths(of: image), config: image.config.config ?? ContainerConfig(), name: name,
                    options, toolbox), streams)
        }
    }

    // MARK: Running ones

    private func debugRunning(
        _ record: ContainerRecord, _ options: DebugOptions, _ toolbox: String, _ streams: AttachStreams
    ) throws(ShaleError) -> AttachOutcome {
        let place = record.host.readOnlyRoot ? Self.readOnlyToolboxPlace : Self.toolboxPlace
        var spec = ExecSpec(
            arguments: Self.words(options, place),
            environment: ["HOSTNAME=\(record.hostname)"]
                + Self.environment(record.config.env ?? [], options, place, name: record.name),
            workingDirectory: options.workingDirectory ?? record.config.workingDir ?? "/",
            user: options.user ?? "0", terminal: options.terminal, openStdin: options.interactive)
        let rights = try rights(of: record)
        spec.capabilities = rights.capabilities.union(.sysPtrace)
        spec.seccomp = rights.seccomp
        spec.host.privileged = record.host.privileged
        spec.initialSize = options.initialSize
        spec.toolbox = (toolbox, place)
        return try runtime.exec(
            socketDirectory: store.containers.folder(record.id).socketDirectory, spec, streams: streams)
    }

    // MARK: What does not run

    /// A launch whose writable layer goes with its scratch folder.
    private struct Throwaway {
        var launch: LaunchSpec
        let folder: ScratchFolder
    }

    private func throwaway(
        lowers: [String], config: ContainerConfig, name: String, _ options: DebugOptions, _ toolbox: String
    ) throws(ShaleError) -> Throwaway {
        let folder = try ScratchFolder(in: store)
        try translating("debug") {
            for name in ["upper", "work"] {
                let path = "\(folder.path)/\(name)"
                try Linux.check("mkdir", path: path) { mkdir(path, 0o755) }
            }
        }
        let place = Self.toolboxPlace
        var spec = LaunchSpec(
            containerID: Identifier.random(), arguments: Self.words(options, place), lowerPaths: lowers,
            upperPath: folder.path + "/upper", workPath: folder.path + "/work", logPath: "",
            statePath: folder.path + "/state.json", socketDirectory: folder.path, home: store.home)
        spec.volatile = true
        spec.environment = Self.environment(config.env ?? [], options, place, name: name)
        spec.workingDirectory = options.workingDirectory ?? config.workingDir ?? "/"
        spec.user = options.user ?? "0"
        spec.terminal = options.terminal
        spec.openStdin = options.interactive
        spec.capabilities = Capabilities.containerDefault.union(.sysPtrace)
        spec.mounts = [BindMount(source: toolbox, destination: place, readOnly: true)]
        spec.initialSize = options.initialSize
        spec.endsWithLauncher = true
        return Throwaway(launch: spec, folder: folder)
    }

    private func run(_ throwaway: Throwaway, _ streams: AttachStreams) throws(ShaleError) -> AttachOutcome {
        defer { withExtendedLifetime(throwaway.folder) {} }
        return try runtime.start(throwaway.launch, attach: streams).relay()
    }

    // MARK: The toolbox

    /// The tools' folder on the host: Debian's static busybox under the name of each of its programs; made once.
    private func toolbox() throws(ShaleError) -> String {
        let path = store.cache.folder + "/toolbox"
        if access(path + "/sh", X_OK) == 0 { return path }
        guard let program = StaticBusybox.path else {
            throw ShaleError(
                .notFound, "the toolbox is made of Debian's busybox-static, which is not installed",
                hint: "apt-get install busybox-static")
        }
        let names = try Self.output(of: [program, "--list"])
        let scratch = try ScratchFolder(in: store)
        let made = scratch.path + "/toolbox"
        try translating("toolbox") {
            try Linux.check("mkdir", path: made) { mkdir(made, 0o755) }
            let bytes = try WholeFile.read(program)
            try WholeFile.replace(made + "/busybox", with: bytes, mode: 0o755, syncing: false)
            for name in names where !name.contains("/") && name != "busybox" {
                try Linux.check("symlink", path: name) { symlink("busybox", "\(made)/\(name)") }
            }
            chmod(made + "/busybox", 0o755)
            // Another shale may have made it meanwhile; then that one is used.
            if Linux.rename(made, path) != 0, errno != ENOTEMPTY, errno != EEXIST {
                throw SystemCallError("rename", path: path)
            }
        }
        return path
    }

    private static func words(_ options: DebugOptions, _ place: String) -> [String] {
        options.command.isEmpty ? [place + "/sh"] : options.command
    }

    /// The container's own programs come first; those it lacks are found in the toolbox.
    private static func environment(
        _ own: [String], _ options: DebugOptions, _ place: String, name: String
    ) -> [String] {
        let merged = ContainerEnvironment.merge([DefaultPath.entry] + own, options.environment)
        return merged.map { $0.hasPrefix("PATH=") ? "\($0):\(place)" : $0 }
            + ["PS1=debug \(name.visible):\\w \\$ ", "SHALE_DEBUG=\(name.visible)"]
    }
}
