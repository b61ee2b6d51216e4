package import Basics
package import OCI

/// The stored description of a container.
///
/// It is written by `create`; `inspect`, `ps`, `start` and `commit` read it.
package struct ContainerRecord: Sendable, Hashable, Codable {
    /// 64 hex digits.
    package var id: String
    /// Without docker's leading slash.
    package var name: String
    package var created: Timestamp
    /// The image's ID.
    package var image: Digest
    package var manifest: Descriptor
    /// The reference as the user gave it.
    package var imageName: String
    package var platform: Platform?
    /// The image's config merged with the command line.
    package var config: ContainerConfig
    package var console: ConsoleConfig
    package var hostname: String
    package var domainname: String?
    /// The program as given, and its arguments: entrypoint and command as one list.
    package var path: String
    package var arguments: [String]
    package var host: HostConfig
    /// Whether command or entrypoint came from the command line, not from the image.
    package var overridesCommand: Bool?
    /// Paths that shale created in the container as mount points.
    ///
    /// They do not count as changes.
    package var mountStubs: [String]
    /// The session that made it.
    package var session: String?

    package init(
        id: String, name: String, created: Timestamp, image: Digest, manifest: Descriptor, imageName: String,
        config: ContainerConfig, path: String, arguments: [String]
    ) {
        self.id = id
        self.name = name
        self.created = created
        self.image = image
        self.manifest = manifest
        self.imageName = imageName
        self.config = config
        console = ConsoleConfig()
        hostname = Identifier.short(id)
        self.path = path
        self.arguments = arguments
        host = HostConfig()
        mountStubs = []
    }

    /// A record with a new ID and no name yet: `ContainerStore.create` generates one.
    package init(image: Image, imageName: String, config: ContainerConfig, path: String, arguments: [String]) {
        self.init(
            id: Identifier.random(), name: "", created: .now(), image: image.id, manifest: image.manifestDescriptor,
            imageName: imageName, config: config, path: path, arguments: arguments)
        platform = image.config.platform
    }

    package var labels: [String: String] { config.labels ?? [:] }
    /// Program and arguments as one list.
    package var command: [String] { [path] + arguments }
}

/// The terminal and streams of a container (docker's `Tty`, `OpenStdin`, `Attach…`).
package struct ConsoleConfig: Sendable, Hashable, Codable {
    package var tty = false
    package var openStdin = false
    package var stdinOnce = false
    package var attachStdin = false
    package var attachStdout = false
    package var attachStderr = false
    package var detachKeys: String?

    package init() {}
}

/// A container event: one action of shale on a container, kept for recipes.
package struct ContainerEvent: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// The container's own command ran.
        case run
        /// A command ran in the container beside its own.
        case exec
        /// Files were copied in from the host or from another container.
        case copyIn
        case copyOut
        /// A file was edited in place.
        case edit
        case commit
    }

    package var kind: Kind
    package var at: Timestamp
    /// The command's words, or the sources of a copy.
    package var arguments: [String]
    /// A copy's destination in the container.
    package var destination: String?
    package var workingDirectory: String?
    package var user: String?
    package var environment: [String]?
    package var exitCode: Int32?
    /// Whether the user could type into it at a terminal (`-it`).
    ///
    /// Then its arguments do not describe everything it did.
    package var isInteractive: Bool?
    /// The blobs of a tar with the copied files, because the files may change later.
    package var payload: [Digest]?
    /// The time of its begin; `at` is the time of its end.
    package var began: Timestamp?
    /// Paths in the container that it changed, sorted; `nil` when that was not recorded.
    package var changed: [String]?
    /// Paths that had changed between the previous event and this one, without an event.
    package var changedBefore: [String]?
    /// Whether no other process of the container ran at the same time.
    package var wasAlone: Bool?
    /// Whether it had more privileges than the container (`--privileged`).
    package var isPrivileged: Bool?
    /// Whether there was state outside the container's layer at its begin which a `RUN` would not have: files in
    /// `/dev/shm`,
    /// or a changed `/etc/hosts`.
    package var foundTraces: Bool?

    package init(_ kind: Kind, arguments: [String], at: Timestamp = .now()) {
        self.kind = kind
        self.at = at
        self.arguments = arguments
    }
}
