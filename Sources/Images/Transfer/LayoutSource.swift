import Basics
import Layers
import OCI
import Stores

/// An OCI layout, in a folder or an archive, as the source of a copy.
struct LayoutSource: CopySource {
    let files: any LayoutFiles
    let tag: String?

    func root(_ operation: OperationContext) throws(ShaleError) -> TransferDocument {
        guard let bytes = try files.file("index.json")?.bytes() else {
            throw ShaleError(.invalid, "\(files.subject): not an OCI layout: it has no index.json")
        }
        let index = try OCIDocument.read(Index.self, from: bytes, naming: "\(files.subject): index.json")
        let entry = try chosen(index)
        return TransferDocument(
            try document(entry, cancellation: operation.cancellation), mediaType: entry.mediaType)
    }

    /// The entry with the tag, or the only entry.
    ///
    /// Of several entries with this tag it is the last one, because it was added last.
    private func chosen(_ index: Index) throws(ShaleError) -> Descriptor {
        let names = index.manifests.compactMap { $0.annotations?[Annotation.refName] }
        let hint = names.isEmpty ? nil : "there are \(names.map(\.visible).joined(separator: ", "))"
        let entries = (tag.map { .tag($0) } ?? LayoutChoice.only).entries(of: index)
        if let tag {
            guard let last = entries.last else {
                throw ShaleError(.notFound, "\(files.subject): no image of the name \(tag.visible)", hint: hint)
            }
            return last
        }
        guard let first = entries.first else {
            throw ShaleError(.notFound, "\(files.subject): the layout holds no image")
        }
        guard entries.allSatisfy({ $0.digest == first.digest }) else {
            throw ShaleError(.invalid, "\(files.subject): more than one image, choose one", hint: hint)
        }
        return first
    }

    func document(_ descriptor: Descriptor, cancellation: Cancellation) throws(ShaleError) -> [UInt8] {
        try files.document(descriptor)
    }

    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor {
        blob
    }

    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes {
        try files.part(of: blob)
    }

    func mountSources(of blob: Descriptor, beside repository: Reference) -> [Reference] { [] }
}
