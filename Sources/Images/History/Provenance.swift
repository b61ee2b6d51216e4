package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
package import OCI
package import Stores

/// How an image was made here: recipes are written from this.
///
/// One small file an image in `provenance/`, written when the image is made; an image that was pulled or loaded has
/// none.
package struct Provenance: Sendable, Codable {
    package enum Origin: Sendable, Codable {
        /// An instruction, as written with its heredocs, and what it copied from the build's context.
        case step(instruction: String, copied: [CopiedSource])
        /// A container's changes: which container, and what shale knows was done to it.
        case commit(container: String, name: String, command: [String], changes: [String], events: [ContainerEvent])
        /// A line of `enter` that the user answered at the terminal: the changes are known, but not the answers.
        case typed(line: String)
        /// A file tree from outside.
        case imported(String)
        /// Made of another image by an edit, in words; its layer, if it has one of its own, is all that it adds.
        case edited(ImageEdit, text: String)
        /// Made here, but it is no longer known how: `system check --repair` replaces a damaged record with this.
        case lost

        /// The members' names in the file.
        enum CommitCodingKeys: String, CodingKey {
            case container, name, command, changes
            case events = "deeds"
        }
    }

    /// The image it stands on; `nil` for scratch.
    package var parent: Digest?
    /// What `FROM` called the image that the stage began with.
    package var base: String?
    package var origin: Origin
    /// The image that `COPY --from` read, or of which a squashed one has the files.
    package var from: Digest?
    /// The build arguments in force in a step, with their values.
    package var arguments: [String: String]?
    /// The Dockerfile's escape character, where it is not the backslash.
    package var escape: String?
    /// The predefined arguments that a `RUN` saw without an `ARG`: proxies.
    package var proxies: [String: String]?
    /// Whether a `RUN` had hosts, limits or a network by options of its build, which no instruction gives it.
    package var hasOwnHost: Bool?
    /// What is known of a committed container beside its events.
    package var facts: ContainerFacts?

    package init(parent: Digest?, base: String?, origin: Origin) {
        self.parent = parent
        self.base = base
        self.origin = origin
    }

    /// The error of records that lead back to the image they began with: only a damaged or forged one does.
    package func turnsBack(_ image: Digest) -> ShaleError {
        ShaleError(
            .corrupt, "image \(image.short): the records of how it was made lead back to it",
            hint: "system check --repair")
    }
}

extension ImageEngine {
    /// How an image was made here; `nil` for one that was pulled or loaded.
    ///
    /// Throws `corrupt` for a record that is there and cannot be read: that is not the same as none.
    package func provenance(of image: Digest) throws(ShaleError) -> Provenance? {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(store.paths.provenanceRecord(of: image), limit: 64 << 20)
        } catch {
            if error.errno == ENOENT { return nil }
            if error.leavesUnseen {
                let path = store.paths.provenanceRecord(of: image)
                throw error.storeError("the record of how image \(image.short) was made cannot be read", at: path)
            }
            throw Self.unreadable(image, error.description)
        }
        if bytes.isEmpty { throw Self.unreadable(image, "the file is empty") }
        guard let known = try? JSONDecoder().decode(Provenance.self, from: Data(bytes)) else {
            throw Self.unreadable(image, "the file is damaged")
        }
        return known
    }

    private static func unreadable(_ image: Digest, _ why: String) -> ShaleError {
        ShaleError(
            .corrupt, "the record of how image \(image.short) was made cannot be read", cause: why,
            hint: "system check --repair")
    }

    /// Removes the record of how an image was made, so that it counts as one that was pulled or loaded.
    package func forgetProvenance(of image: Digest) {
        unlink(store.paths.provenanceRecord(of: image))
        unlink(store.paths.keptFiles(of: image))
    }

    /// Writes durably how an image was made; a record that is there already stays, because the same id means the same
    /// image.
    ///
    /// Called before a name leads to the image: an image without this would count as one that came whole. Throws what
    /// writing the record throws.
    package func keepProvenance(_ provenance: Provenance, of image: Digest) throws(ShaleError) {
        // A damaged record is written again.
        let known = (try? self.provenance(of: image)) ?? nil
        if let known, !known.isLost { return }
        let bytes = Array(try OCIDocument.encode(provenance))
        let folder = store.paths.provenance
        let files = provenance.keptFiles
        try translating("provenance of \(image.short)") {
            if mkdir(folder, 0o700) == -1, errno != EEXIST { throw SystemCallError("mkdir", path: folder) }
            // First the list of files: a record without it would let them be collected.
            if !files.isEmpty {
                let text = files.map { "\($0)\n" }.joined()
                try WholeFile.replace(store.paths.keptFiles(of: image), with: Array(text.utf8))
            }
            try WholeFile.replace(store.paths.provenanceRecord(of: image), with: bytes)
        }
    }

    /// Removes what is known of images that are gone and that no image here was made of.
    ///
    /// What is younger than a day stays: a build under way notes a step before anything leads to it. So does what
    /// someone makes or uses at this moment.
    func sweepProvenance() throws(ShaleError) {
        let exclusion = try store.exclusion()
        guard let folder = try? RootDirectory(hostPath: store.paths.provenance), let names = try? folder.names(in: "/")
        else { return }
        var kept: Set<Digest> = []
        var pending = names.compactMap { try? Digest(parsing: "sha256:\($0)") }.filter(store.blobs.contains)
        while let image = pending.popLast() {
            guard kept.insert(image).inserted else { continue }
            // What a damaged record leads to is not known: nothing is removed then.
            let found: Provenance?
            do throws(ShaleError) { found = try provenance(of: image) } catch { return }
            guard let known = found else { continue }
            pending += [known.parent, known.from].compactMap { $0 }
        }
        let hexes = Set(kept.map(\.hex))
        let oldest = Timestamp.now().seconds - 86_400
        for name in names where name.hasSuffix("~") || !hexes.contains(String(name.prefix { $0 != "." })) {
            guard let status = try? folder.status(name), status.modified.seconds < oldest else { continue }
            let image = try? Digest(parsing: "sha256:\(name.prefix { $0 != "." })")
            if let image, !exclusion.take(.digest(image)) { continue }
            Logger.store.attempt("remove the record \(name)") { try folder.descriptor.unlink(name) }
            if let image { exclusion.give(.digest(image)) }
        }
    }
}

extension Provenance {
    fileprivate var isLost: Bool { if case .lost = origin { true } else { false } }

    /// Blobs that its recipe needs and that are in no layer.
    package var keptFiles: [Digest] {
        guard case .commit(_, _, _, _, let events) = origin else { return [] }
        return Set(events.flatMap { $0.payload ?? [] }).sorted()
    }
}
