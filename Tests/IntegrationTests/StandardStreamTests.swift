import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Standard streams that are full, closed, or read by someone who leaves early.
@Suite("standard streams", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct StandardStreamTests {
    /// A home with the image busybox, and a container of it that wrote a little.
    private func home() throws -> ShaleHome {
        let home = ShaleHome()
        _ = try home.sh("shale run --name cc busybox sh -c 'seq 1000; echo a >/f; echo wrong >&2' >out 2>&1 || cat out")
        return home
    }

    /// Everything that prints, and what the line on stderr names.
    static let full: [(script: String, place: String)] =
        [
            "cat busybox:/bin/busybox", "recipe busybox", "dockerfile busybox", "inspect busybox", "logs cc",
            "history busybox", "diff cc", "ls -R busybox:/", "cp cc:/f -", "save busybox", "export cc",
            "run --rm busybox echo hi", "images", "ps -a", "help", "version", "layers busybox", "start -a cc",
            "-c 'images; ps'", "--help", "--version",
        ].map { ("shale \($0) >/dev/full", "standard output") } + [
            ("shale -c 'images > /dev/full'", "/dev/full"),
            ("shale -c 'cat busybox:/bin/busybox >> /dev/full'", "/dev/full"),
            ("shale -c 'save busybox > /dev/full'", "/dev/full"), ("echo images | shale >/dev/full", "standard output"),
            ("shale cat busybox:/bin/busybox 1</dev/null", "standard output: bad file descriptor"),
        ]

    @Test("output that finds no room is an error with the cause")
    func full() throws {
        let home = try home()
        for row in Self.full {
            let said = try home.sh(row.script)
            #expect(said.status != 0, "\(row.script)")
            let cause = row.place.contains(": ") ? row.place : "\(row.place): no space left on device"
            #expect(said.errors.contains(cause), "\(row.script): \(said.errors)")
            // A line for each statement that lost its output.
            let statements = row.script.contains("images; ps") ? 2 : 1
            #expect(said.errors.split(separator: "\n").count == statements, "\(row.script): \(said.errors)")
        }
    }

    @Test("a container's errors that find no room give a status")
    func fullErrors() throws {
        #expect(try home().sh("shale run --rm busybox sh -c 'echo lost >&2' 2>/dev/full").status == 1)
    }

    @Test("a reader that leaves is no error worth words")
    func leaving() throws {
        let home = try home()
        for command in [
            "ls -R busybox:/", "cat busybox:/bin/busybox", "save busybox", "export cc", "cp busybox:/bin -",
        ] {
            let said = try home.sh("shale \(command) | head -c1 >/dev/null")
            #expect(said.errors.isEmpty, "\(command): \(said.errors)")
        }
    }

    /// Each of the eight combinations of descriptors that are closed.
    static let closed = (0..<8).map { bits in
        (0..<3).filter { bits >> $0 & 1 == 1 }.map { $0 == 0 ? "<&-" : "\($0)>&-" }.joined(separator: " ")
    }

    @Test("the number of a closed stream is given to nothing else")
    func closedStreams() throws {
        let home = try home()
        for redirections in Self.closed { try check(home, redirections) }
    }

    private func check(_ home: ShaleHome, _ redirections: String) throws {
        let script = """
            exec 3>&2; rm -f script; shale rm -f in >/dev/null 2>&1
            t() { ( shale "$@" \(redirections) ); r=$?; [ $r != 137 ] || echo "$* hangs" >&3; }
            t -c "record $PWD/script; images; ps -a" >out 2>err
            t run -i --name in busybox cat >/dev/null
            t commit in k:1 >/dev/null 2>&1; t build -q -t q:1 - </dev/null >/dev/null 2>&1
            t cp - cc:/tmp >/dev/null 2>err; ! grep -i directory err >&3
            grep -v '^#' script >lines; printf 'images\\nps -a\\n' | diff lines - >&3
            shale system check >out 2>&1 || cat out >&3
            """
        let said = try home.sh(script)
        #expect(said.errors.isEmpty, "\(redirections): \(said.errors)")
    }
}
