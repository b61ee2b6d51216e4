import Basics
import Dockerfiles
import Glibc
import Images
import Linux
import OCI
import Runtime
import Stores

/// The options of `run` and `create`, read and checked before anything is pulled or made.
struct ContainerPlan {
    let options: RunOptions
    let environment: [String]
    let labels: [String: String]
    let mounts: [MountRequest]
    let extraHosts: [String]
    let exposedPorts: [String: EmptyObject]
    let network: String
    private(set) var resources: ContainerLimits
    let restart: RestartOption?
    let sharedMemory: Int64?
    /// Warnings to show to the user.
    private(set) var notes: [String] = []

    /// - Throws: docker's words for what cannot be read, `unsupported` for what this engine cannot do.
    init(_ options: RunOptions) throws(ShaleError) {
        self.options = options
        environment = try EnvironmentOption.all(files: options.environmentFiles, values: options.environment)
        labels = try EnvironmentOption.labels(files: options.labelFiles, values: options.labels)
        mounts = try Self.mounts(options)
        var hosts: [String] = []
        for text in options.extraHosts { hosts.append(try ExtraHost.parse(text)) }
        extraHosts = hosts
        network = try Self.network(options)
        resources = try ContainerLimits(options.resources)
        try resources.check()
        restart = try options.restart.map { text throws(ShaleError) in try RestartOption(parsing: text) }
        if options.host.autoRemove, let restart, restart.name != "no" {
            throw ShaleError(.usage, "conflicting options: cannot specify both --restart and --rm", exitStatus: 125)
        }
        sharedMemory = try options.sharedMemory.map { text throws(ShaleError) in
            try ByteSize.bytes(text, .binary, flag: "--shm-size")
        }
        (exposedPorts, notes) = try Self.ports(options, network: network)
        // A limit that cannot be enforced here is dropped, with a warning.
        notes += resources.dropImpossible().map { words in
            "WARNING: \(words). Limitation discarded. doctor says what is lacking"
        }
        if let note = restart?.note { notes.append(note) }
        try check()
    }

    private static func mounts(_ options: RunOptions) throws(ShaleError) -> [MountRequest] {
        var requests: [MountRequest] = []
        for text in options.mounts {
            requests.append(try MountRequest(mount: text, hostDirectory: options.hostDirectory))
        }
        // A mount that is given twice in the same words is one mount, as in docker.
        var volumes: Set<String> = []
        for text in options.volumes where volumes.insert(text).inserted {
            requests.append(try MountRequest(volume: text, hostDirectory: options.hostDirectory))
        }
        for text in options.tmpfs { requests.append(try MountRequest(tmpfs: text)) }
        var seen: Set<String> = []
        for request in requests where !request.isDeclaration && !seen.insert(request.destination).inserted {
            throw ShaleError(.invalid, "Duplicate mount point: \(request.destination)")
        }
        return requests
    }

    /// The host's, unless another is asked for; ports to be published ask for one of the container's own.
    private static func network(_ options: RunOptions) throws(ShaleError) -> String {
        switch options.network {
        case nil where !options.host.ports.isEmpty || options.host.publishAll:
            try NetworkProgram.require(for: options.host.ports.first.map { "-p \($0)" } ?? "-P")
            return "private"
        case nil:
            // What belongs to a network namespace is not set in the host's.
            guard let sysctl = options.host.sysctls.first(where: { $0.hasPrefix("net.") }) else { return "default" }
            try NetworkProgram.require(for: "--sysctl \(sysctl)")
            return "private"
        case "default": return "default"
        case "host": return "host"
        case "none": return "none"
        case "private", "bridge":
            try NetworkProgram.require(for: "--network private")
            return "private"
        case let shared? where shared.hasPrefix("container:"):
            try checkShared(options, name: String(shared.dropFirst(10)))
            return shared
        case let other?:
            throw ShaleError(
                .notFound, "network \(other) not found",
                hint: "use --network host, none, private or container:NAME: containers that share one reach each other "
                    + "by localhost")
        }
    }

    /// What belongs to the other container's network cannot be given here; docker's words.
    private static func checkShared(_ options: RunOptions, name: String) throws(ShaleError) {
        guard !name.isEmpty else {
            throw ShaleError(.invalid, "invalid network mode: invalid container format container:<name|id>")
        }
        if let own = options.name, own == name { throw ShaleError(.invalid, "cannot join own network") }
        let conflicts: [(Bool, String)] = [
            (options.hostname != nil, "hostname and the network mode"),
            (!options.host.dns.isEmpty, "dns and the network mode"),
            (!options.extraHosts.isEmpty, "custom host-to-IP mapping and the network mode"),
            (
                options.host.publishAll || !options.host.ports.isEmpty,
                "port publishing and the container type network mode"
            ),
            (!options.expose.isEmpty, "port exposing and the container type network mode"),
        ]
        for (isGiven, words) in conflicts where isGiven {
            throw ShaleError(.invalid, "conflicting options: \(words)")
        }
    }

