import Basics
import Glibc
import Rendering

/// Asks a person for text, hidden or not.
struct SecretInput {
    let descriptor: Int32

    private static let longest = 64 << 10

    /// Everything up to the end, the last newline taken away.
    func readAll() throws(ShaleError) -> String {
        var bytes: [UInt8] = []
        while let byte = next() {
            bytes.append(byte)
            guard bytes.count <= Self.longest else { throw ShaleError(.invalid, "password: too long") }
        }
        while bytes.last == 10 || bytes.last == 13 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Asks on stderr and reads a line; hidden, only from a terminal.
    ///
    /// With `needsLine` an input that ends without a line is a Ctrl-C, and what was typed before the question is dropped.
    func ask(
        _ question: String, console: Console, isHidden: Bool, needsLine: Bool = false
    ) throws(ShaleError) -> String {
        guard isatty(descriptor) == 1 else {
            throw ShaleError(
                .usage, "cannot perform an interactive login from a non-TTY device",
                hint: "login -u USER --password-stdin SERVER < FILE")
        }
        var before = termios()
        tcgetattr(descriptor, &before)
        if isHidden {
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(descriptor, TCSAFLUSH, &silent)
        }
        if needsLine { tcflush(descriptor, TCIFLUSH) }
        // Only now: what is typed as soon as the question stands there must neither be seen nor lost.
        console.write(question, to: .errors)
        defer {
            if isHidden {
                tcsetattr(descriptor, TCSAFLUSH, &before)
                console.write("\n", to: .errors)
            }
        }
        var bytes: [UInt8] = []
        var hasLine = false
        while let byte = next(), bytes.count < Self.longest {
            hasLine = byte == 10
            if hasLine { break }
            bytes.append(byte)
        }
        guard !Interrupt.flag.isCancelled, hasLine || !needsLine else {
            if !isHidden { console.write("\n", to: .errors) }
            var left = ShaleError(.cancelled, "", exitStatus: Interrupt.status)
            left.isSeen = true
            throw left
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The next byte; `nil` at the end, and after a Ctrl-C, which acts at once.
    private func next() -> UInt8? {
        var byte: UInt8 = 0
        while true {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // The signal may have been delivered to another thread, so this one checks for it regularly.
            let ready = poll(&wait, 1, 50)
            if Interrupt.flag.isCancelled { return nil }
            if ready == 0 || (ready == -1 && errno == EINTR) { continue }
            let count = read(descriptor, &byte, 1)
            if count == 1 { return byte }
            if count == 0 || errno != EINTR { return nil }
        }
    }
}
