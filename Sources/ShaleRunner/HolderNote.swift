import Glibc
import Linux

/// A note in the home's folder that this runner keeps the user namespace alive, for later shells to join it.
final class HolderNote {
    private let path: String

    init(folder: String) {
        path = "\(folder)/\(getpid())"
        UserNamespace.writeNote(at: path)
    }

    func remove() { unlink(path) }
}
