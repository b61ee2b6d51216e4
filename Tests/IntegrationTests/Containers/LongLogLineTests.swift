import TestSupport
import Testing

/// Lines longer than one entry of the log, 16 KiB.
@Suite("long lines in a log", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct LongLogLineTests {
    @Test("come back byte for byte, and count as one")
    func lines() throws {
        let home = ShaleHome()
        try home.write(
            "import sys\nfor k in range(3): print(str(k) + 'é€😀' * 9000)\n", to: "make.py")
        let said = try home.sh(
            """
            shale images >/dev/null 2>&1; python3 make.py >text; shale run -i --name cc busybox cat <text >/dev/null
            shale logs cc | cmp - text; shale logs -n 1 cc | wc -l | grep -qx 1 || echo 'tail 1 is not a line'
            shale logs -n 1 cc | head -c 1 | grep -qx 2 || echo 'tail 1 is not the last line'
            shale logs -n 2 cc | head -c 1 | grep -qx 1 || echo 'tail 2 does not begin with the second line'
            shale logs -t cc | grep -o '[0-9]Z ' | wc -l | grep -qx 3 || echo 'a time inside a line'
            """)
        #expect(said.text.isEmpty && said.errors.isEmpty, "\(said)")
    }
}
