package import Linux
package import Runtime

/// The terminal through which a person answers a process of a step.
package struct PersonAtStep: Sendable {
    package var streams: AttachStreams
    package var hasTerminal: Bool
    package var size: TerminalSize?
    /// A path in the container where what was typed and not read is written at the end; empty for none.
    package var typedAhead = ""

    package init(streams: AttachStreams, hasTerminal: Bool, size: TerminalSize? = nil) {
        self.streams = streams
        self.hasTerminal = hasTerminal
        self.size = size
    }
}
