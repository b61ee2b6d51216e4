import CLinux
import Glibc

/// Signals by name and by number, as `kill`, `stop` and `STOPSIGNAL` take them.
package enum Signals {
    private static let named: [(name: String, number: Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
        ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV),
        ("USR2", SIGUSR2), ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("STKFLT", 16),
        ("CHLD", SIGCHLD), ("CONT", SIGCONT), ("STOP", SIGSTOP), ("TSTP", SIGTSTP), ("TTIN", SIGTTIN),
        ("TTOU", SIGTTOU), ("URG", SIGURG), ("XCPU", SIGXCPU), ("XFSZ", SIGXFSZ), ("VTALRM", SIGVTALRM),
        ("PROF", SIGPROF), ("WINCH", SIGWINCH), ("IO", 29), ("PWR", 30), ("SYS", SIGSYS),
    ]
    private static let others: [(name: String, number: Int32)] = [
        ("IOT", SIGABRT), ("CLD", SIGCHLD), ("POLL", 29), ("UNUSED", SIGSYS),
    ]
    private static let realTime: (first: Int32, last: Int32) = (34, 64)

    /// The number of `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3` or `SIGRTMAX-2`; `nil` for anything else.
    package static func number(of text: String) -> Int32? {
        if let number = Int32(text) { return (1...realTime.last).contains(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let found = (named + others).first(where: { $0.name == name }) { return found.number }
        return realTimeNumber(of: name)
    }

    private static func realTimeNumber(of name: String) -> Int32? {
        if name == "RTMIN" { return realTime.first }
        if name == "RTMAX" { return realTime.last }
        let digits = name.dropFirst(6)
        guard digits.first.map({ ("0"..."9").contains($0) }) == true, let offset = Int32(digits), offset <= 30 else {
            return nil
        }
        if name.hasPrefix("RTMIN+") { return realTime.first + offset }
        return name.hasPrefix("RTMAX-") ? realTime.last - offset : nil
    }

    /// `SIGTERM` for 15; the number itself for one without a name.
    package static func name(of number: Int32) -> String {
        if let found = named.first(where: { $0.number == number }) { return "SIG\(found.name)" }
        guard number >= realTime.first, number <= realTime.last else { return String(number) }
        return number == realTime.first ? "SIGRTMIN" : "SIGRTMIN+\(number - realTime.first)"
    }

    /// The names without `SIG`, in order of number; for completion.
    package static var names: [String] { named.map(\.name) }

    /// Keeps signals from this thread (and from those it starts), to be read from a descriptor.
    package static func block(_ numbers: [Int32]) {
        _ = shale_signals_block(numbers, numbers.count, 1)
    }

    package static func unblock(_ numbers: [Int32]) {
        _ = shale_signals_block(numbers, numbers.count, 0)
    }
}

/// Blocked signals, read one by one from a descriptor (`signalfd(2)`).
package struct SignalQueue: ~Copyable, Sendable {
    package let descriptor: OwnedFD

    /// Blocks the signals in this thread and opens the queue.
    ///
    /// Throws the error of `signalfd(2)`.
    package init(_ numbers: [Int32]) throws(SystemCallError) {
        Signals.block(numbers)
        descriptor = OwnedFD(adopting: try check("signalfd") { shale_signalfd(numbers, numbers.count) })
    }

    /// The next signal, `nil` when none waits.
    package func next() -> Int32? {
        let number = shale_signalfd_next(descriptor.raw)
        return number == 0 ? nil : number
    }
}
