package import Basics
import Glibc
package import Linux
package import OCI

/// Makes tars of trees (`export`, `cp` from a container, build contexts), and unpacks tars into trees (`cp` to a
/// container, `ADD` of an archive).
package enum TreeArchive {
    /// The result of packing a tree.
    package struct Packed: Sendable {
        package var digest: Digest
        /// The size of the tar, in bytes.
        package var size: Int64
        /// The size of all files in it, in bytes.
        package var contentBytes: Int64
        package var members: Int
    }

    package struct PackOptions: Sendable {
        /// The name of the top directory in the archive; empty to pack only its content.
        package var name = ""
        /// Whether a link at the end of the path is followed.
        package var followsLink = true
        /// The owner of all members, instead of that in the tree.
        package var owner: (uid: UInt32, gid: UInt32)?
        /// The latest time of members.
        ///
        /// Later times are set to this.
        package var epoch: Timestamp?
        /// Whether extended attributes are packed.
        package var keepsAttributes = true

        package init(
            name: String = "", followsLink: Bool = true, owner: (uid: UInt32, gid: UInt32)? = nil,
            epoch: Timestamp? = nil, keepsAttributes: Bool = true
        ) {
            self.name = name
            self.followsLink = followsLink
            self.owner = owner
            self.epoch = epoch
            self.keepsAttributes = keepsAttributes
        }
    }

    /// Packs a path and everything below it, parents first, sorted by bytes.
    ///
    /// Throws `notFound` when the path does not exist, `cancelled` when it is stopped, and what reading the files or
    /// `sink` throws.
    package static func pack(
        _ tree: MergedTree, path: String = "/", options: PackOptions = PackOptions(),
        cancellation: Cancellation = Cancellation(), to sink: @escaping ByteSink
    ) throws(ShaleError) -> Packed {
        guard let top = try tree.entry(path, followingLinks: options.followsLink) else {
            throw SystemCallError("open", path: path, errno: ENOENT).shaleError(path)
        }
        let tar = TarWriter(to: sink)
        let packing = try add(tree, from: top, options: options, to: tar, cancellation)
        let (digest, size) = try tar.finish()
        return Packed(digest: digest, size: size, contentBytes: packing.contentBytes, members: packing.members)
    }

    /// Packs several trees into one tar, each in a folder of its own.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the files or `sink` throws.
    package static func pack(
        _ trees: [(folder: String, tree: MergedTree)], cancellation: Cancellation = Cancellation(),
        to sink: @escaping ByteSink
    ) throws(ShaleError) {
        let tar = TarWriter(to: sink)
        for (folder, tree) in trees {
            _ = try add(tree, from: tree.root(), options: PackOptions(name: folder), to: tar, cancellation)
        }
        _ = try tar.finish()
    }

    private static func add(
        _ tree: MergedTree, from top: TreeEntry, options: PackOptions, to tar: TarWriter, _ cancellation: Cancellation
    ) throws(ShaleError) -> Packing {
        var packing = Packing(tree: tree, tar: tar, options: options, top: top)
        try tree.walk(from: top) { entry throws(ShaleError) in
            try cancellation.check()
            try packing.add(entry)
        }
        return packing
    }

    private struct Packing {
        let tree: MergedTree
        let tar: TarWriter
        let options: PackOptions
        let top: TreeEntry
        let last = LastDirectory()
        var names: [FileIdentity: [UInt8]] = [:]
        var contentBytes: Int64 = 0
        var members = 0

        mutating func add(_ entry: TreeEntry) throws(ShaleError) {
            let name = archiveName(entry)
            guard !name.isEmpty, entry.status.kind != .socket else { return }
            var described = try tree.layerEntry(entry, last)
            if !options.keepsAttributes { described.attributes = [] }
            if let owner = options.owner { (described.uid, described.gid) = owner }
            described.modified = LayerWriter.clamped(described.modified, to: options.epoch)
            var member = TarEntry(described)
            member.path = name
            members += 1
            if entry.status.kind != .directory, entry.status.links > 1 {
                let identity = entry.status.identity
                if let first = names[identity] {
                    // Attributes stay: see ChangeEntries.
                    (member.kind, member.link, member.size) = (.hardLink, first, 0)
                    return try tar.add(member)
                }
                names[identity] = name
            }
            guard entry.status.kind == .regular else { return try tar.add(member) }
            let file = try tree.open(entry, last)
            member.size = file.size
            contentBytes = contentBytes.addingClamped(member.size)
            try tar.add(member, from: file.descriptor)
        }

        /// The path in the archive; empty for the top directory when it has no name.
        private func archiveName(_ entry: TreeEntry) -> [UInt8] {
            let own = entry.path.pathBytes
            let below = top.path == "/" ? own.dropFirst() : own.dropFirst(top.path.pathBytes.count)
            if options.name.isEmpty {
                if top.status.kind != .directory { return entry.name.pathBytes }
                return Array(below.drop { $0 == UInt8(ascii: "/") })
            }
            let slash: [UInt8] = below.isEmpty || below.first == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
            return options.name.pathBytes + slash + below
        }
    }

    // MARK: Into a tree

    package struct UnpackOptions: Sendable {
        /// The owner of all files, instead of that in the archive.
        package var owner: (uid: UInt32, gid: UInt32)?
        /// Whether to refuse that a directory replaces a file or the reverse, as `docker cp` does.
        package var keepsTypes = false
        /// A first path component, and its other name in the tree.
        package var renaming: (from: String, to: String)?
        package var limits = UnpackLimits.standard
        /// Whether to keep the attributes of the target directory, instead of those of `.` in the archive (docker's
        /// `ADD`).
        package var keepsTop = false
        /// Refuse a member or a hard link's file above the directory unpacked into, as `docker cp` does, instead of
        /// keeping it below; a renaming is not asked then.
        package var refusesOutside = false

        package init(
            owner: (uid: UInt32, gid: UInt32)? = nil, keepsTypes: Bool = false,
            renaming: (from: String, to: String)? = nil, limits: UnpackLimits = .standard
        ) {
            self.owner = owner
            self.keepsTypes = keepsTypes
            self.renaming = renaming
            self.limits = limits
        }
    }

    /// What an unpacked archive left in the tree.
    package struct Unpacked: Sendable {
        /// What was made, by absolute path, sorted; implied parents are marked.
        package var entries: [LayerEntry]
        package var contentBytes: Int64
        /// Bytes of the tar, unpacked.
        package var size: Int64
    }

    /// Unpacks an archive, packed or not, into a directory of a tree.
    ///
    /// Nothing leaves `root`: links on the way, the tree's own or the archive's, are followed inside it. What is in the
    /// way is replaced. `.wh.` names are names like others. A missing `path` is made, 0755 root:root or the owner
    /// asked. Throws `corrupt` when the archive is damaged, `denied` when a name leads outside of the directory,
    /// `cancelled` when it is stopped, and what writing the files throws.
    package static func unpack(
        _ source: any ByteSource, into root: RootDirectory, at path: String = "/", subject: String,
        options: UnpackOptions = UnpackOptions(), cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> Unpacked {
        let stream = try UnpackedStream(
            source, subject: subject, limits: options.limits, hashing: false, cancellation: cancellation)
        defer { stream.close() }
        let reader = TarReader(stream, subject: subject, limits: options.limits)
        let style = TreeBuilder.Style(overlay: nil, keepsTypes: options.keepsTypes, owner: options.owner)
        let builder = TreeBuilder(root: root, style: style, subject: subject)
        let members = MemberWriter(builder: builder, limits: options.limits)
        let base = EntryPath(path.pathBytes).components
        while let entry = try reader.next() {
            let place = try placed(entry.path, below: base, subject, options)
            if entry.kind == .hardLink {
                let target = try placed(entry.link, below: base, subject, options)
                try link(place, to: target, entry, builder)
            } else if place.isRoot {
                // Something nameless that is no directory: docker's unpacker passes over it.
                if entry.kind == .directory, !options.keepsTop { try members.setRoot(entry) }
            } else if options.keepsTop, place.components.count == base.count, entry.kind == .directory,
                try isDirectory(place, below: root)
            {
                continue
            } else {
                try members.write(entry, at: place, from: reader)
            }
        }
        try reader.drain()
        let entries = try builder.finish()
        return Unpacked(entries: entries, contentBytes: members.contentBytes, size: stream.size)
    }

    private static func isDirectory(_ place: EntryPath, below root: RootDirectory) throws(ShaleError) -> Bool {
        try MergedTree(layers: [root]).entry(place.absolute, followingLinks: true)?.status.kind == .directory
    }

    /// Where a name of the archive is in the tree.
    private static func placed(
        _ name: [UInt8], below base: [String], _ subject: String, _ options: UnpackOptions
    ) throws(ShaleError) -> EntryPath {
        guard options.refusesOutside else { return EntryPath(components: base + renamed(name, options)) }
        let top = EntryPath(components: base).absolute
        let place = EntryPath(top.pathBytes + [UInt8(ascii: "/")] + name)
        guard place.components.count >= base.count, zip(base, place.components).allSatisfy({ PathOrder.same($0, $1) })
        else {
            throw ShaleError(.denied, "\(subject): \"\(String(pathBytes: name))\" is outside of \"\(top)\"")
        }
        return place
    }

    private static func renamed(_ path: [UInt8], _ options: UnpackOptions) -> [String] {
        let components = EntryPath(path).components
        guard let (from, to) = options.renaming else { return components }
        let old = EntryPath(from.pathBytes).components
        guard components.count >= old.count, zip(old, components).allSatisfy({ PathOrder.same($0, $1) }) else {
            return components
        }
        return EntryPath(to.pathBytes).components + components.dropFirst(old.count)
    }

    private static func link(
        _ place: EntryPath, to target: EntryPath, _ entry: TarEntry, _ builder: TreeBuilder
    ) throws(ShaleError) {
        let tree = MergedTree(layers: [builder.root])
        guard !place.isRoot, let found = try tree.entry(target.absolute, followingLinks: false),
            found.status.kind != .directory
        else {
            throw ShaleError(
                .corrupt, "\(builder.subject): link \(target.absolute) \(place.absolute)",
                cause: "no such file or directory")
        }
        let origin = EntryPath(found.path.pathBytes)
        let directory = try builder.directory(origin.parent, modified: entry.modified)
        let parent = try builder.directory(place.parent, modified: entry.modified)
        try builder.makeLink(place.name, in: parent, to: origin.name, in: directory, modified: entry.modified)
    }
}
