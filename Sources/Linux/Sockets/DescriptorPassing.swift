import CLinux
import Glibc

extension UnixSocket {
    /// Sends bytes with a descriptor beside them.
    ///
    /// Throws the error of `sendmsg(2)`, and `EMSGSIZE` when not all bytes were sent.
    package static func send(
        _ bytes: [UInt8], passing fd: Int32, to socket: Int32
    ) throws(SystemCallError) {
        let sent = try checkLength("sendmsg") { shale_send_with_fd(socket, bytes, bytes.count, fd) }
        guard sent == bytes.count else { throw SystemCallError("sendmsg", errno: EMSGSIZE) }
    }

    /// Receives into a buffer, and a descriptor if one comes along; 0 at the end.
    ///
    /// Throws the error of `recvmsg(2)`.
    package static func receive(
        into buffer: inout [UInt8], from socket: Int32
    ) throws(SystemCallError) -> (count: Int, descriptor: Int32?) {
        var fd: Int32 = -1
        let count = try checkLength("recvmsg") { shale_receive_with_fd(socket, &buffer, buffer.count, &fd) }
        return (count, fd < 0 ? nil : fd)
    }
}
