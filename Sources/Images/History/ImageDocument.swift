package import Basics
package import OCI
package import Stores

extension ImageEngine {
    /// What `inspect` prints of an image: docker's keys in docker's order.
    ///
    /// Throws `notFound` when a layer of the image is not unpacked.
    package func document(of image: Image) throws(ShaleError) -> JSONDocument {
        let config = image.config
        let last = config.history?.last
        let paths = try store.layers.paths(for: config)
        var members: [JSONDocument.Member] = [
            .init("Id", .string(image.id.description)),
            .init("RepoTags", .texts(image.references.map(\.familiar))),
            .init("RepoDigests", .texts(image.repoDigests.map(\.familiar))),
            .init("Parent", .string(image.parent?.description ?? "")),
            .init("Comment", .string(last?.comment ?? "")),
            .init("Created", .string((config.created ?? .zeroOfGo).description)),
            .init("DockerVersion", ""),
            .init("Author", .string(config.author ?? "")),
            .init("Config", (config.config ?? ContainerConfig()).dockerDocument()),
            .init("Architecture", .string(config.architecture)),
        ]
        if let variant = config.variant { members.append(.init("Variant", .string(variant))) }
        members.append(.init("Os", .string(config.os)))
        if let version = config.osVersion { members.append(.init("OsVersion", .string(version))) }
        members += [
            .init("Size", .integer(image.size)),
            .init("GraphDriver", Self.graphDriver(paths)),
            .init(
                "RootFS",
                .members([
                    "Type": .string(config.rootfs.type),
                    "Layers": .array(config.rootfs.diffIDs.map { .string($0.description) }),
                ])),
            .init("Metadata", .members(["LastTagTime": .string(Timestamp.zeroOfGo.description)])),
        ]
        return .object(members)
    }

    /// What `inspect --remote` prints: the same keys as far as a registry tells them.
    package func document(of remote: RemoteImage) -> JSONDocument {
        let config = remote.config
        let size = remote.manifest.layers.reduce(Int64(0)) { $0 &+ max(0, $1.size) }
        return .members([
            "Id": .string(remote.manifest.config.digest.description),
            "RepoTags": .texts(remote.reference.tag == nil ? [] : [remote.reference.familiar]),
            "RepoDigests": .texts([remote.reference.with(digest: remote.resolved.digest).familiar]),
            "Parent": "",
            "Comment": .string(config.history?.last?.comment ?? ""),
            "Created": .string((config.created ?? .zeroOfGo).description),
            "DockerVersion": "",
            "Author": .string(config.author ?? ""),
            "Config": (config.config ?? ContainerConfig()).dockerDocument(),
            "Architecture": .string(config.architecture),
            "Os": .string(config.os),
            "Size": .integer(size),
            "RootFS": .members([
                "Type": .string(config.rootfs.type),
                "Layers": .array(config.rootfs.diffIDs.map { .string($0.description) }),
            ]),
        ])
    }

    /// Where the layers lie, as docker's overlay2 driver tells it.
    private static func graphDriver(_ paths: [String]) -> JSONDocument {
        var data: [JSONDocument.Member] = []
        if paths.count > 1 {
            data.append(.init("LowerDir", .string(paths.dropLast().reversed().joined(separator: ":"))))
        }
        if let upper = paths.last { data.append(.init("UpperDir", .string(upper))) }
        return .members(["Data": .object(data), "Name": "overlay2"])
    }
}

extension Timestamp {
    /// Go's zero time, which docker writes for a time that is not set.
    package static let zeroOfGo = Timestamp(seconds: -62_135_596_800)
}

extension JSONDocument {
    /// A list of texts.
    static func texts(_ texts: some Sequence<String>) -> JSONDocument { .array(texts.map { .string($0) }) }

    /// The same, or `null` as Go writes a list that is not set.
    static func texts(_ texts: [String]?) -> JSONDocument { texts.map { .array($0.map { .string($0) }) } ?? .null }

    /// `map[string]struct{}`: sorted keys with nothing in them, or `null`.
    fileprivate static func keys(_ set: [String: EmptyObject]?) -> JSONDocument {
        guard let set else { return .null }
        return .object(set.keys.sorted().map { Member($0, .object([])) })
    }
}

extension ContainerConfig {
    /// Docker's `Config` object with every key that docker always writes, in docker's order.
    fileprivate func dockerDocument() -> JSONDocument {
        var members: [JSONDocument.Member] = [
            .init("Hostname", .string(hostname ?? "")),
            .init("Domainname", .string(domainname ?? "")),
            .init("User", .string(user ?? "")),
            .init("AttachStdin", .bool(attachStdin ?? false)),
            .init("AttachStdout", .bool(attachStdout ?? false)),
            .init("AttachStderr", .bool(attachStderr ?? false)),
        ]
        if let exposedPorts, !exposedPorts.isEmpty { members.append(.init("ExposedPorts", .keys(exposedPorts))) }
        members += [
            .init("Tty", .bool(tty ?? false)),
            .init("OpenStdin", .bool(openStdin ?? false)),
            .init("StdinOnce", .bool(stdinOnce ?? false)),
            .init("Env", .texts(env)),
            .init("Cmd", .texts(cmd)),
        ]
        if let healthcheck { members.append(.init("Healthcheck", healthcheck.dockerDocument)) }
        if argsEscaped == true { members.append(.init("ArgsEscaped", true)) }
        members += [
            .init("Image", ""),
            .init("Volumes", .keys(volumes)),
            .init("WorkingDir", .string(workingDir ?? "")),
            .init("Entrypoint", .texts(entrypoint)),
        ]
        if networkDisabled == true { members.append(.init("NetworkDisabled", true)) }
        members.append(.init("OnBuild", .texts(onBuild)))
        let labels = labels.map { labels in
            JSONDocument.object(labels.keys.sorted().map { .init($0, .string(labels[$0] ?? "")) })
        }
        members.append(.init("Labels", labels ?? .null))
        if let stopSignal, !stopSignal.isEmpty { members.append(.init("StopSignal", .string(stopSignal))) }
        if let stopTimeout { members.append(.init("StopTimeout", .integer(Int64(stopTimeout)))) }
        if let shell, !shell.isEmpty { members.append(.init("Shell", .texts(shell))) }
        return .object(members)
    }
}

extension HealthConfig {
    /// With docker's keys in docker's order.
    package var dockerDocument: JSONDocument {
        var members: [JSONDocument.Member] = []
        if let test, !test.isEmpty { members.append(.init("Test", .texts(test))) }
        let times = [
            ("Interval", interval), ("Timeout", timeout), ("StartPeriod", startPeriod),
            ("StartInterval", startInterval),
        ]
        for (key, value) in times {
            if let value, value != 0 { members.append(.init(key, .integer(value))) }
        }
        if let retries, retries != 0 { members.append(.init("Retries", .integer(Int64(retries)))) }
        return .object(members)
    }
}
