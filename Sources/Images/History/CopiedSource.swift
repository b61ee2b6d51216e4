/// A file or directory of the context and its place in the image.
package struct CopiedSource: Sendable, Hashable, Codable {
    /// Below the context; no leading slash.
    package var source: String
    /// Absolute, in the image.
    package var destination: String
    package var isDirectory: Bool
    /// Permission bits before any `--chmod`.
    package var mode: UInt32
    /// Of a directory: the paths below it that were copied.
    package var entries: [String]?
    /// Whether `ADD` took it for an archive, whose files are in the image instead.
    package var isUnpacked: Bool?

    package init(source: String, destination: String, isDirectory: Bool, mode: UInt32, entries: [String]? = nil) {
        self.source = source
        self.destination = destination
        self.isDirectory = isDirectory
        self.mode = mode
        self.entries = entries
    }
}
