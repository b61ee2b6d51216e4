import Basics
import Glibc
import Linux
import OCI

/// Writes the members of an archive into a tree, one after the other.
final class MemberWriter {
    let builder: TreeBuilder
    private let limits: UnpackLimits
    private(set) var contentBytes: Int64 = 0

    init(builder: TreeBuilder, limits: UnpackLimits) {
        self.builder = builder
        self.limits = limits
    }

    /// Makes the file of a member.
    ///
    /// The caller makes hard links, because it knows where the target is.
    func write(_ entry: TarEntry, at path: EntryPath, from reader: TarReader) throws(ShaleError) {
        let parent = try builder.directory(path.parent, modified: entry.modified)
        let made = try layerEntry(entry, at: parent.absolute(path.name))
        switch entry.kind {
        case .file: try writeFile(entry, path.name, parent, made, reader)
        case .directory: try builder.makeDirectory(path.name, in: parent, as: made)
        case .symlink:
            guard !entry.link.isEmpty else {
                throw ShaleError(.corrupt, "\(builder.subject): \(path.absolute): symbolic link without a target")
            }
            try builder.makeSymlink(path.name, in: parent, as: made)
        case .fifo, .characterDevice, .blockDevice: try builder.makeNode(path.name, in: parent, as: made)
        case .hardLink: break
        }
    }

    /// Sets the metadata of the root.
    ///
    /// A member for the root that is no directory is refused.
    func setRoot(_ entry: TarEntry) throws(ShaleError) {
        guard entry.kind == .directory else {
            throw ShaleError(.corrupt, "\(builder.subject): \(entry.pathText): the root must stay a directory")
        }
        builder.log.add(try layerEntry(entry, at: "/"))
    }

    private func writeFile(
        _ entry: TarEntry, _ name: String, _ parent: TreeBuilder.OpenDirectory, _ made: LayerEntry, _ reader: TarReader
    ) throws(ShaleError) {
        contentBytes = contentBytes.addingClamped(entry.size)
        guard contentBytes <= limits.totalBytes else {
            throw ShaleError(.corrupt, "\(builder.subject): its files have more than \(limits.totalBytes) bytes")
        }
        let subject = "\(builder.subject): \(made.path)"
        try builder.makeFile(name, in: parent, as: made) { file throws(ShaleError) in
            var hash = ZeroFillingHasher(size: entry.size, isSparse: entry.sparse != nil)
            let raw = file.raw
            if entry.sparse != nil {
                do throws(SystemCallError) {
                    try file.truncate(to: entry.size)
                } catch {
                    throw error.shaleError(subject)
                }
            }
            let isSparse = entry.sparse != nil
            try reader.readData { offset, bytes throws(ShaleError) in
                hash.update(bytes, at: offset)
                do throws(SystemCallError) {
                    if isSparse {
                        try Self.write(bytes, to: raw, at: offset)
                    } else {
                        try file.writeLeavingHoles(bytes)
                    }
                } catch {
                    throw error.shaleError(subject)
                }
            }
            if !isSparse {
                do throws(SystemCallError) {
                    try file.endWithHole()
                } catch {
                    throw error.shaleError(subject)
                }
            }
            return hash.finish()
        }
    }

    /// Writes all bytes at an offset.
    private static func write(
        _ bytes: UnsafeRawBufferPointer, to raw: Int32, at offset: Int64
    ) throws(SystemCallError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try checkLength("write") {
                pwrite(raw, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
        }
    }

    /// The index entry of a member.
    ///
    /// User and group IDs that the kernel cannot have are refused.
    private func layerEntry(_ entry: TarEntry, at path: String) throws(ShaleError) -> LayerEntry {
        // -1 would mean "leave the owner as it is".
        guard let uid = UInt32(exactly: entry.uid), let gid = UInt32(exactly: entry.gid), uid != .max, gid != .max
        else {
            throw ShaleError(.corrupt, "\(builder.subject): \(path): invalid owner \(entry.uid):\(entry.gid)")
        }
        var made = LayerEntry(
            path: path, kind: Self.kind(entry), mode: entry.mode, uid: uid, gid: gid, size: entry.size,
            modified: entry.modified, link: entry.kind == .symlink ? String(pathBytes: entry.link) : "",
            deviceMajor: entry.deviceMajor, deviceMinor: entry.deviceMinor)
        if let owner = builder.style.owner { (made.uid, made.gid) = owner }
        made.attributes = entry.attributes.filter { attribute in
            !OverlayForm.isBookkeeping(attribute.name) && !attribute.name.utf8.contains(0)
        }
        return made
    }

    private static func kind(_ entry: TarEntry) -> LayerEntry.Kind {
        switch entry.kind {
        case .file: .file
        case .hardLink: .hardLink
        case .symlink: .symlink
        case .characterDevice: entry.deviceMajor == 0 && entry.deviceMinor == 0 ? .whiteout : .characterDevice
        case .blockDevice: .blockDevice
        case .directory: .directory
        case .fifo: .fifo
        }
    }
}

/// Hashes the content of a file while it is written.
///
/// A hole counts as zeros.
private struct ZeroFillingHasher {
    /// Larger holes, in bytes, are not hashed, because a small archive could contain a hole of a terabyte.
    private static let mostZeros: Int64 = 1 << 30
    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    private var hasher = DigestHasher()
    private let size: Int64
    private var isGivenUp = false
    private var zeroBytes: Int64 = 0

    init(size: Int64, isSparse: Bool) { self.size = size }

    mutating func update(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        fill(to: offset)
        if !isGivenUp { hasher.update(bytes) }
    }

    private mutating func fill(to offset: Int64) {
        guard !isGivenUp, hasher.count < offset else { return }
        zeroBytes += offset - hasher.count
        guard zeroBytes <= Self.mostZeros else {
            isGivenUp = true
            return
        }
        while hasher.count < offset {
            let count = Int(min(Int64(Self.zeros.count), offset - hasher.count))
            Self.zeros.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    mutating func finish() -> ContentHash? {
        fill(to: size)
        return isGivenUp ? nil : hasher.contentHash()
    }
}
