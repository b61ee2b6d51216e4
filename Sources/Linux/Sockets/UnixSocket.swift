import Basics
import CLinux
import Glibc

/// Stream sockets in folders whose path may be longer than the 107 bytes an address takes.
package enum UnixSocket {
    private static func address(_ folder: borrowing OwnedFD, _ name: String) -> String {
        "/proc/self/fd/\(folder.raw)/\(name)"
    }

    /// Makes a socket of mode 0600 in a folder and listens on it; one left there is replaced.
    ///
    /// It does not block. Throws the error of `bind` or `listen`.
    package static func listen(in folder: borrowing OwnedFD, name: String) throws(SystemCallError) -> OwnedFD {
        let address = address(folder, name)
        let raw = folder.raw
        _ = name.withPath { unlinkat(raw, $0, 0) }
        return OwnedFD(adopting: try check("bind", path: name) { shale_unix_listen(address) })
    }

    /// Connects to a socket in a folder; refuses one whose other end belongs to someone else with `EPERM`.
    ///
    /// Throws `EPERM` in that case, and the error of opening the folder or of `connect(2)`.
    package static func connect(in folder: String, name: String) throws(SystemCallError) -> OwnedFD {
        let directory = try OwnedFD.open(folder, shale_o_path() | O_DIRECTORY)
        let address = address(directory, name)
        let socket = OwnedFD(
            adopting: try check("connect", path: "\(folder)/\(name)") { shale_unix_connect(address) })
        try checkPeer(of: socket.raw)
        return socket
    }

    /// Connects to a socket whoever it belongs to; the caller closes it.
    ///
    /// Throws the error of opening the folder or of `connect(2)`.
    package static func connectToAny(_ path: String) throws(SystemCallError) -> Int32 {
        let (folder, name) =
            path.lastSlash.map { (String(path[...$0]), String(path[path.index(after: $0)...])) } ?? (".", path)
        let directory = try OwnedFD.open(folder, shale_o_path() | O_DIRECTORY)
        let address = address(directory, name)
        return try check("connect", path: path) { shale_unix_connect(address) }
    }

    /// The next connection, to be closed by the caller; `nil` when none waits.
    package static func accept(_ listener: Int32) -> Int32? {
        let fd = shale_unix_accept(listener)
        return fd < 0 ? nil : fd
    }

    /// Throws `EPERM` unless the other end is this user's, or root's.
    package static func checkPeer(of socket: Int32) throws(SystemCallError) {
        var uid: UInt32 = 0
        try check("getsockopt") { shale_peer_uid(socket, &uid) }
        guard uid == geteuid() || uid == 0 else { throw SystemCallError("connect", errno: EPERM) }
    }

    /// Two connected sockets.
    ///
    /// Throws the error of `socketpair(2)`.
    package static func pair() throws(SystemCallError) -> SocketPair {
        let ends = try pairDescriptors()
        return SocketPair(first: OwnedFD(adopting: ends.first), second: OwnedFD(adopting: ends.second))
    }

    /// The same as numbers that the caller closes.
    ///
    /// Throws the error of `socketpair(2)`.
    package static func pairDescriptors() throws(SystemCallError) -> (first: Int32, second: Int32) {
        var ends: [Int32] = [-1, -1]
        try check("socketpair") { shale_socketpair(&ends) }
        return (ends[0], ends[1])
    }

    /// Sends everything, waiting as long as it takes.
    ///
    /// Throws the error of sending or waiting.
    package static func send(_ bytes: [UInt8], to socket: Int32) throws(SystemCallError) {
        try BorrowedFD(socket).all(bytes.count, "send") { start in
            bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map { shale_send(socket, $0 + start, bytes.count - start) } ?? 0
            }
        }
    }
}

/// Two connected sockets.
package struct SocketPair: ~Copyable, Sendable {
    package let first: OwnedFD
    package let second: OwnedFD

    package init(first: consuming OwnedFD, second: consuming OwnedFD) {
        self.first = first
        self.second = second
    }
}

/// What is waited for on a descriptor, and what came (`poll(2)`).
package struct PollEvents: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }

    package static let input = PollEvents(rawValue: 1)
    package static let output = PollEvents(rawValue: 4)
    package static let error = PollEvents(rawValue: 8)
    package static let hangUp = PollEvents(rawValue: 16)
    package static let invalid = PollEvents(rawValue: 32)
    package static let ended: PollEvents = [.error, .hangUp, .invalid]
}

/// A set of descriptors waited for together.
package struct Poller {
    private var entries: [shale_pollfd] = []

    package init() {}

    /// Adds a descriptor (-1 is skipped) and returns where `events(at:)` finds it.
    @discardableResult
    package mutating func add(_ fd: Int32, _ events: PollEvents) -> Int {
        entries.append(shale_pollfd(fd: fd, events: events.rawValue, revents: 0))
        return entries.count - 1
    }

    package mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

    /// Waits until something comes, a signal interrupts, or the time is over (-1: never).
    @discardableResult
    package mutating func wait(milliseconds: Int32) -> Int32 {
        shale_poll(&entries, entries.count, milliseconds)
    }

    package func events(at position: Int) -> PollEvents {
        guard entries.indices.contains(position) else { return [] }
        return PollEvents(rawValue: entries[position].revents)
    }

    /// Waits for one descriptor.
    package static func wait(for fd: Int32, events: PollEvents, milliseconds: Int32) -> PollEvents {
        var poller = Poller()
        poller.add(fd, events)
        poller.wait(milliseconds: milliseconds)
        return poller.events(at: 0)
    }
}

extension UnixSocket {
    /// Sends what goes without waiting; the count, or -1 with `errno` set.
    package static func sendNow(_ bytes: Slice<UnsafeRawBufferPointer>, to socket: Int32) -> Int {
        let part = UnsafeRawBufferPointer(rebasing: bytes)
        return part.baseAddress.map { shale_send(socket, $0, part.count) } ?? 0
    }
}
