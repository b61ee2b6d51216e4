/// How a long operation reports and is stopped.
package struct OperationContext: Sendable {
    package let tell: ProgressSink
    package let cancellation: Cancellation

    package init(cancellation: Cancellation = Cancellation(), tell: @escaping ProgressSink = { _ in }) {
        self.tell = tell
        self.cancellation = cancellation
    }

    package func line(_ text: String, _ kind: Progress.Line = .plain) { tell(.line(text, kind)) }
    package func note(_ text: String) { tell(.note(text)) }
}
