import FoundationEssentials
import Glibc

/// A directory of one test's own, removed when the test lets go of it.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/shale-test-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? base
    }

    deinit {
        guard path.contains("/shale-test-") else { return }
        try? FileManager.default.removeItem(atPath: path)
    }
}
