package import Basics
import FoundationEssentials
import Linux
package import OCI

/// The table of contents of a layer: its paths, and the places of the files' bytes in the blob.
///
/// The JSON of eStargz and zstd:chunked has the same entries.
package struct TableOfContents: Sendable {
    /// A part of a file that is compressed separately.
    package struct Piece: Sendable, Hashable {
        /// The place in the blob; empty for a part that is only zeros.
        package var place: Range<Int64>
        /// How many decompressed bytes to skip.
        package var skipped: Int64
        /// How many bytes of the file it has.
        package var size: Int64
        package var digest: Digest?
    }

    package private(set) var index = LayerIndex()
    private var pieces: [PathKey: [Piece]] = [:]

    /// The parts of a file, in order; none for an empty file.
    package func pieces(of path: String) -> [Piece] { pieces[PathKey(path)] ?? [] }

    /// Reads the JSON of a table.
    ///
    /// The bytes of the last file end at offset `end` of the blob. `subject` is the name in errors.
    ///
    /// Throws `corrupt` for a malformed table.
    package init(parsing text: [UInt8], end: Int64, subject: String) throws(ShaleError) {
        let document = try JSONDocument(parsing: text, naming: "\(subject): table of contents")
        guard let entries = document["entries"]?.array, entries.count <= UnpackLimits.standard.entries else {
            throw ShaleError(.corrupt, "\(subject): its table of contents has no entries")
        }
        var reading = TableReading(subject: subject)
        for entry in entries { try reading.add(TableEntry(entry, subject: subject)) }
        (index.entries, pieces) = reading.finished(end: end)
    }
}

/// One entry of the JSON.
private struct TableEntry {
    let type: String
    let path: EntryPath
    let size: Int64
    let offset: Int64?
    let endOffset: Int64?
    let document: JSONDocument

    init(_ document: JSONDocument, subject: String) throws(ShaleError) {
        guard let type = document["type"]?.string, let name = document["name"]?.string,
            name.utf8.count <= UnpackLimits.standard.pathLength
        else { throw ShaleError(.corrupt, "\(subject): an entry of its table of contents has no name or type") }
        self.type = type
        self.document = document
        path = EntryPath(name.pathBytes)
        size = document.whole("size") ?? 0
        offset = document.whole("offset")
        endOffset = document.whole("endOffset")
    }

    var kind: LayerEntry.Kind? {
        switch type {
        case "reg": .file
        case "dir": .directory
        case "symlink": .symlink
        case "hardlink": .hardLink
        case "fifo": .fifo
        case "char": .characterDevice
        case "block": .blockDevice
        default: nil
        }
    }

    var digest: Digest? { document["digest"]?.string.flatMap { try? Digest(parsing: $0) } }
    var modified: Timestamp { document["modtime"]?.string.flatMap { Timestamp(rfc3339: $0) } ?? .epoch }

    /// The extended attributes, which are base64 in the JSON.
    var attributes: [ExtendedAttribute] {
        guard case .object(let members)? = document["xattrs"] else { return [] }
        return members.filter { PortableAttributes.isPortable($0.key) }.compactMap { member in
            member.value.string.flatMap { Data(base64Encoded: $0) }.map {
                ExtendedAttribute(name: member.key, value: Array($0))
            }
        }.sorted { PathOrder.precedes($0.name, $1.name) }
    }

    func layerEntry(_ kind: LayerEntry.Kind) -> LayerEntry {
        func small(_ key: String) -> UInt32 { document.whole(key).flatMap { UInt32(exactly: $0) } ?? 0 }
        return LayerEntry(
            path: path.absolute, kind: kind, mode: small("mode") & 0o7777, uid: small("uid"), gid: small("gid"),
            size: kind == .file ? max(0, size) : 0, modified: modified,
            link: kind == .symlink ? document["linkName"]?.string ?? "" : "", deviceMajor: small("devMajor"),
            deviceMinor: small("devMinor"), attributes: attributes,
            contentHash: kind == .file ? digest?.contentHash : nil)
    }
}

/// Combines entries as unpacking would, and notes the places of their bytes.
private struct TableReading {
    private struct Part {
        var path: String
        var offset: Int64
        var skipped: Int64
        var size: Int64
        var digest: Digest?
    }

    let subject: String
    private var log = IndexLog()
    private var parts: [Part] = []
    private var sizes: [PathKey: Int64] = [:]
    /// The end of the last part of a file, when the table has it.
    private var ends: [PathKey: Int64] = [:]

