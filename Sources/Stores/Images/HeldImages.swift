package import Basics
package import OCI

/// Images that were removed or undone and that a session can bring back: out of every listing, their content kept.
extension ImageStore {
    /// Whether an image is here, listed or held.
    package func isThere(_ id: Digest) throws(ShaleError) -> Bool {
        try listedOrHeldEntry(id, in: names.table()) != nil
    }

    /// Puts held images back among the others; those that are there already, or gone, are passed over.
    package func revive(_ ids: some Sequence<Digest>) throws(ShaleError) {
        let held = try held.table()
        let wanted = ids.filter { !held.entries(of: $0).isEmpty }
        guard !wanted.isEmpty else { return }
        try names.update { table throws(ShaleError) in
            for id in wanted where table.entries(of: id).isEmpty {
                if let entry = held.entries(of: id).first { table.insert(entry) }
            }
        }
    }

    /// Takes images out of the listings for a session that can bring them back.
    ///
    /// One that has a name, that a container stands on, or that another image was built on stays. `isUsed` is asked
    /// under the lock.
    package func hide(_ ids: [Digest], isUsed: (Digest) -> Bool) throws(ShaleError) {
        guard !ids.isEmpty else { return }
        try lock.exclusively { () throws(ShaleError) in
            let old = try names.table()
            var table = old
            var moved: [ImageEntry] = []
            var rest = ids
            // One may stand on another: again until nothing more can go.
            while true {
                let parents = Set(table.entries.compactMap(\.parent))
                let going = rest.filter { id in
                    let entries = table.entries(of: id)
                    return !entries.isEmpty && entries.allSatisfy { $0.refName == nil } && !parents.contains(id)
                        && !isUsed(id)
                }
                if going.isEmpty { break }
                for id in going { moved += table.removeImage(id) }
                rest.removeAll { going.contains($0) }
            }
            guard !moved.isEmpty else { return }
            // The held one first: cut short, the image is in both places, which does no harm.
            try hold(moved)
            try names.replace(old, with: table)
        }
    }

    /// The images that only sessions can bring back.
    package func heldTable() throws(ShaleError) -> ImageTable { try held.table() }

    /// Takes in the images of a session that came from elsewhere; answers names that were left to other images.
    ///
    /// Their blobs are here already, and the session keeps them.
    package func adopt(listed: [ImageEntry], held: [ImageEntry]) throws(ShaleError) -> [Reference] {
        try lock.exclusively { () throws(ShaleError) in
            try hold(held)
            return try names.updateLocked { table throws(ShaleError) in
                var left: [Reference] = []
                for entry in listed {
                    if let name = entry.name, let own = table.entry(named: name), !own.isSameImage(as: entry) {
                        left.append(name)
                        table.insert(entry.named(nil))
                    } else {
                        table.insert(entry)
                    }
                }
                return left
            }
        }
    }

    /// Notes entries as held.
    ///
    /// Under the store's lock.
    func hold(_ entries: some Sequence<ImageEntry>) throws(ShaleError) {
        try held.updateLocked { table throws(ShaleError) in
            for entry in entries { table.insert(entry.named(nil)) }
        }
    }
}
