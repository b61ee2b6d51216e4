package import Basics
package import Linux

/// Tells for each change what a layer made of it holds: deletions as whiteouts, the second and later names of a file as
/// hard links to its first.
///
/// Files are not read: sizes are those of the changes, and there are no hashes.
struct ChangeEntries {
    private let upper: RootDirectory
    private let last: LastDirectory
    private var names: [FileIdentity: String] = [:]

    /// `last` is the directory of `upper` that was looked at last.
    init(of upper: RootDirectory, _ last: LastDirectory) {
        self.upper = upper
        self.last = last
    }

    /// The next change's entry, in the order of `ChangeFinder`; `nil` for what no layer holds: sockets, and directories
    /// that are not in the upper one.
    mutating func next(_ change: Change) throws(ShaleError) -> LayerEntry? {
        guard let status = change.status else {
            return change.kind == .deleted ? LayerEntry(path: change.path, kind: .whiteout) : nil
        }
        if status.kind == .socket { return nil }
        var entry = try described(change, status)
        guard status.kind != .directory, status.links > 1 else { return entry }
        let identity = status.identity
        if let first = names[identity] {
            // Attributes stay, as docker's own archives have them: docker gives the file its owner again at each of its
            // names, which takes a capability away that is not repeated there.
            (entry.kind, entry.link, entry.size) = (.hardLink, first, 0)
        } else {
            names[identity] = change.path
        }
        return entry
    }

    private func described(_ change: Change, _ status: FileStatus) throws(ShaleError) -> LayerEntry {
        let place = EntryPath(change.path.pathBytes)
        do throws(SystemCallError) {
            let attributes = try last.with(place.parent, of: upper) { directory throws(SystemCallError) in
                try PortableAttributes.read(place.name, in: directory)
            }
            return LayerEntry(path: change.path, status: status, link: change.link, attributes: attributes)
        } catch {
            throw error.shaleError(change.path)
        }
    }
}

extension LayerIndex {
    /// What a layer of these changes would hold, without the hashes of its files; of the upper directory only
    /// attributes are read.
    ///
    /// A path that goes away meanwhile is left out: whoever writes there need not wait. Throws what reading the
    /// attributes throws, except `notFound`.
    package init(of changes: [Change], in upper: RootDirectory) throws(ShaleError) {
        self.init()
        var next = ChangeEntries(of: upper, LastDirectory())
        for change in changes {
            do throws(ShaleError) {
                if let entry = try next.next(change) { entries.append(entry) }
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
    }
}
