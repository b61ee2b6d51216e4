import Layers
import Linux

/// The directories of a build context as one walk found them.
///
/// The cache lookups use this state, as docker's daemon works on the context that it was sent. A step that copies reads
/// its files again.
struct ContextSurvey: Sendable {
    typealias Entry = (name: String, status: FileStatus)

    private var directories: [PathKey: [Entry]] = [:]

    /// The entries of a directory, in byte order of their names; `nil` for a directory that the walk did not read.
    func entries(of directory: String) -> [Entry]? { directories[PathKey(directory == "/" ? "" : directory)] }

    mutating func add(_ entries: [Entry], of directory: String) { directories[PathKey(directory)] = entries }
}
