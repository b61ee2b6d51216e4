import Testing

@testable import Shell

@Suite("docker's spellings of flags") struct SpelledFlagsTests {
    private static let names = SpelledFlags.Names(
        switches: [
            ["-i", "--interactive"], ["--rm"], ["--sig-proxy"], ["--no-sig-proxy"], ["-p", "--pause"], ["--no-pause"],
        ],
        valued: ["-e", "--env", "--name", "-m"])

    @Test(
        "as our parser reads them",
        arguments: [
            (["--rm=true", "busybox"], ["--rm", "busybox"]),
            (["--rm=0", "-i=T", "busybox"], ["-i", "busybox"]),
            (["--name", "x", "--rm=true", "busybox", "--rm=true"], ["--name", "x", "--rm", "busybox", "--rm=true"]),
            (["--sig-proxy=false", "x"], ["--no-sig-proxy", "x"]),
            (["-p=false", "x"], ["--no-pause", "x"]),
            (["-eA=b=c", "busybox", "-eA=b"], ["-e", "A=b=c", "busybox", "-eA=b"]),
            (["-ieA=b", "busybox"], ["-i", "-e", "A=b", "busybox"]),
            (["-ie=A=b", "busybox"], ["-i", "-e", "A=b", "busybox"]),
            (["-e=A=b", "-ie", "A=b", "busybox"], ["-e=A=b", "-ie", "A=b", "busybox"]),
            // A value is a value, whatever it looks like.
            (["-e", "--rm=true", "--env", "-eA=b", "busybox"], ["-e", "--rm=true", "--env", "-eA=b", "busybox"]),
            (["-m32m", "--env=A=true", "busybox"], ["-m32m", "--env=A=true", "busybox"]),
            (["-xA=b", "--rm=maybe", "--", "-eA=b"], ["-xA=b", "--rm=maybe", "--", "-eA=b"]),
        ])
    func spellings(typed: [String], read: [String]) {
        #expect(SpelledFlags.normalised(typed, by: Self.names, stoppingAtOperand: true) == read)
    }
}
