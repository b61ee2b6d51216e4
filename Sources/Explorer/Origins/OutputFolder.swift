import Basics
import Glibc
import Linux

/// Creates a folder unless it exists.
func makeFolder(_ path: String) throws(SystemCallError) {
    if path.withPath({ mkdir($0, mode_t(CallersUmask.applied(to: 0o755))) }) == -1, errno != EEXIST {
        throw SystemCallError("mkdir", path: path)
    }
}
