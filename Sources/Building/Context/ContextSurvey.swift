import Layers
import Linux

/// The directories of a build context as one walk found them.
///
/// The cache is asked with what that walk found, as docker's daemon works on what it was sent. A step that copies reads
/// its files again.
struct ContextSurvey: Sendable {
    typealias Entry = (name: String, status: FileStatus)

    private var directories: [PathKey: [Entry]] = [:]

    /// The entries of a directory, names in byte order; `nil` for a directory that the walk did not enter.
    func entries(of directory: String) -> [Entry]? { directories[PathKey(directory == "/" ? "" : directory)] }

    mutating func add(_ entries: [Entry], of directory: String) { directories[PathKey(directory)] = entries }
}
