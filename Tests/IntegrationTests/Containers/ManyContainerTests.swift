import Glibc
import TestSupport
import Testing

/// Many containers, many processes in one, many who come and go.
@Suite("many at once", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct ManyContainerTests {
    @Test("two hundred containers started and removed at once leave nothing") func containers() throws {
        let bench = ShaleHome()
        try bench.run(["run", "--rm", "busybox", "true"])
        let script = """
            for batch in $(seq 20); do
              for i in $(seq 10); do shale run -d busybox sleep 600 >/dev/null || echo failed & done; wait
            done
            """
        let started = try bench.sh(script, within: 240)
        #expect(started.status == 0 && started.text == "", "\(started)")
        let ids = try bench.run(["ps", "-q", "--no-trunc"]).lines
        #expect(ids.count == 200)
        let removed = try bench.run(["rm", "-f"] + ids, expecting: nil, within: 240)
        #expect(removed.status == 0 && removed.lines.count == 200, "\(removed.errors)")
        #expect(try bench.run(["ps", "-aq"]).text == "")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
        #expect(try ShaleHome.controlGroups(of: ids).isEmpty)
        #expect(try bench.sockets().isEmpty)
        try bench.expectWhole("two hundred")
    }

    @Test("fifty processes join one container at once, each with its own streams and status") func processes() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--name", "one", "busybox", "sleep", "600"])
        let script = """
            for i in $(seq 50); do
              (shale exec -e N=$i -w /tmp -u $i one sh -c 'echo $N $(pwd) $(id -u); exit $N'; echo "$i left $?") &
            done; wait
            """
        let lines = try bench.sh(script, within: 120).lines.sorted()
        let wanted = (1...50).flatMap { ["\($0) /tmp \($0)", "\($0) left \($0)"] }.sorted()
        #expect(lines == wanted)
        #expect(try bench.run(["top", "one"]).lines.count == 2)
        try bench.run(["rm", "-f", "one"])
        #expect(bench.residue().isEmpty)
    }

    @Test("who waits for a container that is removed when it ends is told its status") func waiting() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--rm", "--name", "short", "busybox", "sh", "-c", "sleep 0.5; exit 9"])
        #expect(try bench.run(["wait", "short"]).text == "9\n")
    }
}
