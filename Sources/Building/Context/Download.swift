import Basics
import Glibc
import Images
import Linux
import OCI
import Registries

/// A file downloaded for `ADD`.
///
/// It lies in its own folder until the step is done.
struct Download: Sendable {
    let folder: ScratchFolder
    /// The file's name in the folder.
    let fileName: String
    /// The last part of the URL's path.
    let name: String
    let digest: Digest
}

extension BuildEngine {
    /// Downloads a file by its http or https URL.
    ///
    /// With `isContext` the URL need not end in a name, and the caller names the subject of errors. `moved` is told how
    /// many more bytes arrived. Throws `corrupt` when the file does not have the digest of `--checksum`, `invalid` for a
    /// URL without a file name, and what the download throws.
    func download(
        _ address: String, checksum: String?, isContext: Bool = false, _ operation: OperationContext,
        moved: (Int64) -> Void
    ) throws(ShaleError) -> Download {
        let subject = isContext ? "" : "ADD failed: "
        let request = isContext ? "GET \(address.visible)" : "ADD failed: Get \"\(address.visible)\""
        let path = address.split(separator: "?").first.map(String.init) ?? address
        let parts = path.pathParts
        guard isContext || (parts.count > 2 && !path.hasSuffix("/")), let name = parts.last.map(String.init) else {
            throw ShaleError(.invalid, "cannot determine filename from url: \(address.visible)")
        }
        let folder = try ScratchFolder(in: store)
        let place = "\(folder.path)/file"
        let fetched = try translating(request) {
            let file = try OwnedFD.open(place, O_WRONLY | O_CREAT | O_EXCL)
            let raw = file.raw
            let fetched = try registry.file(at: address, subject: subject, cancellation: operation.cancellation) {
                (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                moved(Int64(bytes.count))
                try translating(request) {
                    var done = 0
                    while done < bytes.count {
                        done += try checkLength("write") {
                            write(raw, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                        }
                    }
                }
            }
            // The file gets the server's Last-Modified time. Without one docker uses the epoch.
            try file.setTimes(fetched.lastModified.flatMap(HTTPDate.parse) ?? .epoch)
            return fetched
        }
        if let checksum {
            let wanted = try Digest(parsing: checksum)
            guard wanted == fetched.digest else {
                throw ShaleError(
                    .corrupt, "\(subject)digest mismatch \(fetched.digest): \(wanted)")
            }
        }
        return Download(folder: folder, fileName: "file", name: name, digest: fetched.digest)
    }
}

/// The date of an HTTP header, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    static func parse(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let day = Int64(words[1]), let year = Int64(words[3]),
            let month = months.firstIndex(of: String(words[2]))
        else { return nil }
        let clock = words[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (1...31).contains(day), (1970...9999).contains(year),
            clock[0] < 24, clock[1] < 60, clock[2] < 61
        else { return nil }
        let days = CivilDate(year: year, month: Int64(month + 1), day: day).daysSinceEpoch
        return Timestamp(seconds: days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
    }
}
