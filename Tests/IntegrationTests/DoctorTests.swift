import TestSupport
import Testing

@Suite("doctor", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct DoctorTests {
    /// Every namespace has limits of its own, so that the host's need not be touched.
    private static func withoutNamespaces(_ command: String) throws -> String {
        let program = try #require(ShaleHome.program)
        return "unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces"
            + " && exec setpriv --bounding-set=-all --inh-caps=-all \(program) \(command)'"
    }

    @Test("runs where nothing else does, and names the command that mends it")
    func withoutUserNamespaces() throws {
        let bench = ShaleHome()
        let refused = try bench.sh(Self.withoutNamespaces("run --rm busybox true"))
        #expect(refused.status != 0 && refused.errors.contains("user namespace"), "\(refused)")
        #expect(refused.errors.contains("`shale doctor` says what is missing"), "\(refused)")
        let said = try bench.sh(Self.withoutNamespaces("doctor"))
        #expect(said.status == 1 && said.errors.isEmpty, "\(said)")
        #expect(said.text.contains("missing  user namespaces: user.max_user_namespaces is 0"), "\(said)")
        #expect(said.text.contains("as root: sysctl -w user.max_user_namespaces=15000"), "\(said)")
    }
}
