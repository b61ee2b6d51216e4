import Explorer

/// A line that was carried out, as recordings keep it.
struct RecordedLine {
    /// As it was typed, secrets masked; a here-document is a part of it.
    var text: String
    var status: Int32
    /// What it showed as its result, failures in words.
    var output: String
    /// Wall time, in seconds.
    var seconds = 0.0
    /// The layers behind it, where the recording draws them and the line made, changed or moved to an image or
    /// container.
    var stack: StackHistory.Stack?
}
