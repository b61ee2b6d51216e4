import Basics
import CLinux
import Glibc

/// Opening what may be a named pipe: the kernel waits there for the other end, and goes on waiting after a signal.
enum NamedPipe {
    /// Milliseconds between two looks at whether the process is told to stop.
    private static let interval: Int32 = 50

    static func openToRead(_ path: String, _ flags: Int32) throws(SystemCallError) -> OwnedFD {
        let file = try OwnedFD.openAtOnce(path, flags | O_NONBLOCK, 0)
        let kind = try FileStatus.of(file).kind
        if kind == .regular { return file }
        // Before anybody has opened the other end there is neither a byte nor an end to read.
        if kind == .fifo { try wait(for: POLLIN, on: file.raw) }
        try block(file, flags)
        return file
    }

    static func openToWrite(_ path: String, _ flags: Int32, _ mode: UInt32) throws(SystemCallError) -> OwnedFD {
        while true {
            do throws(SystemCallError) {
                let file = try OwnedFD.openAtOnce(path, flags | O_NONBLOCK, mode)
                try block(file, flags)
                return file
            } catch {
                // Nobody reads: that is said of a pipe, and of a device that is not there.
                guard error.errno == ENXIO,
                    (try? FileStatus.of(hostPath: path, followingLink: true))?.kind == .fifo
                else { throw error }
                guard !Cancellation.ofProcess.isCancelled else {
                    throw SystemCallError("open", path: path, errno: ECANCELED)
                }
                poll(nil, 0, interval)
            }
        }
    }

    /// Waits until a descriptor is ready or its other end has gone; a plain file is ready at once.
    ///
    /// Throws `ECANCELED` when the process is told to stop before.
    static func wait(for event: Int32, on descriptor: Int32) throws(SystemCallError) {
        var waiting = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        while true {
            let count = poll(&waiting, 1, interval)
            if count > 0 { return }
            if count == -1, errno != EINTR { return }
            if Cancellation.ofProcess.isCancelled { throw SystemCallError("open", errno: ECANCELED) }
        }
    }

    private static func block(_ file: borrowing OwnedFD, _ flags: Int32) throws(SystemCallError) {
        let raw = file.raw
        try check("fcntl") { fcntl(raw, F_SETFL, flags & ~O_NONBLOCK) }
    }
}
