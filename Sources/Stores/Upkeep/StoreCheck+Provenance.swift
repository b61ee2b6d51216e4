import Basics
import Glibc
import Linux
import OCI

// Checks of the records that say how images were made, and of the files that their recipes need.
extension StoreCheck {
    /// The record that replaces an unreadable one: the image was made in this home, but how is unknown.
    private static let lostRecord = #"{"origin":{"lost":{}}}"#

    mutating func checkProvenance() throws(ShaleError) {
        for name in try StoreFolder.names(store.paths.provenance) {
            try cancellation.check()
            guard let image = try? Digest(parsing: "sha256:\(name.prefix { $0 != "." })") else { continue }
            if name == image.hex {
                try checkRecord(of: image)
            } else if name.hasSuffix(".files"), access(store.paths.provenanceRecord(of: image), F_OK) != 0 {
                // The record may be written next, or never. A readable list does no harm.
                guard try listedFiles(of: image) == nil else { continue }
                note("image \(image.short): the list of files of its recipe is damaged", "removed")
                if repair { unlink(store.paths.keptFiles(of: image)) }
            }
        }
    }

    private mutating func checkRecord(of image: Digest) throws(ShaleError) {
        let path = store.paths.provenanceRecord(of: image)
        let bytes = try seen(path)
        if bytes == nil, (try? FileStatus.of(hostPath: path)) == nil { return }
        guard let bytes, let record = try? JSONDocument(parsing: bytes, naming: "record"), record["origin"] != nil
        else {
            let why = bytes?.isEmpty == true ? "is empty" : "cannot be read"
            note(
                "image \(image.short): the record of how it was made \(why)",
                "noted as lost; its recipe begins with the image's files")
            if repair {
                try store.replace(path, with: Self.lostRecord)
                unlink(store.paths.keptFiles(of: image))
            }
            return
        }
        let needed = Set(Self.files(neededBy: record))
        let listed = try listedFiles(of: image)
        if listed.map({ needed.isSubset(of: $0) }) != true, access(path, F_OK) == 0 {
            note("image \(image.short): the list of files of its recipe is damaged", "written anew")
            if repair {
                let text = needed.sorted().map { "\($0)\n" }.joined()
                try store.replace(store.paths.keptFiles(of: image), with: text)
            }
        }
        guard isPresent(image) else { return }
        for file in needed.sorted() where !isPresent(file) {
            note(
                "image \(image.short): a copied file that its recipe needs is missing (blob \(file))",
                "its recipe keeps the files that the image has", isRepaired: false)
        }
    }

    /// The list of files of a record; `nil` when it is damaged.
    private func listedFiles(of image: Digest) throws(ShaleError) -> [Digest]? {
        do throws(ShaleError) {
            return try store.keptFiles(of: image)
        } catch {
            if error.leavesUnseen { throw error }
            return nil
        }
    }

    /// The blobs that a record names: files that were copied into the committed container.
    private static func files(neededBy record: JSONDocument) -> [Digest] {
        let events = record["origin"]?["commit"]?["deeds"]?.array ?? []
        return events.flatMap { $0["payload"]?.array ?? [] }.compactMap { $0.string }.compactMap {
            try? Digest(parsing: $0)
        }
    }
}
