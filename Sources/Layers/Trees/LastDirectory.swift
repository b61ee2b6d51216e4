import Basics
import Linux

/// The directory that was looked at last, kept open for what else is in it.
///
/// A walk visits the files of a directory one after the other; opening the directory for each would take twice the
/// time.
final class LastDirectory {
    private var path: String?
    private var layer = 0
    private var box: Box?

    private final class Box {
        let descriptor: OwnedFD
        init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
    }

    /// Calls `body` with a directory of a layer.
    func with<Result: ~Copyable>(
        _ path: String, of root: RootDirectory, layer: Int = 0,
        _ body: (borrowing OwnedFD) throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        if let box, let known = self.path, self.layer == layer, PathOrder.same(known, path) {
            return try body(box.descriptor)
        }
        let opened = Box(try root.directory(path))
        (self.path, self.layer, box) = (path, layer, opened)
        return try body(opened.descriptor)
    }
}
