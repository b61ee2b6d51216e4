import Glibc

/// Waiting for what another process does.
package enum Waiting {
    /// A clock that nobody sets, in seconds.
    package static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Waits until something is so.
    ///
    /// - Throws: ``PeerError`` when it is not so after `seconds`, and what `isSo` throws.
    package static func until(within seconds: Double = 60, _ isSo: () throws -> Bool) throws {
        let deadline = now() + seconds
        while try !isSo() {
            guard now() < deadline else { throw PeerError(text: "waited too long") }
            usleep(30_000)
        }
    }

    /// What `value` gives as soon as it gives something.
    ///
    /// - Throws: ``PeerError`` when it gives nothing for `seconds`, and what `value` throws.
    package static func value<Value>(
        _ what: String, within seconds: Double = 60, _ value: () throws -> Value?
    ) throws -> Value {
        let deadline = now() + seconds
        while true {
            if let value = try value() { return value }
            guard now() < deadline else { throw PeerError(text: "waited too long: \(what)") }
            usleep(20_000)
        }
    }
}
