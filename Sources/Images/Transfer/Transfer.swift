import Basics
import Layers
import Linux
package import OCI
import Registries

/// A blob's bytes, wherever they lie: read from any offset, by one thread.
protocol BlobBytes: AnyObject {
    /// Fills some of the buffer from an offset on; how much, 0 at the end.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int
}

extension OwnedFile: BlobBytes {}

/// What images are moved from: the store, a registry, a layout, an archive.
protocol TransferSource: Sendable {
    /// What a blob is called when it travels: as it is here, or as it is packed for the way.
    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor
    /// The bytes of a blob, by the name it travels under.
    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes
    /// Forgets what was packed for the way, because it was refused or has gone; whether packing it again may help.
    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool
    /// Other repositories of a repository's registry that have a blob, by the name it has here.
    func mountSources(of blob: Descriptor, beside repository: Reference) -> [Reference]
}

extension TransferSource {
    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool { false }
}

/// What a whole image, or all platforms of one, can be copied from.
protocol CopySource: TransferSource {
    /// What the source's name leads to: a manifest, or an index.
    func root(_ operation: OperationContext) throws(ShaleError) -> TransferDocument
    /// A small blob's bytes, checked against its digest.
    func document(_ descriptor: Descriptor, cancellation: Cancellation) throws(ShaleError) -> [UInt8]
}

/// What images are moved to.
protocol TransferTarget: Sendable {
    /// How many blobs it takes at once.
    var width: Int { get }
    /// The repository of a registry that it is, if it is one.
    var repository: Reference? { get }
    /// Takes a blob that it has not got, or says that it has it.
    func take(
        _ blob: Descriptor, from source: any TransferSource, mountSources: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival
    /// Takes a manifest or an index whose blobs are there; `isNamed` for the one that the target's name stands for.
    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError)
    /// Ends the work when all is there.
    func finish() throws(ShaleError)
}

extension TransferTarget {
    func finish() {}
}

/// A manifest or an index, byte by byte as it travels.
package struct TransferDocument: Sendable, Hashable {
    package let descriptor: Descriptor
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8], mediaType: String) {
        self.bytes = bytes
        descriptor = Descriptor(mediaType: mediaType, digest: Digest.of(bytes), size: Int64(bytes.count))
    }
}

/// How a blob came to be at the target.
enum BlobArrival: Sendable, Hashable {
    case sent
    /// It was there before.
    case present
    /// The registry took it over from another of its repositories.
    case mounted(Reference)
}

/// Where the moving of one blob is reported.
struct TransferReport: Sendable {
    let cancellation: Cancellation
    /// How many bytes have gone.
    var moved: @Sendable (Int64) -> Void = { _ in }
    /// A second of a wait before the next attempt.
    var retrying: @Sendable (RetryNotice) -> Void = { _ in }
}

/// A blob that is to be moved, and how a person is told of it.
struct TransferItem: Sendable {
    let id: String
    let blob: Descriptor
    /// Whether its bytes have an address of their own and stay where they are.
    var isForeign = false
}

/// What a blob's states are called.
struct TransferWords: Sendable {
    let moving: String
    let moved: String
    let present: String

    static let copy = TransferWords(moving: "Copying", moved: "Copied", present: "Already exists")
    /// Docker's.
    static let push = TransferWords(moving: "Pushing", moved: "Pushed", present: "Layer already exists")
}

/// Moves blobs from a source to a target, some at once, and nothing that the target has.
struct Transfer: Sendable {
    let source: any TransferSource
    let target: any TransferTarget
    let words: TransferWords
    let operation: OperationContext

    /// Moves blobs; answers what each is called at the target, by its digest at the source.
    ///
    /// The first failure stops the others. Throws what packing, reading or sending a blob throws, and `cancelled`.
    func move(_ items: [TransferItem]) throws(ShaleError) -> [Digest: Descriptor] {
        var seen: Set<Digest> = []
        // What an image has twice is moved once.
        let items = items.filter { seen.insert($0.blob.digest).inserted }
        for item in items { operation.tell(.item(id: item.id, state: "Preparing")) }
        for item in items.dropFirst(target.width) { operation.tell(.item(id: item.id, state: "Waiting")) }
        let outgoing = Condition<[Digest: Descriptor]>([:])
        let stopping = Cancellation(below: operation.cancellation)
        try Workers.forEach(items, limit: target.width, stopping: stopping) { item throws(ShaleError) in
            let sent = try self.move(item, stopping)
            outgoing.update { $0[item.blob.digest] = sent }
        }
        try operation.cancellation.check()
        return outgoing.read { $0 }
    }

    private func move(_ item: TransferItem, _ stopping: Cancellation) throws(ShaleError) -> Descriptor {
        guard !item.isForeign else {
            operation.tell(.item(id: item.id, state: "Skipped foreign layer"))
            return item.blob
        }
        let packed = reporter(item, "Compressing", of: item.blob.size)
        var blob = try source.outgoing(item.blob, cancellation: stopping, passed: packed)
        let arrival: BlobArrival
        do throws(ShaleError) {
            arrival = try take(blob, of: item, stopping)
        } catch {
            // What was kept of an earlier push may be damaged, or removed by another shale: it is packed again, once.
            guard blob.digest != item.blob.digest, source.forget(blob, after: error) else { throw error }
            blob = try source.outgoing(item.blob, cancellation: stopping, passed: packed)
            arrival = try take(blob, of: item, stopping)
        }
        let state =
            switch arrival {
            case .sent: words.moved
            case .present: words.present
            case .mounted(let home): "Mounted from \(home.path)"
            }
        operation.tell(.item(id: item.id, state: state))
        return blob
    }

    private func take(
        _ blob: Descriptor, of item: TransferItem, _ stopping: Cancellation
    ) throws(ShaleError) -> BlobArrival {
        let mountSources = target.repository.map { source.mountSources(of: item.blob, beside: $0) } ?? []
        let tell = operation.tell
        let report = TransferReport(
            cancellation: stopping, moved: reporter(item, words.moving, of: blob.size),
            retrying: { tell(.item(id: item.id, state: $0.line)) })
        return try target.take(blob, from: source, mountSources: mountSources, report: report)
    }

    /// Tells of one item how far it is, now and then and at its end.
    private func reporter(_ item: TransferItem, _ state: String, of total: Int64) -> @Sendable (Int64) -> Void {
        let tell = operation.tell
        let moved = MovedBytes(of: total) { tell(.bytes(id: item.id, state: state, current: $0, total: total)) }
        return { moved.moved($0, of: item.blob) }
    }
}
