import Basics
import Linux

/// Keeps the last used directory open for other files in it.
///
/// A walk visits the files of a directory one after the other. Opening the directory for each file would take twice the
/// time.
final class LastDirectory {
    private var path: String?
    private var layer = 0
    private var box: Box?

    private final class Box {
        let descriptor: OwnedFD
        init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
    }

    /// Calls `body` with an open directory of a layer.
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
