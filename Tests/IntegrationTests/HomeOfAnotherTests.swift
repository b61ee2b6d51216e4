import Glibc
import TestSupport
import Testing

/// A home in a folder that only others may write to.
@Suite("a home of another", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct HomeOfAnotherTests {
    /// Root may write anywhere, so it becomes somebody else first.
    private static let account = ShaleHome.isRoot ? ShaleHome.Account.user(uid: 65_534, gid: 65_534) : .same

    @Test func isOneError() throws {
        // The host's root folder: an ordinary user is root of nothing that it could give itself there.
        let home = "/shale-test-\(UInt32.random(in: 0 ... .max))"
        let said = try ShaleHome(as: Self.account, home: home).run(["tag", "busybox", "other"], expecting: nil)
        #expect(said.status == 1, "\(said)")
        let lines = said.errors.split(separator: "\n").filter { !$0.hasPrefix("hint: ") }
        #expect(lines.count == 1 && said.errors.contains("\(home) cannot be "), "\(said)")
        #expect(said.errors.contains(": permission denied\n"), "\(said)")
        #expect(access(home, F_OK) == -1)
    }
}
