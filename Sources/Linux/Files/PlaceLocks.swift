import CLinux
import Glibc

/// Locks on numbered places of a file, which die with their holder: any number share a place, or one has it alone.
///
/// The places are bytes that need not be there, so the file stays empty and a lock takes no space (`F_OFD_SETLK` in
/// fcntl(2)). What one value holds stands in the way of every other value, also in the same process.
package struct PlaceLocks: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    /// Opens the file, made if it is not there; where nothing can be written, places can only be shared.
    ///
    /// Throws the error of opening the file.
    package init(path: String) throws(SystemCallError) {
        do throws(SystemCallError) {
            descriptor = try OwnedFD.open(path, O_RDWR | O_CREAT)
        } catch {
            guard error.errno == EROFS || error.errno == EACCES, let file = try? OwnedFD.open(path, O_RDONLY) else {
                throw error
            }
            descriptor = file
        }
    }

    /// Shares a place; waits while another has it alone.
    ///
    /// Throws the error of `fcntl(2)`.
    package borrowing func share(_ place: Int64) throws(SystemCallError) {
        let raw = descriptor.raw
        try check("fcntl") { shale_lock_place(raw, place, Int32(SHALE_PLACE_SHARED), 1) }
    }

    /// Takes a place alone, at once; returns `false` when another holds it in any way.
    ///
    /// Throws the error of `fcntl(2)`.
    package borrowing func takeAlone(_ place: Int64) throws(SystemCallError) -> Bool {
        if shale_lock_place(descriptor.raw, place, Int32(SHALE_PLACE_ALONE), 0) == 0 { return true }
        let error = errno
        guard error == EAGAIN || error == EACCES else { throw SystemCallError("fcntl", errno: error) }
        return false
    }

    /// Unlocks a place; it is no error when it is not locked.
    package borrowing func release(_ place: Int64) {
        _ = shale_lock_place(descriptor.raw, place, Int32(SHALE_PLACE_FREE), 0)
    }
}
