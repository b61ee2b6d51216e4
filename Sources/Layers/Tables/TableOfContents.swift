package import Basics
import FoundationEssentials
import Linux
package import OCI

/// What a layer's own table of contents tells: its paths, and where in the blob each file's bytes lie.
///
/// The JSON of eStargz and of zstd:chunked, which has the same entries.
package struct TableOfContents: Sendable {
    /// A part of a file, packed by itself.
    package struct Piece: Sendable, Hashable {
        /// Where it lies in the blob; empty for a part that is all zeros.
        package var place: Range<Int64>
        /// Bytes to pass over once it is unpacked.
        package var skipped: Int64
        /// Bytes of the file.
        package var size: Int64
        package var digest: Digest?
    }

    package private(set) var index = LayerIndex()
    private var pieces: [PathKey: [Piece]] = [:]

    /// The parts of a file's bytes, in their order; nothing for an empty file.
    package func pieces(of path: String) -> [Piece] { pieces[PathKey(path)] ?? [] }

    /// Reads a table's JSON; the last file's bytes end at `end` of the blob, `subject` is how errors call it.
    ///
    /// Throws `corrupt` for what is no table.
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

/// One entry as the JSON has it.
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

    /// Attributes come in base64.
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

/// Puts entries together as an unpacking would, and notes where bytes lie.
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
    /// Where the last part of a file ends, where the table tells.
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
        // What is there has its own parents: a deep path costs once, not with each file in it.
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

    /// The entries, and each file's parts: one ends where the next begins that is packed apart from it.
    consuming func finished(end: Int64) -> ([LayerEntry], [PathKey: [TableOfContents.Piece]]) {
        let starts = Set(parts.map(\.offset)).sorted()
        var following: [Int64: Int64] = [:]
        for (here, next) in zip(starts, starts.dropFirst()) { following[here] = next }
        var pieces: [PathKey: [TableOfContents.Piece]] = [:]
        var done: [PathKey: Int64] = [:]
        for part in parts {
            let key = PathKey(part.path)
            let left = (sizes[key] ?? 0).subtractingClamped(done[key] ?? 0)
            // The last part's size may be left out.
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
    /// An integer member.
    fileprivate func whole(_ key: String) -> Int64? {
        switch self[key] {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }
}
