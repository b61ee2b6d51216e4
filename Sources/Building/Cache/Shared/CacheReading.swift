import Basics
import Glibc
import Linux
import OCI
import Registries

extension BuildEngine {
    /// A cache and the steps in it; every document is checked against the digest that leads to it.
    ///
    /// Throws `notFound` where there is none, `corrupt` or `invalid` for what is no cache of shale's, and what reading the
    /// folder or asking the registry throws.
    func openCache(
        at place: CachePlace, _ operation: OperationContext
    ) throws(ShaleError) -> (any CacheSource, SharedSteps) {
        switch place.location {
        case .folder(let path, let tag):
            let folder = try CacheFolder(path)
            let manifest = try folder.manifest(tagged: tag)
            return (folder, try SharedSteps(parsing: folder.document(manifest.config, limit: SharedSteps.largest)))
        case .registry(let reference):
            let fetched = try registry.resolve(reference, cancellation: operation.cancellation)
            guard MediaType.isManifest(fetched.mediaType) else { throw CacheManifest.isNone }
            let manifest = try CacheManifest.read(Array(fetched.bytes))
            let bytes = try registry.blobData(
                manifest.config, in: reference, limit: SharedSteps.largest, cancellation: operation.cancellation)
            return (CacheRepository(reference, registry), try SharedSteps(parsing: Array(bytes)))
        }
    }
}

/// A manifest that must be a cache's.
private enum CacheManifest {
    static let isNone = ShaleError(.invalid, "it is no cache of shale's")

    static func read(_ bytes: [UInt8]) throws(ShaleError) -> Manifest {
        let manifest = try OCIDocument.read(Manifest.self, from: bytes, naming: "its manifest")
        guard manifest.artifactType == SharedSteps.artifactType, manifest.config.mediaType == SharedSteps.mediaType
        else { throw isNone }
        return manifest
    }
}

/// A cache in a repository.
private struct CacheRepository: CacheSource {
    private let reference: Reference
    private let registry: RegistryClient

    init(_ reference: Reference, _ registry: RegistryClient) {
        self.reference = reference
        self.registry = registry
    }

    var name: String { reference.familiar }

    func blob(
        _ descriptor: Descriptor, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        try registry.blob(descriptor, in: reference, cancellation: cancellation, body: body)
    }
}

/// A cache in a folder of the host's.
private struct CacheFolder: CacheSource {
    private let root: RootDirectory
    let name: String

    init(_ path: String) throws(ShaleError) {
        name = path.visible
        do throws(SystemCallError) {
            root = try RootDirectory(hostPath: path)
        } catch {
            if error.errno == ENOENT { throw ShaleError(.notFound, "there is none yet") }
            throw error.shaleError("open")
        }
    }

    /// The manifest of a tag, by the layout's index.
    func manifest(tagged tag: String) throws(ShaleError) -> Manifest {
        guard let file = try open("index.json") else { throw ShaleError(.notFound, "there is none yet") }
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try file.readAll(limit: OCIDocument.largest)
        } catch {
            throw error.shaleError("index.json")
        }
        let index = try OCIDocument.read(Index.self, from: bytes, naming: "index.json")
        let tagged = index.manifests.filter { $0.annotations?[Annotation.refName] == tag }
        guard let entry = tagged.first(where: { $0.artifactType == SharedSteps.artifactType }) ?? tagged.first else {
            throw ShaleError(.notFound, "there is none of the tag \(tag.visible)")
        }
        guard MediaType.isManifest(entry.mediaType) else { throw CacheManifest.isNone }
        return try CacheManifest.read(document(entry, limit: OCIDocument.largest))
    }

    /// A small blob whole, its size and digest checked.
    func document(_ descriptor: Descriptor, limit: Int) throws(ShaleError) -> [UInt8] {
        guard (0...Int64(limit)).contains(descriptor.size) else {
            throw ShaleError(.invalid, "blob \(descriptor.digest): larger than \(limit) bytes")
        }
        var bytes: [UInt8] = []
        try blob(descriptor, Cancellation()) { bytes.append(contentsOf: $0) }
        guard Digest.of(bytes) == descriptor.digest else {
            throw ShaleError(.corrupt, "blob \(descriptor.digest): its bytes do not match its digest")
        }
        return bytes
    }

    func blob(
        _ descriptor: Descriptor, _ cancellation: Cancellation,
        _ body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        let subject = "blob \(descriptor.digest)"
        guard let file = try open("blobs/\(descriptor.digest.algorithm)/\(descriptor.digest.hex)") else {
            throw ShaleError(.notFound, "\(subject): it is not there")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var left = descriptor.size
        while true {
            try cancellation.check()
            let count: Int
            do throws(SystemCallError) { count = try file.read(into: buffer) } catch { throw error.shaleError(subject) }
            left -= Int64(count)
            guard left >= 0, count > 0 || left == 0 else {
                throw ShaleError(.corrupt, "\(subject): it has not the \(descriptor.size) bytes announced")
            }
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// A file below the folder, and nowhere else; what is no file is refused, and not waited for.
    private func open(_ path: String) throws(ShaleError) -> OwnedFD? {
        do throws(SystemCallError) {
            let file = try root.open(path, O_RDONLY | O_NONBLOCK)
            guard try FileStatus.of(file).kind == .regular else {
                throw SystemCallError("open", path: path, errno: EINVAL)
            }
            return file
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error.shaleError(path)
        }
    }
}
