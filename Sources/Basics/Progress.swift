/// What a long operation tells the one who asked for it; the renderer decides what a terminal shows of it.
package enum Progress: Sendable, Equatable {
    /// A whole line of the operation's own story (`Step 1/4 : FROM alpine`); no newline at its end.
    case line(String, Line = .plain)
    /// The same on stderr: a warning or a note.
    case note(String, Note = .plain)
    /// The state of one item, by its short id (`c2ca09a1934b: Pull complete`).
    case item(id: String, state: String)
    /// How far one item is, in bytes; `total` is `nil` while unknown.
    case bytes(id: String, state: String, current: Int64, total: Int64?)
    /// Raw output of a container's process, as it came.
    case output([UInt8], isError: Bool)
}

extension Progress {
    /// What a line tells, for those who do more than show it.
    package enum Line: Sendable, Equatable {
        case plain
        /// A step of a build begins.
        case step
        /// What the classic builder says of a step's images and containers.
        case detail
    }

    /// What a note tells.
    package enum Note: Sendable, Equatable {
        case plain
        /// Why a step was not found in the cache.
        case cacheMiss(reason: String)
    }
}

/// Where progress goes; called from any thread, in order for one item.
package typealias ProgressSink = @Sendable (Progress) -> Void
