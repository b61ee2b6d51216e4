package import Basics
import FoundationEssentials

extension Descriptor: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        self.init(
            mediaType: try reader.requiredString("mediaType"), digest: try reader.digest("digest"),
            size: try reader.requiredInteger("size"), annotations: try reader.dictionary("annotations"),
            platform: try reader.object("platform", Platform.self))
        urls = try reader.strings("urls")
        artifactType = try reader.string("artifactType")
        guard size >= 0 else { throw reader.failure("size", "negative") }
        guard MediaType.isWellFormed(mediaType) else {
            throw reader.failure("mediaType", "not a media type: \(mediaType)")
        }
        if let artifactType, !MediaType.isWellFormed(artifactType) {
            throw reader.failure("artifactType", "not a media type: \(artifactType)")
        }
        if let text = try reader.string("data") { try Self.check(data: text, size, digest, reader) }
    }

    /// Content inside a descriptor must be what the descriptor says (descriptor.md, "Embedded Content").
    private static func check(
        data text: String, _ size: Int64, _ digest: Digest, _ reader: DocumentReader
    ) throws(ShaleError) {
        guard let data = Data(base64Encoded: text) else { throw reader.failure("data", "not base64") }
        guard Int64(data.count) == size, digest.algorithm != "sha256" || Digest.of(data) == digest else {
            throw reader.failure("data", "does not match size and digest")
        }
    }
}

extension Platform: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        self.init(
            os: try reader.requiredString("os"), architecture: try reader.requiredString("architecture"),
            variant: try reader.string("variant"))
        osVersion = try reader.string("os.version")
        osFeatures = try reader.strings("os.features")
    }
}

extension Manifest: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        try Self.checkVersion(reader)
        guard !reader.has("manifests") else {
            throw reader.failure("manifests", "this is a list of manifests, not one image's manifest")
        }
        let config = try reader.requiredObject("config", Descriptor.self)
        guard let layers = try reader.objects("layers", Descriptor.self) else {
            throw reader.failure("layers", "missing")
        }
        self.init(config: config, layers: layers, annotations: try reader.dictionary("annotations"))
        mediaType = try reader.string("mediaType")
        artifactType = try reader.string("artifactType")
        subject = try reader.object("subject", Descriptor.self)
        if let mediaType, !MediaType.isManifest(mediaType) {
            throw reader.failure("mediaType", "not an image manifest's: \(mediaType)")
        }
    }

    fileprivate static func checkVersion(_ reader: DocumentReader) throws(ShaleError) {
        let version = try reader.requiredInteger("schemaVersion")
        if version == 1 {
            throw ShaleError(
                .unsupported, "\(reader.path): docker image format v1 (schema version 1) is no longer supported",
                hint: "push the image again with a current tool")
        }
        guard version == 2 else { throw reader.failure("schemaVersion", "not 2 but \(version)") }
    }
}

extension Index: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        try Manifest.checkVersion(reader)
        guard let manifests = try reader.objects("manifests", Descriptor.self) else {
            throw reader.failure("manifests", "missing")
        }
        guard !reader.has("layers"), !reader.has("config") else {
            throw reader.failure("manifests", "stands beside config or layers")
        }
        self.init(manifests: manifests)
        mediaType = try reader.string("mediaType")
        annotations = try reader.dictionary("annotations")
        _ = try reader.object("subject", Descriptor.self)
        if let mediaType, !MediaType.isIndex(mediaType) {
            throw reader.failure("mediaType", "not an index's: \(mediaType)")
        }
    }
}

extension ImageConfig: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        self.init()
        created = try reader.time("created")
        author = try reader.string("author")
        architecture = try reader.requiredString("architecture")
        variant = try reader.string("variant")
        os = try reader.requiredString("os")
        osVersion = try reader.string("os.version")
        osFeatures = try reader.strings("os.features")
        config = try reader.object("config", ContainerConfig.self)
        rootfs = try reader.requiredObject("rootfs", RootFS.self)
        history = try reader.objects("history", History.self)
    }
}

extension RootFS: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        var diffIDs: [Digest] = []
        guard let texts = try reader.strings("diff_ids") else { throw reader.failure("diff_ids", "missing") }
        for (position, text) in texts.enumerated() {
            do throws(ShaleError) {
                diffIDs.append(try Digest(parsing: text))
            } catch {
                throw reader.failure("diff_ids[\(position)]", error.message)
            }
        }
        self.init(diffIDs: diffIDs)
        let type = try reader.requiredString("type")
        guard type == "layers" else { throw reader.failure("type", "not \"layers\": \(type)") }
    }
}

extension History: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        self.init(
            created: try reader.time("created"), createdBy: try reader.string("created_by"),
            author: try reader.string("author"), comment: try reader.string("comment"))
        emptyLayer = try reader.bool("empty_layer")
    }
}

extension ContainerConfig: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        self.init()
        user = try reader.string("User")
        exposedPorts = try reader.keySet("ExposedPorts")
        env = try reader.strings("Env")
        entrypoint = try reader.strings("Entrypoint")
        cmd = try reader.strings("Cmd")
        volumes = try reader.keySet("Volumes")
        workingDir = try reader.string("WorkingDir")
        labels = try reader.dictionary("Labels")
        stopSignal = try reader.string("StopSignal")
        stopTimeout = try reader.integer("StopTimeout").map(Int.init)
        healthcheck = try reader.object("Healthcheck", HealthConfig.self)
        onBuild = try reader.strings("OnBuild")
        shell = try reader.strings("Shell")
        argsEscaped = try reader.bool("ArgsEscaped")
        memory = try reader.integer("Memory")
        networkDisabled = try reader.bool("NetworkDisabled")
        hostname = try reader.string("Hostname")
        domainname = try reader.string("Domainname")
        attachStdin = try reader.bool("AttachStdin")
        attachStdout = try reader.bool("AttachStdout")
        attachStderr = try reader.bool("AttachStderr")
        tty = try reader.bool("Tty")
        openStdin = try reader.bool("OpenStdin")
        stdinOnce = try reader.bool("StdinOnce")
    }
}

extension HealthConfig: DocumentValue {
    /// Throws `corrupt` for a member that the specification requires and that is missing, or is of another form.
    package init(_ reader: DocumentReader) throws(ShaleError) {
        self.init(test: try reader.strings("Test"))
        interval = try reader.integer("Interval")
        timeout = try reader.integer("Timeout")
        startPeriod = try reader.integer("StartPeriod")
        startInterval = try reader.integer("StartInterval")
        retries = try reader.integer("Retries").map(Int.init)
    }
}
