package import Basics
import Glibc

/// A system call that failed: its name, what it was about, and why.
package struct SystemCallError: Error, Sendable, CustomStringConvertible {
    package var call: String
    package var path: String?
    package var errno: Int32

    package init(_ call: String, path: String? = nil, errno: Int32? = nil) {
        self.call = call
        self.path = path
        self.errno = errno ?? Glibc.errno
    }

    /// The errno's own words, lower case: `no such file or directory`.
    package var reason: String { Self.words(of: errno) }
    package var description: String { "\(call)\(path.map { " \($0)" } ?? ""): \(reason)" }

    package static func words(of errno: Int32) -> String {
        guard let text = strerror(errno).map({ String(cString: $0) }) else { return "error \(errno)" }
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// The error a module boundary lets through; `doing` names the object first (`layer sha256:…: usr/bin/x`).
    package func shaleError(_ doing: String) -> ShaleError {
        if let cancelled { return cancelled }
        let code: ShaleError.Code =
            switch errno {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM, EROFS: .denied
            case ENOSPC, EDQUOT: .noSpace
            case EEXIST, ENOTEMPTY: .conflict
            case EBUSY, ETXTBSY: .inUse
            default: .io
            }
        let object = path.map { doing.contains($0) ? doing : "\(doing): \($0)" } ?? doing
        var error = ShaleError(code, object, cause: reason)
        error.systemError = errno
        return error
    }
}

extension SystemCallError {
    /// What a call says that was given up because the process is told to stop; `nil` for a failure.
    package var cancelled: ShaleError? { errno == ECANCELED ? ShaleError(.cancelled, "interrupted") : nil }

    /// Whether the call let nobody look: what is there may be whole, and must not be taken for damaged.
    ///
    /// What is missing, too large, or another kind of file than it should be was looked at.
    package var leavesUnseen: Bool {
        ![ENOENT, ENOTDIR, EISDIR, ELOOP, ENXIO, EFBIG, EINVAL, 0].contains(errno)
    }
}

extension ShaleError {
    /// Whether it is a call's that let nobody look.
    package var leavesUnseen: Bool { systemError.map { SystemCallError("", errno: $0).leavesUnseen } ?? false }
}

/// A value, or `nil` for one that is missing or damaged.
///
/// Throws the error of a call that let nobody look (``SystemCallError/leavesUnseen``).
package func ifSound<Value>(_ value: @autoclosure () throws(ShaleError) -> Value) throws(ShaleError) -> Value? {
    do throws(ShaleError) {
        return try value()
    } catch {
        if error.leavesUnseen { throw error }
        return nil
    }
}

/// What calls on a path answer, or `nil` where there is no such path: `ENOENT` and `ENOTDIR`.
///
/// Throws any other error.
package func ifPresent<Value: ~Copyable>(
    _ value: @autoclosure () throws(SystemCallError) -> Value
) throws(SystemCallError) -> Value? {
    do throws(SystemCallError) {
        return try value()
    } catch {
        guard error.errno == ENOENT || error.errno == ENOTDIR else { throw error }
        return nil
    }
}

/// Repeats a call that a signal interrupted; throws when it answers -1.
@discardableResult
package func check(
    _ call: String, path: String? = nil, _ body: () -> Int32
) throws(SystemCallError) -> Int32 {
    while true {
        let result = body()
        if result != -1 { return result }
        let error = errno
        if error != EINTR { throw SystemCallError(call, path: path, errno: error) }
    }
}

/// The same for calls that answer a length.
///
/// Throws the error of the call, except `EINTR`.
@discardableResult
package func checkLength(
    _ call: String, path: String? = nil, _ body: () -> Int
) throws(SystemCallError) -> Int {
    while true {
        let result = body()
        if result != -1 { return result }
        let error = errno
        if error != EINTR { throw SystemCallError(call, path: path, errno: error) }
    }
}

/// Runs system calls for one purpose and lets only `ShaleError` out: a failed call is told with `doing` in front.
///
/// Throws what `body` throws, as a `ShaleError`.
@discardableResult
package func translating<Result: ~Copyable>(
    _ doing: @autoclosure () -> String, _ body: () throws -> Result
) throws(ShaleError) -> Result {
    do {
        return try body()
    } catch let error as ShaleError {
        throw error
    } catch let error as SystemCallError {
        throw error.shaleError(doing())
    } catch {
        throw ShaleError(.io, doing(), cause: "\(error)")
    }
}
