package import Basics
package import OCI

/// The stored description of a container: written when it is made; `inspect`, `ps`, `start` and `commit` read it.
package struct ContainerRecord: Sendable, Hashable, Codable {
    /// 64 hex digits.
    package var id: String
    /// Without docker's leading slash.
    package var name: String
    package var created: Timestamp
    /// The image's id, and the manifest that keeps its layers alive even when the image itself is removed.
    package var image: Digest
    package var manifest: Descriptor
    /// The reference as it was given.
    package var imageName: String
    package var platform: Platform?
    /// The image's config merged with the command line.
    package var config: ContainerConfig
    package var console: ConsoleConfig
    package var hostname: String
    package var domainname: String?
    /// The program, as given, and its arguments: entrypoint and command in one list.
    package var path: String
    package var arguments: [String]
    package var host: HostConfig
    /// Whether command or entrypoint came from the command line, not from the image.
    package var overridesCommand: Bool?
    /// Absolute paths that the engine made in the container to mount on; they do not count as changes of the container.
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

    /// The record of `container create` with a new id and no name yet: `ContainerStore.create` finds one.
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

/// One thing shale did to a container, kept so that a recipe can tell how it came to be.
package struct ContainerEvent: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// The container's own command ran.
        case run
        /// A command ran beside it.
        case exec
        /// Files came in from the host, or from another container.
        case copyIn
        case copyOut
        /// A file edited in place.
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
    /// Whether a person could type into it at a terminal (`-it`): then its words do not describe all that it did.
    package var isInteractive: Bool?
    /// A tar of what a copy brought, kept as a blob: what stands there may be changed later.
    package var payload: [Digest]?
    /// When it began; `at` is when it was over.
    package var began: Timestamp?
    /// Paths of the container that are not as they were when it began, sorted; `nil` where nobody looked.
    package var changed: [String]?
    /// Paths that had changed since the event before, by something that is no event, when it began.
    package var changedBefore: [String]?
    /// Whether no other process of the container ran meanwhile.
    package var wasAlone: Bool?
    /// Whether it had more rights than the container (`--privileged`).
    package var isPrivileged: Bool?
    /// Whether, when it began, something lay outside the container's layer that no `RUN` finds there: files in
    /// `/dev/shm`, a changed `/etc/hosts`.
    package var foundTraces: Bool?

    package init(_ kind: Kind, arguments: [String], at: Timestamp = .now()) {
        self.kind = kind
        self.at = at
        self.arguments = arguments
    }
}
