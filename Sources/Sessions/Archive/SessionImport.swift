package import Basics
import Containers
import FoundationEssentials
import Glibc
import Images
package import Layers
import Linux
package import OCI
package import Recipes
package import Stores

/// Imports a session that was exported, here or on another machine.
///
/// The archive is untrusted. Only known members are accepted, every blob is hashed, and every document is checked
/// before
/// the first image is named. When the import fails, nothing stays in the store.
package final class SessionImport {
    private let engine: Engine
    private let sessions: SessionStore
    private let subject: String
    private var header: SessionArchive.Header?
    private var journal: [UInt8] = []
    private var variables: [UInt8]?
    private var listed: [ImageEntry] = []
    private var retained: [ImageEntry] = []
    private var provenance: [(image: Digest, value: Provenance)] = []
    private var blobs: [Digest] = []
    private var imported: Int64 = 0
    private var isComplete = false
    /// Whether the blobs came from a registry.
    ///
    /// The host folders in the journal then belong to another machine.
    private var isFromAfar = false

    /// Brings blobs that are not in the archive into the store.
    package typealias BlobsBeside = ([Digest]) throws(ShaleError) -> Void

    /// Returns the session's name here, given the name under which it was exported.
    package typealias Naming = (String) -> String

    /// Asks whether the session's images may get names that do not exist here yet.
    package typealias NamesWanted = ([Reference]) throws(ShaleError) -> Bool

    /// The result of an import.
    package struct Result: Sendable {
        package var name: String
        package var states: Int
        package var images: Int
        /// Names that were not set, because they mean another image here.
        package var namesLeft: [String]
        /// Names that were set.
        package var namesGiven: [String]
    }

    /// `subject` names the archive in errors.
    package init(_ engine: Engine, into sessions: SessionStore, subject: String) {
        self.engine = engine
        self.sessions = sessions
        self.subject = subject
    }

    /// Imports the session under the name that `naming` returns.
    ///
    /// `beside` is called with the needed blobs that are not in the archive. `namesWanted` is called when everything is
    /// in
    /// the store and nothing is named yet. Throws `conflict` for a name that exists, `invalid` or `corrupt` for a
    /// malformed or
    /// incomplete archive, and what the two closures throw.
    package func run(
        _ source: any ByteSource, naming: Naming, beside: BlobsBeside? = nil, namesWanted: NamesWanted,
        _ operation: OperationContext
    ) throws(ShaleError) -> Result {
        isFromAfar = beside != nil
        do throws(ShaleError) {
            let reader = try ArchiveReader(source, subject: subject, cancellation: operation.cancellation)
            try read(reader, naming, operation)
            if let beside { try bring(beside) }
            return try finish(naming, namesWanted, operation)
        } catch {
            // An interrupted download continues later, so the blobs that arrived stay until they are pruned.
            let isBroken = [.cancelled, .unavailable, .timeout, .unauthorized].contains(error.code)
            if isFromAfar, isBroken { sessions.blobs.release(blobs) } else { sessions.discard(blobs) }
            throw error
        }
    }

    /// Brings the blobs of the archive's images.
    private func bring(_ beside: BlobsBeside) throws(ShaleError) {
        var needed: Set<Digest> = []
        for entry in listed + retained {
            let digest = entry.manifest.digest
            guard sessions.blobs.contains(digest) else { throw missing("manifest", digest) }
            for descriptor in try manifests(of: entry) {
                let manifest = try OCIDocument.read(
                    Manifest.self, from: try sessions.blobs.bytes(descriptor.digest),
                    naming: "\(subject): manifest \(descriptor.digest)")
                needed.insert(manifest.config.digest)
                needed.formUnion(manifest.layers.map(\.digest))
            }
        }
        for record in provenance { needed.formUnion(record.value.keptFiles) }
        let wanted = needed.sorted()
        blobs += wanted
        try sessions.blobs.hold(wanted)
        try beside(wanted)
    }

    /// The manifests of an entry: its own, or for an index those that the archive contains.
    private func manifests(of entry: ImageEntry) throws(ShaleError) -> [Descriptor] {
        guard entry.isIndex else { return [entry.manifest] }
        let arrived = Set(blobs)
        return try engine.images.listedMembers(of: entry.manifest).map(\.descriptor)
            .filter { arrived.contains($0.digest) && !MediaType.isIndex($0.mediaType) }
    }

    // MARK: Reading

    private func read(_ reader: ArchiveReader, _ naming: Naming, _ operation: OperationContext) throws(ShaleError) {
        var seen: Set<String> = []
        while let entry = try reader.next() {
            let path = entry.pathText
            guard entry.kind == .file, !isComplete, seen.insert(path).inserted else { throw foreign(path) }
            guard header != nil || path == SessionArchive.header else {
                throw ShaleError(.invalid, "\(subject): not a session that was exported")
            }
            switch path {
            case SessionArchive.header: try takeHeader(reader.contents(limit: 1 << 20), naming)
            case SessionArchive.journal: journal = try reader.contents(limit: SessionArchive.largestJournal)
            case SessionArchive.variables: try takeVariables(reader)
            case SessionArchive.listed: listed = try entries(reader, path)
            case SessionArchive.retained: retained = try entries(reader, path)
            case SessionArchive.end: isComplete = true
            default: try takeByDigest(path, entry.size, reader, operation)
            }
        }
        guard header != nil else { throw ShaleError(.invalid, "\(subject): not a session that was exported") }
        guard isComplete else { throw ShaleError(.corrupt, "\(subject): cut short: its end is missing") }
    }

    private func foreign(_ path: String) -> ShaleError {
        ShaleError(.invalid, "\(subject): \(path) does not belong into an exported session")
    }

    private func takeHeader(_ bytes: [UInt8], _ naming: Naming) throws(ShaleError) {
        guard let found = try? JSONDecoder().decode(SessionArchive.Header.self, from: Data(bytes)),
            found.format == SessionArchive.Header(name: "").format
        else { throw ShaleError(.invalid, "\(subject): not a session that was exported") }
        guard found.version == 1 else {
            throw ShaleError(.unsupported, "\(subject): of version \(found.version), which this shale does not know")
        }
        header = found
        // Checked before large members are read.
        _ = try NewSession(named: naming(found.name), in: sessions)
    }

    private func takeVariables(_ reader: ArchiveReader) throws(ShaleError) {
        let bytes = try reader.contents(limit: SessionArchive.largestDocument)
        guard (try? JSONDecoder().decode([String: String].self, from: Data(bytes))) != nil else {
            throw ShaleError(.invalid, "\(subject): its variables cannot be read")
        }
        variables = bytes
    }

    private func entries(_ reader: ArchiveReader, _ path: String) throws(ShaleError) -> [ImageEntry] {
        let bytes = try reader.contents(limit: SessionArchive.largestDocument)
        let document = try JSONDocument(parsing: bytes, naming: "\(subject): \(path)")
        return ImageTable(try Index(DocumentReader(document, path: "\(subject): \(path)"))).entries
    }

    private func takeByDigest(
        _ path: String, _ size: Int64, _ reader: ArchiveReader, _ operation: OperationContext
    ) throws(ShaleError) {
        for folder in [SessionArchive.blobs, SessionArchive.provenance] where path.hasPrefix(folder) {
            guard let digest = try? Digest(parsing: "sha256:\(path.dropFirst(folder.count))") else { break }
            if folder == SessionArchive.blobs { return try takeBlob(digest, size, reader, operation) }
            let bytes = try reader.contents(limit: SessionArchive.largestDocument)
            guard let value = try? JSONDecoder().decode(Provenance.self, from: Data(bytes)) else {
                throw ShaleError(.invalid, "\(subject): \(path) cannot be read")
            }
            provenance.append((digest, value))
            return
        }
        throw foreign(path)
    }

    private func takeBlob(
        _ digest: Digest, _ size: Int64, _ reader: ArchiveReader, _ operation: OperationContext
    ) throws(ShaleError) {
        blobs.append(digest)
        if try sessions.blobs.claim(digest) { return }
        // A session from a registry has only manifests here, which need no progress.
        if !isFromAfar {
            operation.tell(.bytes(id: header?.name ?? subject, state: "Importing", current: imported, total: nil))
        }
        imported &+= size
        let ingest = try sessions.blobs.newIngest()
        do throws(ShaleError) {
            try reader.readData { (_, bytes) throws(ShaleError) in try ingest.append(bytes) }
            guard ingest.digest == digest, ingest.count == size else {
                throw ShaleError(
                    .corrupt, "\(subject): blob \(digest)", cause: "its bytes have the digest \(ingest.digest)")
            }
            try ingest.commit()
        } catch {
            ingest.abandon(keepingPartial: false)
            throw error
        }
    }

    // MARK: Putting in

    private func finish(
        _ naming: Naming, _ namesWanted: NamesWanted, _ operation: OperationContext
    ) throws(ShaleError) -> Result {
        let name = naming(header?.name ?? "")
        let states = try states()
        var listed = try self.listed.map { entry throws(ShaleError) in try checked(entry, operation) }
        var retained = try self.retained.map { entry throws(ShaleError) in try checked(entry, operation) }
        try distrust(&listed, &retained)
        for entry in listed + retained {
            for descriptor in try manifests(of: entry) {
                guard let image = try imageToUnpack(descriptor, of: entry) else { continue }
                try engine.images.unpackMissingLayers(
                    of: image, OperationContext(cancellation: operation.cancellation))
            }
        }
        let (table, _) = try sessions.tables()
        let new = listed.compactMap(\.name).filter { table.entry(named: $0) == nil }
        if !new.isEmpty, try !namesWanted(new) { listed = listed.map { $0.named(nil) } }
        for (image, value) in provenance { try engine.images.keepProvenance(value, of: image) }
        var roots = SessionRoots()
        for change in states.flatMap({ $0.changes ?? [] }) { roots.formUnion(change.roots) }
        // Removed containers were not exported, unless they are in this store.
        let elsewhere = roots.containers.filter { !engine.containers.isHere($0) }.sorted()
        roots.containers.subtract(elsewhere)
        var files = [(name: SessionArchive.journal, bytes: journal)]
        if !elsewhere.isEmpty {
            files.append((SessionFolder.elsewhereName, Array(elsewhere.map { $0 + "\n" }.joined().utf8)))
        }
        if let variables { files.append((SessionArchive.variables, variables)) }
        try NewSession(named: name, in: sessions).make(files, roots: roots)
        // From here on the session's roots keep the images. After a crash in between they are retained.
        let left = try sessions.adopt(listed: listed, retained: retained, releasing: blobs)
        return Result(
            name: name, states: states.count { ($0.changes ?? []).contains { !$0.isLoss } },
            images: Set((listed + retained).compactMap(\.image)).count, namesLeft: left.map(\.familiar),
            namesGiven: listed.compactMap(\.name).filter { !left.contains($0) }.map(\.familiar))
    }

    /// Decodes all lines of the journal.
    ///
    /// Throws `corrupt` for a line that is no entry.
    private func states() throws(ShaleError) -> [JournalEntry] {
        let decoder = JSONDecoder()
        var entries: [JournalEntry] = []
        // An entry's number is its line number, so empty lines are kept.
        var rewritten: [UInt8] = []
        defer { if isFromAfar { journal = rewritten } }
        guard journal.isEmpty || journal.last == UInt8(ascii: "\n") else {
            throw ShaleError(.corrupt, "\(subject): its journal ends in half a line")
        }
        if journal.isEmpty { return [] }
        let lines = journal.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            if line.isEmpty {
                rewritten.append(UInt8(ascii: "\n"))
                continue
            }
            guard let entry = try? decoder.decode(JournalEntry.self, from: Data(line)) else {
                throw ShaleError(.corrupt, "\(subject): line \(number + 1) of its journal cannot be read")
            }
            guard isFromAfar else {
                entries.append(entry)
                continue
            }
            entries.append(entry.withoutPlaces)
            rewritten += try Journal.bytes([entry.withoutPlaces])
        }
        return entries
    }

    /// The image whose layers are unpacked; `nil` for a member of an index that is only stored.
    private func imageToUnpack(_ descriptor: Descriptor, of entry: ImageEntry) throws(ShaleError) -> Image? {
        guard entry.isIndex else { return try engine.images.image(manifest: descriptor) }
        guard let image = try? engine.images.image(manifest: descriptor), isUnpacked(image.manifest) else { return nil }
        return image
    }

    /// Whether a member of an index is unpacked here, and so must be sound: by its config, because an index may say
    /// another platform.
    private func isUnpacked(_ manifest: Manifest) -> Bool {
        guard manifest.kindOfArtifact == nil, let bytes = try? sessions.blobs.bytes(manifest.config.digest),
            let config = try? OCIDocument.read(ImageConfig.self, from: bytes, naming: "config")
        else { return false }
        return config.os == "linux"
    }

    /// Checks that everything the entry consists of is in the store; returns the entry with facts from its documents.
    private func checked(_ entry: ImageEntry, _ operation: OperationContext) throws(ShaleError) -> ImageEntry {
        guard entry.isIndex else { return try checkedImage(entry) }
        let digest = entry.manifest.digest
        guard sessions.blobs.contains(digest) else { throw missing("index", digest) }
        let members = try engine.images.listedMembers(of: entry.manifest)
        for descriptor in try manifests(of: entry) {
            try operation.cancellation.check()
            let manifest = try OCIDocument.read(
                Manifest.self, from: try sessions.blobs.bytes(descriptor.digest),
                naming: "\(subject): manifest \(descriptor.digest)")
            for blob in [manifest.config] + manifest.layers where !sessions.blobs.contains(blob.digest) {
                throw missing("blob", blob.digest)
            }
            guard isUnpacked(manifest) else { continue }
            var image = ImageEntry(manifest: descriptor, image: nil)
            image.manifest.platform = nil
            _ = try checkedImage(image)
        }
        guard let chosen = ImageStore.choose(from: members, for: nil), let id = chosen.image,
            let manifest = chosen.manifest,
            let config = try? OCIDocument.read(
                ImageConfig.self, from: sessions.blobs.bytes(manifest.config.digest), naming: "config")
        else { throw missing("image of the index", digest) }
        var entry = entry
        entry.image = id
        entry.created = config.created
        return entry
    }

    private func checkedImage(_ entry: ImageEntry) throws(ShaleError) -> ImageEntry {
        let blobs = sessions.blobs
        let digest = entry.manifest.digest
        guard blobs.contains(digest) else { throw missing("manifest", digest) }
        let manifest = try OCIDocument.read(
            Manifest.self, from: try blobs.bytes(digest), naming: "\(subject): manifest \(digest)")
        try manifest.validate(naming: "\(subject): manifest \(digest)")
        guard blobs.contains(manifest.config.digest) else { throw missing("config", manifest.config.digest) }
        let config = try OCIDocument.read(
            ImageConfig.self, from: try blobs.bytes(manifest.config.digest),
            naming: "\(subject): config \(manifest.config.digest)")
        try config.validate(for: manifest, naming: "\(subject): config \(manifest.config.digest)")
        for layer in manifest.layers where !blobs.contains(layer.digest) {
            throw missing("layer", layer.digest)
        }
        guard entry.image == nil || entry.image == manifest.config.digest else {
            throw ShaleError(.corrupt, "\(subject): image \(entry.image?.short ?? ""): it is another")
        }
        var entry = entry
        entry.image = manifest.config.digest
        entry.created = config.created
        return entry
    }

    /// Removes claims of an untrusted archive that its blobs do not prove: digests of other manifests, parents outside
    /// the
    /// archive, and the provenance of images that are in the store already.
    private func distrust(_ listed: inout [ImageEntry], _ retained: inout [ImageEntry]) throws(ShaleError) {
        let own = Set((listed + retained).compactMap(\.image))
        let bare = { (entry: ImageEntry) in
            var entry = entry
            entry.repoDigests.removeAll { $0.digest != entry.manifest.digest }
            entry.isPackedAtPush = false
            if let parent = entry.parent, !own.contains(parent) { entry.parent = nil }
            // An image that is recorded as a member of another image cannot be removed by itself.
            entry.members = entry.isIndex ? entry.members?.filter(own.contains) : nil
            return entry
        }
        listed = listed.map(bare)
        retained = retained.map(bare)
        let known = try engine.images.allThere()
        provenance.removeAll { !own.contains($0.image) || known.contains($0.image) }
    }

    private func missing(_ what: String, _ digest: Digest) -> ShaleError {
        ShaleError(.corrupt, "\(subject): \(what) \(digest.short) is missing")
    }
}

extension JournalEntry {
    /// The entry without the host folders of another machine.
    ///
    /// Otherwise a `COPY` that is carried out again would read a folder here that a stranger named.
    fileprivate var withoutPlaces: JournalEntry {
        var entry = self
        entry.directory = nil
        entry.changes = changes?.map { change in
            switch change {
            case .step(let step): .step(step.withoutPlace)
            case .rewrote(let steps): .rewrote(steps.map(\.withoutPlace))
            case .began, .name, .images, .removed, .lost: change
            }
        }
        return entry
    }
}

extension Step {
    fileprivate var withoutPlace: Step {
        var step = self
        step.directory = nil
        return step
    }
}
