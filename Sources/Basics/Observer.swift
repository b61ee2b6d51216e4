import Glibc
import Synchronization

/// The monotonic clock, for measuring how long something took.
package enum SteadyTime {
    /// Nanoseconds of `CLOCK_MONOTONIC`, which every process of this machine reads alike.
    package static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

/// Where modules say how long each piece of their work took, for the log and for `trace`.
///
/// While nobody listens, measuring costs one read of a flag. The modules below the log report here, too,
/// because the runner links them and must not link the log.
package enum Observer {
    /// What a piece of work belongs to; the log calls it `shale.lock` and so on.
    package enum Subject: String, Sendable, CaseIterable {
        case start, lock, disk, registry, runner, process, container, image, layer, build, cache, git, session, store,
            shell
    }

    /// A piece of work that has ended.
    package struct Span: Sendable {
        package var subject: Subject
        /// What was done, and to what: `GET https://…`.
        package var what: String
        /// Nanoseconds of ``SteadyTime``.
        package var begin: UInt64
        package var end: UInt64
        /// The thread it ran on.
        package var lane: UInt

        package init(_ subject: Subject, _ what: String, begin: UInt64, end: UInt64, lane: UInt) {
            self.subject = subject
            self.what = what
            self.begin = begin
            self.end = max(begin, end)
            self.lane = lane
        }
    }

    /// Who hears of it; called from any thread.
    package protocol Listener: Sendable {
        func ended(_ span: Span)
        /// Something that is worth a line in a detailed log and took no time of its own.
        func noted(_ subject: Subject, _ what: String)
    }

    private static let flag = Atomic<Bool>(false)
    private static let listener = Mutex<(any Listener)?>(nil)

    package static var isListening: Bool { flag.load(ordering: .relaxed) }
    /// This thread, among those of the process.
    package static var lane: UInt { UInt(pthread_self()) }

    /// Says who listens from now on; `nil` for nobody.
    package static func listen(_ new: (any Listener)?) {
        listener.withLock { $0 = new }
        flag.store(new != nil, ordering: .relaxed)
    }

    /// Does a piece of work, and says how long it took, also when it fails.
    ///
    /// Throws what `body` throws.
    package static func measure<Result: ~Copyable, Failure: Error>(
        _ subject: Subject, _ what: @autoclosure () -> String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard isListening else { return try body() }
        let begin = SteadyTime.now()
        defer { tell(Span(subject, what(), begin: begin, end: SteadyTime.now(), lane: lane)) }
        return try body()
    }

    /// Says how long something took that was measured elsewhere.
    package static func tell(_ span: @autoclosure () -> Span) {
        guard isListening else { return }
        let span = span()
        listener.withLock { $0 }?.ended(span)
    }

    package static func note(_ subject: Subject, _ what: @autoclosure () -> String) {
        guard isListening else { return }
        let what = what()
        listener.withLock { $0 }?.noted(subject, what)
    }
}
