import Basics
import OCI

/// A file fetched for `ADD`, lying in a folder of its own until the step is done.
struct Download: Sendable {
    let folder: ScratchFolder
    /// Its name in the folder.
    let fileName: String
    /// The name its address gives it.
    let name: String
    let digest: Digest
}

extension Engine {
    /// Fetches a file by its http or https address.
    ///
    /// Throws `corrupt` when it does not have the digest that `--checksum` asks for.
    func download(_ address: String, checksum: String?, _ talk: Conversation) throws(ShaleError) -> Download {
        let folder = try ScratchFolder(in: store)
        let fetched = try registry.file(at: address, into: folder.path + "/file", cancellation: talk.cancellation)
        if let checksum {
            let wanted = try Digest(parsing: checksum)
            guard wanted == fetched.digest else {
                throw ShaleError(
                    .corrupt, "ADD failed: digest mismatch for \(address.visible): \(fetched.digest) is not \(wanted)")
            }
        }
        let path = address.split(separator: "?").first.map(String.init) ?? address
        let name = path.split(separator: "/").dropFirst(2).last.map(String.init)
        guard let name, !path.hasSuffix("/") else {
            throw ShaleError(.invalid, "cannot determine filename from url: \(address.visible)")
        }
        return Download(folder: folder, fileName: "file", name: name, digest: fetched.digest)
    }
}
