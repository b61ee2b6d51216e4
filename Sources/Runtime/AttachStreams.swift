package import Basics
import Glibc
import Linux

/// The streams of an attached container.
package struct AttachStreams: Sendable {
    package typealias Sink = @Sendable (UnsafeRawBufferPointer) throws(ShaleError) -> Void

    /// The descriptor to read input from.
    ///
    /// It is never closed. `nil` for no input.
    package var input: Int32?
    package var output: Sink
    package var errors: Sink
    /// The keys that detach from the container.
    ///
    /// They work only with a terminal.
    package var detachKeys: DetachKeys? = .standard
    /// Receives all input that is passed on.
    package var inputPassed: (@Sendable ([UInt8]) -> Void)?
    /// Whether signals such as SIGINT and SIGTERM are passed on to a container without a terminal.
    package var proxiesSignals = true

    /// Called when the process still runs one second after a SIGINT: it may have no handler for it.
    package var ignoredInterrupt: (@Sendable () -> Void)?

    /// Uses descriptors of the caller.
    package init(stdin: Int32?, stdout: Int32, stderr: Int32) {
        input = stdin
        output = Self.writing(to: stdout)
        errors = Self.writing(to: stderr)
    }

    /// Passes output to closures, in the order in which it arrives.
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

/// How an attached run ended.
package enum AttachOutcome: Sendable, Hashable {
    /// The process ended.
    ///
    /// The value is the exit status as a shell reports it.
    case exited(Int32)
    /// The process ended, and the container is being restarted.
    case restarted(Int32)
    /// The user detached, and the container runs on.
    case detached
    /// This process received a signal that ends it.
    ///
    /// The container runs on.
    case interrupted(signal: Int32)
}

/// The keys that detach from a container, `ctrl-p,ctrl-q` by default.
package struct DetachKeys: Sendable, Hashable {
    package static let standard = DetachKeys(bytes: [16, 17])
    /// The time after which the beginning of the sequence is passed on as input, in milliseconds.
    static let patience: Int32 = 300

    package let bytes: [UInt8]

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads docker's form: single characters, or `ctrl-` with a letter or one of `@[\]^_`, separated by commas.
    ///
    /// An empty text stands for the default.
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

/// Looks for the detach keys in the input.
struct DetachScanner {
    private let keys: [UInt8]
    private(set) var held: [UInt8] = []

    init(_ keys: DetachKeys?) { self.keys = keys?.bytes ?? [] }

    /// Returns the input to pass on, and whether the sequence is complete.
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

    /// Stops waiting for the rest of a sequence, and returns its beginning as input to pass on.
    mutating func release() -> [UInt8] {
        defer { held = [] }
        return held
    }
}
