package import Basics
package import Linux

/// Makes the layer entry for each change.
///
/// Deletions become whiteouts, and further names of a file become hard links to its first name.
///
/// Files are not read. Sizes are those of the changes, and there are no hashes.
struct ChangeEntries {
    private let upper: RootDirectory
    private let last: LastDirectory
    private var names: [FileIdentity: String] = [:]

    /// `last` holds the last used directory of `upper`.
    init(of upper: RootDirectory, _ last: LastDirectory) {
        self.upper = upper
        self.last = last
    }

    /// The entry of the next change, in the order of `ChangeFinder`; `nil` for sockets, and for directories that are
    /// not in the upper directory, which no layer contains.
    mutating func next(_ change: Change) throws(ShaleError) -> LayerEntry? {
        guard let status = change.status else {
            return change.kind == .deleted ? LayerEntry(path: change.path, kind: .whiteout) : nil
        }
        if status.kind == .socket { return nil }
        var entry = try described(change, status)
        guard status.kind != .directory, status.links > 1 else { return entry }
        let identity = status.identity
        if let first = names[identity] {
            // Attributes are kept, as in docker's archives. Docker sets the owner for each name of the file, which
            // clears a capability that is not repeated.
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
    /// The index of a layer of these changes, without hashes of files.
    ///
    /// Only attributes are read from the upper directory.
    ///
    /// A path that is removed meanwhile is left out, so processes may write there. Throws what reading the attributes
    /// throws, except `notFound`.
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