    /// What is exposed: what is said to be, and what is published; on a network without ports of its own a warning.
    private static func ports(
        _ options: RunOptions, network: String
    ) throws(ShaleError) -> ([String: EmptyObject], [String]) {
        var exposed: [String: EmptyObject] = [:]
        for text in options.expose {
            for key in try PortSpecification(parsing: text).keys { exposed[key] = EmptyObject() }
        }
        for text in options.host.ports {
            for port in try PublishedPort.parse(text) { exposed["\(port.containerPort)/\(port.proto)"] = EmptyObject() }
        }
        let isDiscarded = network != "private" && (!options.host.ports.isEmpty || options.host.publishAll)
        return (
            exposed,
            isDiscarded
                ? [
                    "WARNING: Published ports are discarded when using \(network == "default" ? "host" : network) network mode"
                ] : []
        )
    }

    /// What is only looked at here, so that it fails before a pull.
    private func check() throws(ShaleError) {
        if let directory = options.workingDirectory, !directory.isEmpty, !directory.hasPrefix("/") {
            throw ShaleError(
                .invalid,
                "the working directory '\(directory)' is invalid, it needs to be an absolute path")
        }
        if let name = options.name, !name.isEmpty { _ = try ContainerName.validated(name) }
        if let signal = options.stopSignal, Signals.number(of: signal) == nil {
            throw ShaleError(.invalid, "Invalid signal: \(signal)")
        }
        _ = try ContainerEngine.security(options.securityOptions, relativeTo: options.hostDirectory)
        _ = try CapabilityOptions.mask(
            added: options.addedCapabilities, dropped: options.droppedCapabilities, privileged: options.host.privileged)
        for limit in options.host.ulimits { _ = try ResourceLimit(parsing: limit) }
        for device in options.host.devices { _ = try DeviceOption(parsing: device).nodes() }
        for address in options.host.dns where !ExtraHost.isAddress(address) {
            throw ShaleError(
                .usage, "invalid argument \"\(address)\" for \"--dns\" flag", cause: "\(address) is not an ip address")
        }
        try checkSysctls()
        for stream in options.attach where !["stdin", "stdout", "stderr"].contains(stream.lowercased()) {
            throw ShaleError(
                .usage, "invalid argument \"\(stream)\" for \"-a, --attach\" flag",
                cause: "valid streams are STDIN, STDOUT and STDERR")
        }
        if let driver = options.host.logDriver, driver != "none", driver != "json-file" {
            throw ShaleError(.unsupported, "--log-driver \(driver) is not supported", hint: "json-file or none")
        }
        _ = try LogFileOptions(options.host.logOptions)
        _ = try options.health.config(over: nil)
        if options.detach, !options.attach.isEmpty {
            throw ShaleError(.usage, "Conflicting options: -a and -d", exitStatus: 125)
        }
        if let file = options.host.containerIDFile, access(file, F_OK) == 0 {
            throw ShaleError(
                .conflict,
                "container ID file found, make sure the other container isn't running or delete \(file)")
        }
    }

    /// Docker's list of what belongs to a namespace of the container's own.
    private func checkSysctls() throws(ShaleError) {
        let known: Set<String> = [
            "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
            "kernel.shmmni", "kernel.shm_rmid_forced",
        ]
        for sysctl in options.host.sysctls {
            let key = sysctl.prefix { $0 != "=" }
            guard key.hasPrefix("net.") || key.hasPrefix("fs.mqueue.") || known.contains(String(key)),
                sysctl.contains("="), !key.contains("/"), !key.contains("..")
            else {
                throw ShaleError(
                    .usage, "invalid argument \"\(sysctl)\" for \"--sysctl\" flag",
                    cause: "sysctl '\(sysctl)' is not whitelisted")
            }
            if key.hasPrefix("net."), network == "host" || network == "default" {
                throw ShaleError(
                    .unsupported, "sysctl \"\(key)\" not allowed in host network namespace",
                    hint: "run --network none --sysctl \(sysctl)")
            }
        }
    }

