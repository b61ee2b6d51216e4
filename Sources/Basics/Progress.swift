/// What a long operation tells the one who asked for it; the renderer decides what a terminal shows of it.
package enum Progress: Sendable, Equatable {
    /// A whole line of the operation's own story (`Step 1/4 : FROM alpine`); no newline at its end.
    case line(String)
    /// The same on stderr: a warning or a note.
    case note(String)
    /// The state of one item, by its short id (`c2ca09a1934b: Pull complete`).
    case item(id: String, state: String)
    /// How far one item is, in bytes; `total` is `nil` while unknown.
    case bytes(id: String, state: String, current: Int64, total: Int64?)
    /// Raw output of a container's process, as it came.
    case output([UInt8], isError: Bool)
}

/// Where progress goes; called from any thread, in order for one item.
package typealias ProgressSink = @Sendable (Progress) -> Void
