package import Basics
package import Layers
package import Linux
package import OCI
package import Stores

/// A layer that a step or a commit made, stored packed and unpacked.
package struct StepLayer: Sendable {
    package let descriptor: Descriptor
    package let diffID: Digest
    package let summary: StepSummary

    package init(descriptor: Descriptor, diffID: Digest, summary: StepSummary) {
        self.descriptor = descriptor
        self.diffID = diffID
        self.summary = summary
    }
}

extension ImageEngine {
    /// Turns the upper directory of a finished step into a layer by rename; `nil` when it changed nothing, or
    /// `accepting` does not take what it changed.
    ///
    /// The tar is written once, uncompressed, into the blobs, hashed as it streams: exactly what the walker found.
    /// Throws `cancelled` when the operation is stopped, and what reading the files or writing to the store throws.
    package func makeLayer(
        _ staging: LayerStaging, over lowers: [RootDirectory], stubs: Set<String>, keepingRewritten: Bool = false,
        _ operation: OperationContext, accepting: ([Change]) -> Bool = { _ in true }
    ) throws(ShaleError) -> StepLayer? {
        let upper = try staging.root()
        try translating("overlay work directory") { try FileTree.remove(staging.workPath) }
        var finder = ChangeFinder(upper: upper, lowers: lowers, form: form, ignoring: stubs)
        finder.keepsRewritten = keepingRewritten
        let changes = try finder.changes(cancellation: operation.cancellation)
        guard !changes.isEmpty, accepting(changes) else { return nil }
        let (written, descriptor) = try pack(changes, of: upper, operation)
        try OverlayUpper.finalize(upper, changes: changes, form: form, clampingTo: settings.sourceDateEpoch)
        try store.layers.commit(
            staging, diffID: written.diffID, index: written.index.encoded(),
            size: LayerSize(tar: written.size, content: written.contentBytes))
        return StepLayer(
            descriptor: descriptor, diffID: written.diffID,
            summary: StepSummary(changes, bytes: written.contentBytes))
    }

    /// Writes changes as a canonical tar into the blobs.
    ///
    /// Throws `cancelled` when the operation is stopped, and what reading the files or writing the blob throws.
    package func pack(
        _ changes: [Change], of upper: RootDirectory, _ operation: OperationContext
    ) throws(ShaleError) -> (WrittenLayer, Descriptor) {
        let ingest = try store.blobs.newIngest()
        do throws(ShaleError) {
            let written = try Observer.measure(.layer, "pack and hash \(changes.count) changes") {
                () throws(ShaleError) in
                try LayerWriter.write(
                    changes: changes, upper: upper, clampingTo: settings.sourceDateEpoch,
                    cancellation: operation.cancellation
                ) { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                    try ingest.append(bytes)
                }
            }
            var descriptor = try ingest.commit()
            descriptor.mediaType = MediaType.ociLayer
            return (written, descriptor)
        } catch {
            ingest.abandon(keepingPartial: false)
            throw error
        }
    }
}

extension WrittenLayer {
    /// Bytes of the regular files in it.
    package var contentBytes: Int64 { index.entries.reduce(0) { $0.addingClamped($1.kind == .file ? $1.size : 0) } }
}
