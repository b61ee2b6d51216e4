import Basics
import Layers
import Linux
package import OCI
import Registries

/// The bytes of a blob in any place.
///
/// One thread reads them, from any offset.
protocol BlobBytes: AnyObject {
    /// Reads bytes from an offset into a buffer, and returns their number; 0 at the end.
    ///
    /// Throws what reading throws.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int
}

extension OwnedFile: BlobBytes {}

/// The source of a transfer: the store, a registry, a layout or an archive.
protocol TransferSource: Sendable {
    /// The descriptor of a blob for the transfer: that of the blob itself, or that of its compressed form.
    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor
    /// The bytes of a blob, by its descriptor for the transfer.
    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes
    /// Removes the compressed form of a blob, because it was refused or is gone.
    ///
    /// Returns whether it can help to compress the blob again.
    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool
    /// Other repositories of the same registry that have a blob, given by its descriptor in the source.
    func mountSources(of blob: Descriptor, beside repository: Reference) -> [Reference]
}

extension TransferSource {
    func forget(_ packed: Descriptor, after error: ShaleError) -> Bool { false }
}

/// The source of a copy of an image, or of an index with all its platforms.
protocol CopySource: TransferSource {
    /// The manifest or index that the source's name stands for.
    func root(_ operation: OperationContext) throws(ShaleError) -> TransferDocument
    /// The bytes of a small blob.
    ///
    /// Their digest is checked.
    func document(_ descriptor: Descriptor, cancellation: Cancellation) throws(ShaleError) -> [UInt8]
}

/// The target of a transfer.
protocol TransferTarget: Sendable {
    /// How many blobs it takes at the same time.
    var width: Int { get }
    /// The repository, when the target is a registry.
    var repository: Reference? { get }
    /// Takes a blob, unless it has it already.
    func take(
        _ blob: Descriptor, from source: any TransferSource, mountSources: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival
    /// Takes a manifest or an index whose blobs it has.
    ///
    /// `isNamed` marks the one that the target's name will stand for.
    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError)
    /// Ends the transfer after everything has arrived.
    func finish() throws(ShaleError)
}

extension TransferTarget {
    func finish() {}
}

/// The exact bytes of a manifest or an index.
package struct TransferDocument: Sendable, Hashable {
    package let descriptor: Descriptor
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8], mediaType: String) {
        self.bytes = bytes
        descriptor = Descriptor(mediaType: mediaType, digest: Digest.of(bytes), size: Int64(bytes.count))
    }
}

/// How a blob came to the target.
enum BlobArrival: Sendable, Hashable {
    case sent
    /// The target had it before.
    case present
    /// The registry mounted it from another of its repositories.
    case mounted(Reference)
}

/// The receivers of progress reports about one blob.
struct TransferReport: Sendable {
    let cancellation: Cancellation
    /// Receives how many bytes have been transferred.
    var moved: @Sendable (Int64) -> Void = { _ in }
    /// Receives each second of the wait before the next attempt.
    var retrying: @Sendable (RetryNotice) -> Void = { _ in }
}

/// A blob to transfer, and its name in progress messages.
struct TransferItem: Sendable {
    let id: String
    let blob: Descriptor
    /// Whether it is a foreign layer, which is fetched from its own address and not transferred.
    var isForeign = false
}

/// The words for the states of a blob.
struct TransferWords: Sendable {
    let moving: String
    let moved: String
    let present: String

    static let copy = TransferWords(moving: "Copying", moved: "Copied", present: "Already exists")
    /// Docker's words for a push.
    static let push = TransferWords(moving: "Pushing", moved: "Pushed", present: "Layer already exists")
}

/// Transfers blobs from a source to a target, several at the same time.
///
/// Blobs that the target has are not sent.
struct Transfer: Sendable {
    let source: any TransferSource
    let target: any TransferTarget
    let words: TransferWords
    let operation: OperationContext

    /// Transfers blobs.
    ///
    /// Returns the descriptor of each at the target, by its digest at the source.
    ///
    /// The first failure stops the others. Throws what packing, reading or sending a blob throws, and `cancelled`.
    func move(_ items: [TransferItem]) throws(ShaleError) -> [Digest: Descriptor] {
        var seen: Set<Digest> = []
        // A blob that an image has twice is transferred once.
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
            // The compressed form in the cache may be damaged, or another process may have removed it. The layer is
            // compressed again, once.
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

    /// Returns a function that reports the progress of one item, at intervals and at its end.
    private func reporter(_ item: TransferItem, _ state: String, of total: Int64) -> @Sendable (Int64) -> Void {
        let tell = operation.tell
        let moved = MovedBytes(of: total) { tell(.bytes(id: item.id, state: state, current: $0, total: total)) }
        return { moved.moved($0, of: item.blob) }
    }
}
