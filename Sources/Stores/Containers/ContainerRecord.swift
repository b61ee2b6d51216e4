package import Basics
package import OCI

/// What a container is: written when it is made, and all that `inspect`, `ps`, `start` and `commit` need of it.
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
    /// Image's config and command line made one.
    package var config: ContainerConfig
    package var console: ConsoleConfig
    package var hostname: String
    package var domainname: String?
    /// The program, as given, and its arguments: entrypoint and command made one.
    package var path: String
    package var arguments: [String]
    package var host: HostConfig
    /// Whether command or entrypoint came from the command line, not from the image.
    package var overridesCommand: Bool?
    /// Absolute paths the engine made in the container as places to mount on; no change of the container's.
    package var mountStubs: [String]
    /// The session that made it.
    package var session: String?
    /// Notes of the engine's own, for what has no member yet.
    package var notes: [String: String]?

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

/// What the host gives a container (docker's `HostConfig`).
package struct HostConfig: Sendable, Hashable, Codable {
    /// `host`, `none`, `private` or `container:ID`; `default` is the host's for want of a word, with names of its own in `/etc/hosts`.
    package var networkMode = "default"
    /// What it comes to.
    package var network: String { networkMode == "default" ? "host" : networkMode }
    /// The container whose network it shares.
    package var networkContainer: String? {
        networkMode.hasPrefix("container:") ? String(networkMode.dropFirst(10)) : nil
    }
    package var autoRemove = false
    package var privileged = false
    package var readOnlyRoot = false
    package var useInit = false
    /// `SOURCE:DESTINATION[:OPTIONS]`, as given.
    package var binds: [String] = []
    package var mounts: [MountRecord] = []
    /// Destination → options.
    package var tmpfs: [String: String] = [:]
    package var capAdd: [String] = []
    package var capDrop: [String] = []
    package var securityOptions: [String] = []
    /// `host:address`.
    package var extraHosts: [String] = []
    package var dns: [String] = []
    package var groupAdd: [String] = []
    package var devices: [String] = []
    /// Published ports as given (`8080:80/tcp`).
    package var ports: [String] = []
    package var publishAll = false
    /// Bytes; 0 is no limit.
    package var memory: Int64 = 0
    /// Bytes of memory and swap together; -1 without bound, `nil` for twice the memory.
    package var memorySwap: Int64?
    /// Billionths of a processor; 0 is no limit.
    package var nanoCPUs: Int64 = 0
    package var cpuShares: Int64?
    package var cpuSet: String?
    /// 0 is no limit.
    package var pidsLimit: Int64 = 0
    /// `nofile=1024:2048`, as given.
    package var ulimits: [String] = []
    package var shmSize: Int64?
    /// Docker's restart policy, such as `no` or `always`.
    package var restartPolicy: String?
    /// How often `on-failure` starts it again at most.
    package var restartLimit: Int?
    package var containerIDFile: String?

    package init() {}
}

/// One mount as the command line made it.
package struct MountRecord: Sendable, Hashable, Codable {
    /// `bind`, `volume` or `tmpfs`.
    package var type: String
    /// A host path; a volume's own folder; empty for tmpfs.
    package var source: String
    package var destination: String
    package var readOnly: Bool
    /// The volume's name, for `volume`.
    package var name: String?
    package var options: String?

    package init(
        type: String, source: String, destination: String, readOnly: Bool = false, name: String? = nil,
        options: String? = nil
    ) {
        self.type = type
        self.source = source
        self.destination = destination
        self.readOnly = readOnly
        self.name = name
        self.options = options
    }
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
    /// Whether its words could be typed by a person at a terminal in between (`-it`): then they do not tell all.
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
    /// Whether, when it began, something lay outside the container's layer that no `RUN` finds there: files in `/dev/shm`,
    /// a changed `/etc/hosts`.
    package var foundTraces: Bool?

    package init(_ kind: Kind, arguments: [String], at: Timestamp = .now()) {
        self.kind = kind
        self.at = at
        self.arguments = arguments
    }
}