    /// The container of an image these options make, not stored yet; its mounts are the caller's.
    func record(for image: Image) throws(ShaleError) -> ContainerRecord {
        let base = image.config.config
        let command = try ContainerCommand(image: base, entrypoint: options.entrypoint, command: options.command)
        var config = base ?? ContainerConfig()
        config.entrypoint = command.entrypoint
        config.cmd = command.cmd
        config.user = options.user ?? base?.user
        config.workingDir = options.workingDirectory ?? base?.workingDir
        config.env = Self.merged(environment, base?.env ?? [])
        let labels = (base?.labels ?? [:]).merging(self.labels) { _, own in own }
        config.labels = labels.isEmpty ? nil : labels
        let exposed = (base?.exposedPorts ?? [:]).merging(exposedPorts) { _, own in own }
        config.exposedPorts = exposed.isEmpty ? nil : exposed
        config.healthcheck = try options.health.config(over: base?.healthcheck)
        config.stopSignal = options.stopSignal ?? base?.stopSignal
        config.stopTimeout = options.stopTimeout ?? base?.stopTimeout
        for request in mounts where request.isDeclaration {
            config.volumes = (config.volumes ?? [:]).merging([request.destination: EmptyObject()]) { old, _ in old }
        }
        config.onBuild = nil
        let arguments = command.arguments
        var record = ContainerRecord(
            image: image, imageName: options.image, config: config, path: arguments.first ?? "",
            arguments: Array(arguments.dropFirst()))
        record.name = options.name.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 } ?? ""
        if let hostname = options.hostname {
            record.hostname = hostname
        } else if options.network == "host" {
            record.hostname = Self.hostName ?? record.hostname
        }
        record.domainname = options.domainname
        record.overridesCommand = options.command.isEmpty && options.entrypoint == nil ? nil : true
        setConsole(&record)
        try setHost(&record)
        return record
    }

    private static var hostName: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The user's variables first, as docker lists them, then the image's that they leave alone.
    private static func merged(_ own: [String], _ image: [String]) -> [String]? {
        let names = Set(own.map { $0.prefix { $0 != "=" } })
        let all = own + image.filter { !names.contains($0.prefix { $0 != "=" }) }
        return all.isEmpty ? nil : all
    }

    private func setConsole(_ record: inout ContainerRecord) {
        let named = Set(options.attach.map { $0.lowercased() })
        record.console.tty = options.terminal
        record.console.openStdin = options.interactive
        record.console.attachStdin = named.isEmpty ? options.interactive && !options.detach : named.contains("stdin")
        record.console.attachStdout = named.isEmpty ? !options.detach : named.contains("stdout")
        record.console.attachStderr = named.isEmpty ? !options.detach : named.contains("stderr")
        record.console.stdinOnce = options.interactive && record.console.attachStdin
        record.console.detachKeys = options.detachKeys
    }

    private func setHost(_ record: inout ContainerRecord) throws(ShaleError) {
        var host = options.host
        host.networkMode = network
        if host.logDriver != "none" { host.logDriver = nil }
        host.binds = options.volumes.filter { $0.contains(":") }
        for request in mounts where request.kind == .tmpfs {
            host.tmpfs[request.destination] = request.tmpfsOptions.joined(separator: ",")
        }
        host.capAdd = options.addedCapabilities.map { CapabilityOptions.fullName($0) }
        host.capDrop = options.droppedCapabilities.map { CapabilityOptions.fullName($0) }
        // A profile's path must mean the same file wherever the container is started from.
        host.securityOptions = try ContainerEngine.security(
            options.securityOptions, relativeTo: options.hostDirectory)
        host.extraHosts = extraHosts
        resources.write(to: &host)
        restart?.write(to: &host)
        host.shmSize = sharedMemory == 0 ? nil : sharedMemory
        record.host = host
    }
}

/// `--cap-add` and `--cap-drop`.
enum CapabilityOptions {
    static func fullName(_ text: String) -> String {
        let name = text.uppercased().filter { !$0.isWhitespace }
        return name == "ALL" || name.hasPrefix("CAP_") ? name : "CAP_\(name)"
    }

    /// Docker's rule: `ALL` first, then what is taken away or added by name.
    static func mask(
        added: [String], dropped: [String], privileged: Bool
    ) throws(ShaleError) -> Capabilities {
        let add = try named(added, list: "CapAdd")
        let drop = try named(dropped, list: "CapDrop")
        if privileged { return .all }
        let addsAll = added.contains { fullName($0) == "ALL" }
        let dropsAll = dropped.contains { fullName($0) == "ALL" }
        if addsAll { return dropsAll ? .all : Capabilities.all.subtracting(drop) }
        if dropsAll { return add }
        return Capabilities.containerDefault.subtracting(drop).union(add)
    }

    private static func named(_ names: [String], list: String) throws(ShaleError) -> Capabilities {
        var mask: Capabilities = []
        for name in names {
            let full = fullName(name)
            guard let one = Capabilities(name: full) else {
                throw ShaleError(.invalid, "invalid \(list): unknown capability: \"\(full)\"")
            }
            if full != "ALL" { mask.formUnion(one) }
        }
        return mask
    }
}
