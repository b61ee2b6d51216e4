package import Basics
import Dockerfiles
import Glibc
import Images
package import Layers
import Linux
import OCI
import RunnerProtocol
import Runtime
package import Stores

/// How `commit` makes an image of a container.
package struct CommitOptions: Sendable {
    /// `REPOSITORY[:TAG]`; `nil` makes an image without a name.
    package var reference: String?
    package var author: String?
    package var message: String?
    /// Dockerfile instructions.
    package var changes: [String] = []
    /// Whether a running container is paused meanwhile.
    package var pauses = true
    /// Keeps the image's `CMD` and `ENTRYPOINT` where the container was started with others.
    package var keepsConfig = false

    package init() {}
}

extension ContainerEngine {
    /// What a container changed, docker's rule: added, changed and deleted paths, sorted.
    ///
    /// Throws what reading the container's files or those of its layers throws.
    package func changes(of container: ContainerRecord) throws(ShaleError) -> [Change] {
        try ChangeFinder(
            upper: images.open(store.containers.folder(container.id).upper), lowers: roots(of: container), form: form,
            ignoring: mountStubs(of: container)
        ).changes()
    }

    /// The paths the runner made in a container to mount its own files on; those for the user's mounts are not among
    /// them, docker shows these.
    package func mountStubs(of container: ContainerRecord) -> Set<String> {
        var made = Set(container.mountStubs)
        let file = store.containers.folder(container.id).path + "/stubs.json"
        if let bytes = try? WholeFile.read(file, limit: 1 << 20),
            let list = try? JSONDocument(parsing: bytes, naming: file).array
        {
            made.formUnion(list.compactMap(\.string))
        }
        let own = container.host.mounts.map(\.destination) + container.host.tmpfs.keys
        return made.filter { stub in !own.contains { $0 == stub || $0.hasPrefix(stub + "/") } }
    }

    /// Makes an image of a container's changes and settings.
    ///
    /// Throws `invalid` when `options.reference` cannot be a tag's name, `notFound` when the container's image is not
    /// in the store, and what reading the files or writing to the store throws.
    package func commit(
        _ container: ContainerRecord, _ options: CommitOptions = CommitOptions(), _ operation: OperationContext
    ) throws(ShaleError) -> Image {
        let reference = try options.reference.map { text throws(ShaleError) in try ImageEngine.target(text) }
        let base = try store.images.image(manifest: container.manifest)
        var config = base.config
        config.config = try settings(of: container, base: base, options, operation)
        config.author = options.author ?? config.author
        let view = view(of: container)
        let stored = { () throws(ShaleError) in
            (
                layer: try self.storeChanges(of: container, above: base, operation),
                story: self.story(of: container, above: base, changes: options.changes)
            )
        }
        let (layer, story) =
            options.pauses && view.state.status == .running
            ? try runtime.whilePaused(
                socketDirectory: store.containers.folder(container.id).socketDirectory, stored) : try stored()
        let moment = creationTime
        config.append(
            History(
                created: moment, createdBy: (container.config.cmd ?? []).joined(separator: " "),
                author: options.author, comment: options.message),
            layer: layer?.diffID)
        config.created = moment
        var layers = base.manifest.layers
        if let layer { layers.append(layer.descriptor) }
        let image = try store.images.add(
            config: config, layers: layers, parent: base.id, references: reference.map { [$0] } ?? []
        ) { id throws(ShaleError) in try images.keepProvenance(story, of: id) }
        var event = ContainerEvent(.commit, arguments: [image.id.description])
        event.destination = reference?.familiar
        store.events.append([
            StoreEvent(.image, "create", of: "\(image.id)", ["name": reference?.familiar ?? "\(image.id)"]),
            StoreEvent(
                "commit", of: container,
                ["comment": options.message ?? "", "imageID": "\(image.id)", "imageRef": reference?.familiar ?? ""]),
        ])
        keep(event, of: container)
        return image
    }

    /// An image of a container's files as they are now, for a shell to look at; it has no name.
    ///
    /// Throws what `commit` throws.
    package func imageToEnter(of container: ContainerRecord) throws(ShaleError) -> Image {
        var options = CommitOptions()
        options.pauses = false
        options.keepsConfig = true
        return try commit(container, options, OperationContext())
    }

    /// The container's settings become the image's, as docker has it; what that changes is told.
    private func settings(
        of container: ContainerRecord, base: Image, _ options: CommitOptions, _ operation: OperationContext
    ) throws(ShaleError) -> ContainerConfig {
        var config = container.config
        // A variable without `=` takes the image's away; an image has no such entry.
        config.env = config.env.map { $0.filter { $0.contains("=") } }
        // As docker has it, triggers are the image's and no container's.
        config.onBuild = options.keepsConfig ? base.containerConfig.onBuild : nil
        config.labels = config.labels ?? [:]
        container.keepConsole(in: &config)
        let differs =
            config.cmd != base.containerConfig.cmd
            || (config.entrypoint ?? []) != (base.containerConfig.entrypoint ?? [])
        if options.keepsConfig {
            config.cmd = base.containerConfig.cmd
            config.entrypoint = base.containerConfig.entrypoint
        }
        let written = config
        try ConfigChange.apply(options.changes, to: &config)
        if differs, !options.keepsConfig, config.cmd == written.cmd, config.entrypoint == written.entrypoint {
            operation.note(
                "note: the image's command is now the container's, \(GoFormat.quoted((config.entrypoint ?? []) + (config.cmd ?? []))): "
                    + "commit --keep-config keeps the old one")
        }
        return config
    }

    /// Stores what a container changed as a layer, packed and unpacked; `nil` when that is nothing.
    private func storeChanges(
        of container: ContainerRecord, above base: Image, _ operation: OperationContext
    ) throws(ShaleError) -> (diffID: Digest, descriptor: Descriptor)? {
        let lowers = try lowers(of: container)
        let upper = try images.open(store.containers.folder(container.id).upper)
        let finder = try ChangeFinder(
            upper: upper, lowers: roots(of: container), form: form, ignoring: mountStubs(of: container))
        let changes = try Observer.measure(.layer, "find changes") { () throws(ShaleError) in
            try finder.changes(cancellation: operation.cancellation)
        }
        guard !changes.isEmpty else { return nil }
        let (written, descriptor) = try images.pack(changes, of: upper, operation)
        let chain = Digest.chainID(base.config.rootfs.diffIDs[...])
        if try !store.layers.claim(written.diffID, on: chain) {
            try images.unpackLayer(
                FDSource(store.blobs.open(descriptor.digest), subject: "blob \(descriptor.digest)"),
                as: written.diffID, above: chain, blob: descriptor.digest, lower: { lowers },
                cancellation: operation.cancellation)
        }
        return (written.diffID, descriptor)
    }
}

extension ContainerRecord {
    /// Writes down in an image's settings what docker writes of the container's terminal and name.
    ///
    /// A host name that nobody gave is left out: the same commit is the same image.
    fileprivate func keepConsole(in config: inout ContainerConfig) {
        let isOwn = hostname.hasPrefix(Identifier.short(id)) || host.networkMode == "host"
        config.hostname = isOwn ? nil : hostname
        config.domainname = domainname
        config.attachStdin = console.attachStdin
        config.attachStdout = console.attachStdout
        config.attachStderr = console.attachStderr
        config.tty = console.tty
        config.openStdin = console.openStdin
        config.stdinOnce = console.stdinOnce
    }
}
