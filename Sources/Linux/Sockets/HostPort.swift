import CLinux
import Glibc

/// Ports and addresses of this host, for networks that lead into containers.
package enum HostPort {
    /// The port itself when it can be listened on now, or one the kernel chose for 0.
    ///
    /// Throws `EADDRINUSE`, `EACCES` for a privileged one, `EADDRNOTAVAIL` for an address that is not this host's.
    package static func probe(address: String, port: UInt16, datagram: Bool) throws(SystemCallError) -> UInt16 {
        let found = try check("bind", path: "\(address):\(port)") {
            address.withCString { shale_port_probe($0, port, datagram ? 1 : 0) }
        }
        return UInt16(truncatingIfNeeded: found)
    }

    /// This host's address towards others; `nil` without a route.
    package static var outboundAddress: String? {
        var buffer = [CChar](repeating: 0, count: 64)
        guard shale_outbound_address(&buffer, buffer.count) == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A clock for waiting: it only goes forward.
package enum SteadyClock {
    /// Milliseconds since some moment before this process.
    package static var milliseconds: Int64 { shale_monotonic_milliseconds() }
}
