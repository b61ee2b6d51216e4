/// One thing about this host that decides what shale can do, as `doctor` lists it.
package struct HostFinding: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable {
        case good
        /// Works, with less than there could be.
        case limited
        case missing
    }
    /// What was looked at: `kernel`, `overlay`, ….
    package var subject: String
    package var verdict: Verdict
    /// What was found.
    package var detail: String
    /// What would make it better; `nil` when nothing need be done.
    package var advice: String?

    package init(_ subject: String, _ verdict: Verdict, _ detail: String, advice: String? = nil) {
        self.subject = subject
        self.verdict = verdict
        self.detail = detail
        self.advice = advice
    }
}
