package import Basics
import Glibc
import Linux
import OCI

/// All paths of one layer, sorted by bytes.
///
/// Its file is compact and has a checksum.
package struct LayerIndex: Sendable, Equatable {
    package var entries: [LayerEntry]

    package init(entries: [LayerEntry] = []) { self.entries = entries }

    /// The entry of an absolute path, found with a binary search.
    package subscript(path: String) -> LayerEntry? {
        let place = position(notBefore: path)
        return place < entries.count && PathOrder.same(entries[place].path, path) ? entries[place] : nil
    }

    /// The position of the first entry that is not before a path; the number of entries when there is none.
    package func position(notBefore path: String) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if PathOrder.precedes(entries[middle].path, path) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether the layer hides all layers below it (`.wh..wh..opq` in the root).
    ///
    /// Overlayfs ignores a mark of the root.
    ///
    /// Code that stacks layers must leave out the lower ones.
    package var isRootOpaque: Bool { entries.first.map { $0.path == "/" && $0.isOpaque } ?? false }

    /// Reads an index file.
    ///
    /// Throws `corrupt` for a damaged file or one of another version, which must be made again, and what reading the
    /// file throws.
    package init(reading path: String) throws(ShaleError) {
        do throws(SystemCallError) {
            let bytes = try WholeFile.read(path, limit: 1 << 30)
            guard let index = LayerIndex(decoding: bytes) else {
                throw SystemCallError("read", path: path, errno: 0)
            }
            self = index
        } catch {
            guard error.errno == 0 else { throw error.shaleError("layer index") }
            throw ShaleError(.corrupt, "layer index \(path) is damaged")
        }
    }

    /// Writes the index to a new file and renames it.
    ///
    /// Throws what writing the file throws.
    package func write(to path: String) throws(ShaleError) {
        do throws(SystemCallError) {
            try WholeFile.replace(path, with: encoded())
        } catch {
            throw error.shaleError("layer index")
        }
    }
}

/// A path as a key that is compared by bytes.
///
/// `String` treats a composed and a decomposed `é` as equal, but a directory can contain both.
package struct PathKey: Hashable, Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package static func == (left: PathKey, right: PathKey) -> Bool { PathOrder.same(left.path, right.path) }

    package func hash(into hasher: inout Hasher) {
        let quick: Void? = path.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if quick == nil { for byte in path.utf8 { hasher.combine(byte) } }
    }
}

/// The order of paths: by bytes, so that a directory comes before its content.
package enum PathOrder {
    package static func same(_ left: String, _ right: String) -> Bool {
        let quick = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in
                left.count == right.count && compare(left, right) == 0
            }
        }
        if case .some(.some(let answer)) = quick { return answer }
        return left.utf8.elementsEqual(right.utf8)
    }

    package static func precedes(_ left: String, _ right: String) -> Bool {
        let quick = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in compare(left, right) < 0 }
        }
        if case .some(.some(let answer)) = quick { return answer }
        return left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static func compare(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int {
        let shared = min(left.count, right.count)
        if shared > 0, let left = left.baseAddress, let right = right.baseAddress {
            let order = memcmp(left, right, shared)
            if order != 0 { return Int(order) }
        }
        return left.count - right.count
    }
}
