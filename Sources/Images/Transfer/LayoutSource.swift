import Basics
import Layers
import OCI
import Stores

/// An OCI layout, in a folder or an archive, as what an image is moved from.
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

    /// The entry of the tag, or the only one there is.
    private func chosen(_ index: Index) throws(ShaleError) -> Descriptor {
        let names = index.manifests.compactMap { $0.annotations?[Annotation.refName] }
        let hint = names.isEmpty ? nil : "there are \(names.map(\.visible).joined(separator: ", "))"
        if let tag {
            if let entry = index.manifests.last(where: { Self.isCalled($0, tag) }) { return entry }
            throw ShaleError(.notFound, "\(files.subject): no image of the name \(tag.visible)", hint: hint)
        }
        guard let first = index.manifests.first else {
            throw ShaleError(.notFound, "\(files.subject): the layout holds no image")
        }
        guard index.manifests.allSatisfy({ $0.digest == first.digest }) else {
            throw ShaleError(.invalid, "\(files.subject): more than one image, choose one", hint: hint)
        }
        return first
    }

    private static func isCalled(_ entry: Descriptor, _ tag: String) -> Bool {
        let notes = entry.annotations ?? [:]
        if notes[Annotation.refName] == tag || notes[Annotation.imageName] == tag || entry.digest.description == tag {
            return true
        }
        // A layout of shale's has whole names.
        guard let wanted = try? Reference(parsing: tag).withDefaultTag else { return false }
        return [notes[Annotation.refName], notes[Annotation.imageName]].contains { text in
            guard let text, text.contains("/") else { return false }
            return (try? Reference(parsing: text).withDefaultTag) == wanted
        }
    }

    func document(_ descriptor: Descriptor, cancellation: Cancellation) throws(ShaleError) -> [UInt8] {
        let bytes = try part(descriptor).bytes()
        guard Digest.of(bytes) == descriptor.digest else {
            throw ShaleError(
                .corrupt, "\(files.subject): blob \(descriptor.digest): its bytes do not match its digest")
        }
        return bytes
    }

    func outgoing(
        _ blob: Descriptor, cancellation: Cancellation, passed: @escaping @Sendable (Int64) -> Void
    ) throws(ShaleError) -> Descriptor {
        blob
    }

    func open(_ blob: Descriptor, cancellation: Cancellation) throws(ShaleError) -> any BlobBytes { try part(blob) }

    func homes(of blob: Descriptor, beside repository: Reference) -> [Reference] { [] }

    private func part(_ blob: Descriptor) throws(ShaleError) -> FilePart {
        guard let part = try files.file("blobs/\(blob.digest.algorithm)/\(blob.digest.hex)") else {
            throw ShaleError(.corrupt, "\(files.subject): blob \(blob.digest): not there")
        }
        guard part.size == blob.size else {
            throw ShaleError(
                .corrupt,
                "\(files.subject): blob \(blob.digest): \(part.size) bytes instead of the \(blob.size) announced")
        }
        return part
    }
}
