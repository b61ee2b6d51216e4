package import Basics
import Glibc
import Linux

/// Where a container's streams come from and go to while someone is attached.
package struct AttachStreams: Sendable {
    package typealias Sink = @Sendable (UnsafeRawBufferPointer) throws(ShaleError) -> Void

    /// Read from, never closed; `nil` for none.
    package var input: Int32?
    package var output: Sink
    package var errors: Sink
    /// Leaves the container running when typed; only with a terminal.
    package var detachKeys: DetachKeys? = .standard
    /// Told of everything typed that is passed on.
    package var inputPassed: (@Sendable ([UInt8]) -> Void)?
    /// Passes SIGINT, SIGTERM and the like on to the container, which has no terminal.
    package var proxiesSignals = true

    /// Told when a SIGINT was passed on and the process runs on a second later: it may have no handler for it.
    package var ignoredInterrupt: (@Sendable () -> Void)?

    /// Relays between descriptors of the caller's.
    package init(stdin: Int32?, stdout: Int32, stderr: Int32) {
        input = stdin
        output = Self.writing(to: stdout)
        errors = Self.writing(to: stderr)
    }

    /// Hands output to closures, in the order in which it comes.
    package init(stdin: Int32?, output: @escaping Sink, errors: @escaping Sink) {
        input = stdin
        self.output = output
        self.errors = errors
    }

    private static func writing(to fd: Int32) -> Sink {
        { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
            do throws(SystemCallError) {
                try BorrowedFD(fd).write(bytes)
            } catch {
                throw error.shaleError("container output")
            }
        }
    }
}

/// How being attached ended.
package enum AttachOutcome: Sendable, Hashable {
    /// The process ended, with a shell's exit status.
    case exited(Int32)
    /// The same of a container that is being started again.
    case restarted(Int32)
    /// The user left it running.
    case detached
    /// This process was told to end by a signal; the container runs on.
    case interrupted(signal: Int32)
}

/// The keys that leave a container running, `ctrl-p,ctrl-q` by default.
package struct DetachKeys: Sendable, Hashable {
    package static let standard = DetachKeys(bytes: [16, 17])
    /// Milliseconds after which a started sequence is what was meant to be typed.
    static let patience: Int32 = 300

    package let bytes: [UInt8]

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// docker's form: single characters and `ctrl-` with a letter or one of `@[\]^_`, separated by commas; the usual
    /// ones for none.
    ///
    /// Throws `invalid` when the text is not of that form.
    package init(parsing text: String) throws(ShaleError) {
        guard !text.isEmpty else {
            self = .standard
            return
        }
        var bytes: [UInt8] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let byte = Self.byte(String(part)) else {
                throw ShaleError(.invalid, "invalid detach keys (\(text)) provided")
            }
            bytes.append(byte)
        }
        self.bytes = bytes
    }

    private static func byte(_ part: String) -> UInt8? {
        let characters = Array(part.utf8)
        if characters.count == 1 { return characters[0] }
        guard part.lowercased().hasPrefix("ctrl-"), characters.count == 6, let last = characters.last else {
            return nil
        }
        switch last {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return last - 96
        case UInt8(ascii: "@"), UInt8(ascii: "[")...UInt8(ascii: "_"): return last - 64
        default: return nil
        }
    }
}

/// Looks for the detach keys in what is typed.
struct DetachScanner {
    private let keys: [UInt8]
    private(set) var held: [UInt8] = []

    init(_ keys: DetachKeys?) { self.keys = keys?.bytes ?? [] }

    /// What is to be passed on, and whether the sequence is complete.
    mutating func scan(_ bytes: [UInt8]) -> (pass: [UInt8], complete: Bool) {
        guard !keys.isEmpty else { return (bytes, false) }
        var pass: [UInt8] = []
        for byte in bytes {
            if byte != keys[held.count] {
                pass += held
                held = []
            }
            if byte == keys[held.count] {
                held.append(byte)
                if held.count == keys.count { return (pass, true) }
            } else {
                pass.append(byte)
            }
        }
        return (pass, false)
    }

    /// Gives up waiting for the rest.
    mutating func release() -> [UInt8] {
        defer { held = [] }
        return held
    }
}
