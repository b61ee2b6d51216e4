package import Basics

/// A condition of `--filter`: `NAME=VALUE`.
package enum FilterCondition {
    /// The two sides of a `--filter`.
    ///
    /// Throws `usage` when there is no `=`.
    package static func parts(of text: String) throws(ShaleError) -> (key: String, value: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw ShaleError(
                .usage, "invalid argument \"\(text)\" for \"-f, --filter\" flag",
                cause: "bad format of filter (expected name=value)")
        }
        return (parts[0].lowercased().trimmingWhiteSpace, String(parts[1]).trimmingWhiteSpace)
    }

    /// Whether labels hold `NAME` or `NAME=VALUE`.
    package static func hasLabel(_ labels: [String: String], _ condition: String) -> Bool {
        let parts = condition.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let value = labels[String(parts[0])] else { return false }
        return parts.count == 1 || value == parts[1]
    }
}
