package import Basics

/// An image's config: what to run, and the layers it stands on (image-spec v1.1, config.md; docker's additions).
package struct ImageConfig: Sendable, Hashable, Codable {
    package var created: Timestamp?
    package var author: String?
    package var architecture: String
    package var variant: String?
    package var os: String
    package var osVersion: String?
    package var osFeatures: [String]?
    package var config: ContainerConfig?
    package var rootfs: RootFS
    package var history: [History]?

    private enum CodingKeys: String, CodingKey {
        case created, author, architecture, variant, os, config, rootfs, history
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    package init(platform: Platform = .host) {
        architecture = platform.architecture
        os = platform.os
        variant = platform.variant
        rootfs = RootFS(diffIDs: [])
    }

    package var platform: Platform { Platform(os: os, architecture: architecture, variant: variant) }
}

/// The stack of layers, lowest first, by digest of each one's uncompressed tar.
package struct RootFS: Sendable, Hashable, Codable {
    package var type: String
    package var diffIDs: [Digest]

    private enum CodingKeys: String, CodingKey {
        case type
        case diffIDs = "diff_ids"
    }

    package init(diffIDs: [Digest]) {
        type = "layers"
        self.diffIDs = diffIDs
    }
}

/// One line of an image's history; all but the empty ones made a layer.
package struct History: Sendable, Hashable, Codable {
    package var created: Timestamp?
    package var author: String?
    package var createdBy: String?
    package var comment: String?
    package var emptyLayer: Bool?

    private enum CodingKeys: String, CodingKey {
        case created, author, comment
        case createdBy = "created_by"
        case emptyLayer = "empty_layer"
    }

    package init(
        created: Timestamp?, createdBy: String?, author: String? = nil, comment: String? = nil,
        emptyLayer: Bool = false
    ) {
        self.created = created
        self.author = author
        self.createdBy = createdBy
        self.comment = comment
        self.emptyLayer = emptyLayer ? true : nil
    }
}

/// How a container of the image starts: docker's `Config` (config.md, property `config`).
package struct ContainerConfig: Sendable, Hashable, Codable {
    package var user: String?
    package var exposedPorts: [String: EmptyObject]?
    package var env: [String]?
    package var entrypoint: [String]?
    package var cmd: [String]?
    package var volumes: [String: EmptyObject]?
    package var workingDir: String?
    package var labels: [String: String]?
    package var stopSignal: String?
    /// Seconds docker waits between `stop`'s signal and SIGKILL.
    package var stopTimeout: Int?
    package var healthcheck: HealthConfig?
    package var onBuild: [String]?
    package var shell: [String]?
    package var argsEscaped: Bool?
    package var memory: Int64?
    package var networkDisabled: Bool?
    /// What docker keeps of the container an image was committed from; no container of the image is started by it.
    package var hostname: String?
    package var domainname: String?
    package var attachStdin: Bool?
    package var attachStdout: Bool?
    package var attachStderr: Bool?
    package var tty: Bool?
    package var openStdin: Bool?
    package var stdinOnce: Bool?

    private enum CodingKeys: String, CodingKey {
        case user = "User"
        case exposedPorts = "ExposedPorts"
        case env = "Env"
        case entrypoint = "Entrypoint"
        case cmd = "Cmd"
        case volumes = "Volumes"
        case workingDir = "WorkingDir"
        case labels = "Labels"
        case stopSignal = "StopSignal"
        case stopTimeout = "StopTimeout"
        case healthcheck = "Healthcheck"
        case onBuild = "OnBuild"
        case shell = "Shell"
        case argsEscaped = "ArgsEscaped"
        case memory = "Memory"
        case networkDisabled = "NetworkDisabled"
        case hostname = "Hostname"
        case domainname = "Domainname"
        case attachStdin = "AttachStdin"
        case attachStdout = "AttachStdout"
        case attachStderr = "AttachStderr"
        case tty = "Tty"
        case openStdin = "OpenStdin"
        case stdinOnce = "StdinOnce"
    }

    package init() {}

    /// The shell for the shell form of RUN, CMD and ENTRYPOINT, and for the lines of a container.
    package var commandShell: [String] {
        if let shell, !shell.isEmpty { return shell }
        return ["/bin/sh", "-c"]
    }

    /// The names of the variables that are set.
    package var environmentNames: Set<String> { Set((env ?? []).map { String($0.prefix { $0 != "=" }) }) }
}

/// Docker's health check; times in nanoseconds.
package struct HealthConfig: Sendable, Hashable, Codable {
    /// `[]` inherit, `["NONE"]` none, `["CMD", …]`, `["CMD-SHELL", text]`.
    package var test: [String]?
    package var interval: Int64?
    package var timeout: Int64?
    package var startPeriod: Int64?
    package var startInterval: Int64?
    package var retries: Int?

    private enum CodingKeys: String, CodingKey {
        case test = "Test"
        case interval = "Interval"
        case timeout = "Timeout"
        case startPeriod = "StartPeriod"
        case startInterval = "StartInterval"
        case retries = "Retries"
    }

    package init(test: [String]? = nil) { self.test = test }
}

/// `{}`: the value of Go's `map[string]struct{}`.
package struct EmptyObject: Sendable, Hashable, Codable {
    package init() {}
}

extension ContainerConfig {
    /// Sets `name` to `value`, in place where the name is there already.
    package mutating func setEnvironment(_ name: String, _ value: String) {
        var list = env ?? []
        // By bytes: two spellings of a letter are two names.
        let start = Array("\(name)=".utf8)
        if let position = list.firstIndex(where: {
            $0.utf8.starts(with: start) || $0.utf8.elementsEqual(start.dropLast())
        }) {
            list[position] = "\(name)=\(value)"
        } else {
            list.append("\(name)=\(value)")
        }
        env = list
    }
}
