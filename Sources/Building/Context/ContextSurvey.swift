import Layers
import Linux

/// The directories of a build context as one walk found them.
///
/// A step that is looked up in the cache is looked up as of that walk, as docker's daemon sees what it was sent; a step
/// that copies reads its files anew.
struct ContextSurvey: Sendable {
    typealias Entry = (name: String, status: FileStatus)

    private var directories: [PathKey: [Entry]] = [:]

    /// What a directory held, names in byte order; `nil` for one that the walk did not enter.
    func entries(of directory: String) -> [Entry]? { directories[PathKey(directory == "/" ? "" : directory)] }

    mutating func add(_ entries: [Entry], of directory: String) { directories[PathKey(directory)] = entries }
}
