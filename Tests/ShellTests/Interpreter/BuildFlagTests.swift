import Testing

@testable import Shell

/// Every flag of `docker build` (28.2) and of `docker buildx build` (0.28, the hidden ones included).
@Suite("the flags of build") struct BuildFlagTests {
    private static let docker = """
        add-host build-arg cache-from cgroup-parent compress cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems
        disable-content-trust file force-rm iidfile isolation label memory memory-swap network no-cache platform pull
        quiet rm security-opt shm-size squash tag target ulimit
        """
    private static let buildx = """
        add-host allow annotation attest build-arg build-context builder cache-from cache-to call cgroup-parent check
        compress cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems debug detach file force-rm iidfile invoke
        isolation label load memory memory-swap metadata-file network no-cache no-cache-filter output platform policy
        print progress provenance pull push quiet resource rm root sbom secret security-opt server-config shm-size
        squash ssh tag target ulimit
        """
    private static let short = ["-c", "-f", "-m", "-o", "-q", "-t"]

    private static var all: Set<String> {
        Set((docker + " " + buildx).split { $0 == " " || $0 == "\n" }.map(String.init))
    }

    @Test func eachIsAnOptionOrRefusedByName() {
        let options = Set(CommandTable.flags(of: Build.self))
        for name in Self.all {
            let isOption = options.contains("--\(name)")
            #expect(isOption != (BuildFlags.refused[name] != nil), "--\(name)")
        }
        for name in Self.short { #expect(options.contains(name), "\(name)") }
        #expect(BuildFlags.refused.keys.allSatisfy(Self.all.contains))
        #expect(BuildFlags.withoutEffect.keys.allSatisfy { options.contains("--\($0)") })
    }
}
