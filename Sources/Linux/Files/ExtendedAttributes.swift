import CLinux
import Glibc

/// Extended attributes of an open file, or of a name in an open directory (never followed if it is a link).
///
/// A name is reached as `/proc/self/fd/N/name`, which works for every kind of file. A file system without attributes
/// has none; that is no error.
package enum ExtendedAttributes {
    /// Whether an attribute belongs to the file wherever it is copied: its capability and `user.*`.
    ///
    /// Others are the system's or a file system's own.
    package static func isOfFile(_ name: String) -> Bool {
        name == "security.capability" || name.hasPrefix("user.") && !OverlayForm.isBookkeeping(name)
    }

    /// The names, in the kernel's order.
    ///
    /// Throws the error of `flistxattr(2)`.
    package static func names(of file: borrowing OwnedFD) throws(SystemCallError) -> [String] {
        let raw = file.raw
        return try list { shale_flistxattr(raw, $0, $1) }
    }

    /// The same of a name in a directory, of a link itself.
    ///
    /// Throws the error of `llistxattr(2)`.
    package static func names(of name: String, in directory: borrowing OwnedFD) throws(SystemCallError) -> [String] {
        let path = path(of: name, in: directory)
        return try list { buffer, size in path.withPath { shale_llistxattr($0, buffer, size) } }
    }

    /// One attribute's bytes, or `nil` where there is none.
    ///
    /// Throws the error of `fgetxattr(2)`.
    package static func value(
        _ attribute: String, of file: borrowing OwnedFD
    ) throws(SystemCallError) -> [UInt8]? {
        let raw = file.raw
        return try get(attribute) { name, buffer, size in shale_fgetxattr(raw, name, buffer, size) }
    }

    /// The same of a name in a directory, of a link itself.
    ///
    /// Throws the error of `lgetxattr(2)`.
    package static func value(
        _ attribute: String, of name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) -> [UInt8]? {
        let path = path(of: name, in: directory)
        return try get(attribute) { name, buffer, size in
            path.withPath { shale_lgetxattr($0, name, buffer, size) }
        }
    }

    /// Gives a file an attribute, or the attribute another value.
    ///
    /// Throws the error of `fsetxattr(2)`.
    package static func set(
        _ attribute: String, to value: [UInt8], of file: borrowing OwnedFD
    ) throws(SystemCallError) {
        let raw = file.raw
        try check("setxattr", path: attribute) {
            withBytes(of: value) { bytes in
                attribute.withPath { shale_fsetxattr(raw, $0, bytes, value.count, 0) }
            }
        }
    }

    /// The same of a name in a directory, of a link itself.
    ///
    /// Throws the error of `lsetxattr(2)`.
    package static func set(
        _ attribute: String, to value: [UInt8], of name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        let path = path(of: name, in: directory)
        try check("setxattr", path: name) {
            withBytes(of: value) { bytes in
                attribute.withPath { attribute in
                    path.withPath { shale_lsetxattr($0, attribute, bytes, value.count, 0) }
                }
            }
        }
    }

    /// Removes an attribute; none is fine.
    ///
    /// Throws the error of `fremovexattr(2)`.
    package static func remove(_ attribute: String, of file: borrowing OwnedFD) throws(SystemCallError) {
        let raw = file.raw
        try tolerating { attribute.withPath { shale_fremovexattr(raw, $0) } }
    }

    /// The same of a name in a directory, of a link itself.
    ///
    /// Throws the error of `lremovexattr(2)`.
    package static func remove(
        _ attribute: String, of name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        let path = path(of: name, in: directory)
        try tolerating { attribute.withPath { attribute in path.withPath { shale_lremovexattr($0, attribute) } } }
    }

    /// An empty value needs an address too.
    private static func withBytes(of value: [UInt8], _ body: (UnsafeRawPointer) -> Int32) -> Int32 {
        (value + [0]).withUnsafeBytes { $0.baseAddress.map(body) ?? -1 }
    }

    private static func path(of name: String, in directory: borrowing OwnedFD) -> String {
        "/proc/self/fd/\(directory.raw)/\(name)"
    }

    private static func tolerating(_ body: () -> Int32) throws(SystemCallError) {
        do throws(SystemCallError) {
            try check("removexattr", body)
        } catch {
            guard error.errno == ENODATA || error.errno == ENOTSUP else { throw error }
        }
    }

    private static func list(
        _ call: (UnsafeMutablePointer<CChar>?, Int) -> Int
    ) throws(SystemCallError) -> [String] {
        let found = try grow(first: 256) { call($0?.assumingMemoryBound(to: CChar.self), $1) } ?? []
        return found.split(separator: 0).map { String(pathBytes: $0) }
    }

    private static func get(
        _ attribute: String, _ call: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemCallError) -> [UInt8]? {
        try grow(first: 128) { buffer, size in attribute.withPath { call($0, buffer, size) } }
    }

    /// Asks with a small buffer first and again with the 64 KiB that are the kernel's most.
    private static func grow(
        first: Int, _ call: (UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemCallError) -> [UInt8]? {
        for size in [first, 64 << 10] {
            var buffer = [UInt8](repeating: 0, count: size)
            let count = buffer.withUnsafeMutableBytes { call($0.baseAddress, $0.count) }
            if count >= 0 { return Array(buffer[..<count]) }
            let error = errno
            if error == ERANGE { continue }
            if error == ENODATA || error == ENOTSUP { return nil }
            throw SystemCallError("getxattr", errno: error)
        }
        throw SystemCallError("getxattr", errno: ERANGE)
    }
}
