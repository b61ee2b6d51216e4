/// What went wrong, to what, and why; the one error type that crosses a module boundary.
///
/// The text reads `message: cause`: lower case, the object first, no trailing full stop, an errno's words last.
/// Where docker has a wording for the same failure, `message` is that wording. Only `Shell` renders it.
package struct ShaleError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for code that must decide; never compare texts.
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String, Sendable {
            case usage, notFound, conflict, invalid, denied, unauthorized, unavailable, corrupt, noSpace, unsupported
            case cancelled, readerLeft, inUse, timeout, io, engine, notExecutable, commandNotFound
        }
        private let kind: Kind
        package var description: String { kind.rawValue }

        /// Wrong usage of a command (exit status 64).
        package static let usage = Code(kind: .usage)
        /// No such image, container, tag, path.
        package static let notFound = Code(kind: .notFound)
        /// A name or state stands in the way.
        package static let conflict = Code(kind: .conflict)
        /// Malformed input: a reference, a Dockerfile, a manifest.
        package static let invalid = Code(kind: .invalid)
        /// The kernel or a server refuses.
        package static let denied = Code(kind: .denied)
        /// A server wants (other) credentials.
        package static let unauthorized = Code(kind: .unauthorized)
        /// A server or a kernel feature cannot be reached now.
        package static let unavailable = Code(kind: .unavailable)
        /// Bytes do not match their digest, size or format.
        package static let corrupt = Code(kind: .corrupt)
        /// The disk, or a quota, is full.
        package static let noSpace = Code(kind: .noSpace)
        /// Understood, and not done by this engine or on this host.
        package static let unsupported = Code(kind: .unsupported)
        /// Stopped by the user.
        package static let cancelled = Code(kind: .cancelled)
        /// Whoever reads the results went away: a reason to stop, and nothing to be told (exit status 141).
        package static let readerLeft = Code(kind: .readerLeft)
        /// Held by something that runs.
        package static let inUse = Code(kind: .inUse)
        /// Nothing answered in time.
        package static let timeout = Code(kind: .timeout)
        /// A system call failed in a way no other code names.
        package static let io = Code(kind: .io)
        /// The container could not be started (exit status 125).
        package static let engine = Code(kind: .engine)
        /// The container's command was found and cannot be run (exit status 126).
        package static let notExecutable = Code(kind: .notExecutable)
        /// The container's command was not found (exit status 127).
        package static let commandNotFound = Code(kind: .commandNotFound)
    }

    package var code: Code
    package var message: String
    /// The words of what lies beneath, usually an errno's.
    package var cause: String?
    /// The literal command to type next, or one short sentence.
    package var hint: String?
    /// Overrides the exit status that `code` implies.
    package var exitStatus: Int32?
    /// The errno of the system call that failed, where that is what lies beneath; for code that must decide.
    package var systemError: Int32?

    /// Whether the person at the prompt saw it happen and is not told: a question left with Ctrl-C.
    package var isSeen = false

    package init(
        _ code: Code, _ message: String, cause: String? = nil, hint: String? = nil, exitStatus: Int32? = nil
    ) {
        self.code = code
        self.message = message
        self.cause = cause
        self.hint = hint
        self.exitStatus = exitStatus
    }

    package var description: String {
        cause.map { "\(message): \($0)" } ?? message
    }

    /// The text, with the hint in parentheses: for a warning, which has no line for a hint of its own.
    package var withHint: String { hint.map { "\(description) (hint: \($0))" } ?? description }

    /// The same error, and what is kept of work that was stopped half-way; any other error as it is.
    package func keeping(_ what: String) -> ShaleError {
        guard code == .cancelled else { return self }
        var copy = self
        copy.message += "; kept: \(what)"
        return copy
    }

    /// The same error with a hint, kept if it already has one.
    package func hinting(_ text: String) -> ShaleError {
        var copy = self
        copy.hint = copy.hint ?? text
        return copy
    }
}

/// A value, or `nil` where there is none: only `notFound` means that, and any other failure is thrown.
///
/// So a disk that cannot be read is not taken for one where the thing is missing.
package func ifFound<Value>(_ value: @autoclosure () throws(ShaleError) -> Value) throws(ShaleError) -> Value? {
    do throws(ShaleError) {
        return try value()
    } catch {
        guard error.code == .notFound else { throw error }
        return nil
    }
}