    init(subject: String) { self.subject = subject }

    mutating func add(_ entry: TableEntry) throws(ShaleError) {
        let path = entry.path
        if entry.type == "chunk" { return note(entry) }
        guard let kind = entry.kind else { return }
        if path.name.hasPrefix(Whiteout.prefix) { return whiteout(path, entry.modified) }
        if path.components.contains(where: { $0.hasPrefix(Whiteout.metaPrefix) }) { return }
        addParents(of: path)
        guard kind == .hardLink else {
            log.add(entry.layerEntry(kind))
            if kind == .file, entry.size > 0 {
                sizes[PathKey(path.absolute)] = entry.size
                ends[PathKey(path.absolute)] = entry.endOffset
                note(entry)
            }
            return
        }
        guard let target = entry.document["linkName"]?.string else {
            throw ShaleError(.corrupt, "\(subject): \(path.absolute): a link to nothing")
        }
        log.addLink(path.absolute, to: EntryPath(target.pathBytes).absolute, modified: entry.modified)
    }

    private mutating func addParents(of path: EntryPath) {
        // An entry that exists has its parents already, so a deep path is walked once and not for each file in it.
        let parent = EntryPath(components: Array(path.components.dropLast())).absolute
        if path.components.count < 2 || log[parent] != nil { return }
        for depth in 1..<path.components.count {
            let above = EntryPath(components: Array(path.components[..<depth])).absolute
            if log[above] != nil { continue }
            log.add(LayerEntry(path: above, kind: .directory, mode: 0o755, isImplied: true))
        }
    }

    private mutating func whiteout(_ path: EntryPath, _ modified: Timestamp) {
        addParents(of: path)
        let directory = EntryPath(components: Array(path.components.dropLast())).absolute
        if path.name == Whiteout.opaque {
            if log[directory] == nil {
                log.add(LayerEntry(path: directory, kind: .directory, mode: 0o755, isImplied: true))
            }
            return log.setOpaque(directory)
        }
        let name = String(path.name.unicodeScalars.dropFirst(Whiteout.prefix.count))
        if ["", ".", ".."].contains(name) || path.name.hasPrefix(Whiteout.metaPrefix) { return }
        let target = directory == "/" ? "/" + name : "\(directory)/\(name)"
        switch log[target]?.kind {
        case nil: log.add(LayerEntry(path: target, kind: .whiteout, modified: modified))
        case .directory: log.setOpaque(target)
        default: break
        }
    }

    private mutating func note(_ entry: TableEntry) {
        let offset = entry.offset ?? 0
        let isZeros = entry.document["chunkType"]?.string == "zeros"
        parts.append(
            Part(
                path: entry.path.absolute, offset: isZeros ? -1 : offset,
                skipped: entry.document.whole("innerOffset") ?? 0, size: entry.document.whole("chunkSize") ?? 0,
                digest: entry.document["chunkDigest"]?.string.flatMap { try? Digest(parsing: $0) }))
    }

    /// The entries, and the parts of each file.
    ///
    /// A part ends where the next separately compressed part begins.
    consuming func finished(end: Int64) -> ([LayerEntry], [PathKey: [TableOfContents.Piece]]) {
        let starts = Set(parts.map(\.offset)).sorted()
        var following: [Int64: Int64] = [:]
        for (here, next) in zip(starts, starts.dropFirst()) { following[here] = next }
        var pieces: [PathKey: [TableOfContents.Piece]] = [:]
        var done: [PathKey: Int64] = [:]
        for part in parts {
            let key = PathKey(part.path)
            let left = (sizes[key] ?? 0).subtractingClamped(done[key] ?? 0)
            // The table may leave out the size of the last part.
            let size = part.size > 0 ? min(part.size, left) : left
            guard size > 0 else { continue }
            done[key, default: 0] += size
            let stop = min(following[part.offset] ?? end, ends[key] ?? end)
            pieces[key, default: []].append(
                TableOfContents.Piece(
                    place: part.offset < 0 ? 0..<0 : part.offset..<max(stop, part.offset), skipped: part.skipped,
                    size: size, digest: part.digest))
        }
        return (log.finished(), pieces)
    }
}

extension JSONDocument {
    /// The value of an integer member.
    fileprivate func whole(_ key: String) -> Int64? {
        switch self[key] {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }
}
