import CLinux
import Glibc

/// The calls of the C library that take a path, for paths that are `String`: they get the path's own bytes.
///
/// Swift would hand them its UTF-8, which is another name where the path is not UTF-8. Being made for `String`, these
/// are what a plain call means wherever this module is imported.
package func access(_ path: String, _ mode: Int32) -> Int32 { path.withPath { Glibc.access($0, mode) } }

@discardableResult
package func chdir(_ path: String) -> Int32 { path.withPath { Glibc.chdir($0) } }

@discardableResult
package func chmod(_ path: String, _ mode: UInt32) -> Int32 { path.withPath { Glibc.chmod($0, mode) } }

@discardableResult
package func mkdir(_ path: String, _ mode: UInt32) -> Int32 { path.withPath { Glibc.mkdir($0, mode) } }

package func readlink(
    _ path: String, _ buffer: UnsafeMutablePointer<CChar>, _ count: Int
) -> Int { path.withPath { Glibc.readlink($0, buffer, count) } }

@discardableResult
package func rename(_ path: String, _ target: String) -> Int32 {
    path.withPath { path in target.withPath { Glibc.rename(path, $0) } }
}

@discardableResult
package func rmdir(_ path: String) -> Int32 { path.withPath { Glibc.rmdir($0) } }

@discardableResult
package func symlink(_ target: String, _ path: String) -> Int32 {
    target.withPath { target in path.withPath { Glibc.symlink(target, $0) } }
}

@discardableResult
package func unlink(_ path: String) -> Int32 { path.withPath { Glibc.unlink($0) } }

/// Renames to a name that nothing has, within a file system.
///
/// Throws `EEXIST` when something has it, and what `renameat2(2)` answers.
package func placeNew(_ path: String, at target: String) throws(SystemCallError) {
    try check("rename", path: target) {
        path.withPath { path in
            target.withPath { shale_renameat2(AT_FDCWD, path, AT_FDCWD, $0, UInt32(SHALE_RENAME_NOREPLACE)) }
        }
    }
}
