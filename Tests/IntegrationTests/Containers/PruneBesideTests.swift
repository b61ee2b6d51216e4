import Glibc
import TestSupport
import Testing

/// Several shales on one home: what one makes or uses, another's prune leaves alone.
@Suite("prune beside others", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct PruneBesideTests {
    /// What is done again and again while two shales prune; each prints what went wrong, and nothing else.
    static let events: [(name: String, script: String)] = [
        (
            "run",
            "o=$(shale run --rm busybox sh -c 'sleep 0.05; echo hi >/x && cat /x' 2>&1); [ \"$o\" = hi ] || echo $o"
        ),
        (
            "run -d",
            "c=$(shale run -d busybox sleep 600 2>&1) && shale exec $c true && shale rm -f $c >/dev/null || echo $c"
        ),
        (
            "volumes",
            "o=$(shale run --rm -v vol$i:/d -v /a busybox sh -c 'echo 1 >/d/x; cat /d/x' 2>&1); [ \"$o\" = 1 ] || echo $o"
        ),
        (
            "build",
            """
            printf 'FROM busybox\nRUN echo %s >/a\nCOPY f /f\nENV A=%s\nRUN --mount=type=cache,target=/c cat /f /a\nFROM \
            busybox\nCOPY --from=0 /a /b\nRUN cat /b\n' $i $i >c/D$i
            o=$(shale build -q -f c/D$i c 2>&1) || echo "$o"
            """
        ),
        (
            "steps",
            """
            shale -S s$i -c "FROM busybox
            RUN echo $i >/s
            ENV Q=$i
            RUN cat /s" >o$i 2>&1 || cat o$i
            [ "$(shale -S s$i run --rm @ cat /s 2>&1)" = $i ] || echo the steps of $i are gone
            """
        ),
        (
            "commit",
            """
            c=$(shale run -d busybox sh -c "echo $i >/m; exec sleep 600") && until shale exec $c test -s /m; do :; done
            shale commit $c m:$i >o 2>&1 && [ "$(shale cat m:$i:/m)" = $i ] || cat o; shale rm -f $c >/dev/null
            """
        ),
        ("load", "o=$(shale load -q -i b.tar 2>&1) || echo $o"),
        (
            "import",
            "echo $i >t/f; o=$(tar c t | shale import - im:$i 2>&1) || echo $o; shale rmi im:$i >/dev/null || echo rmi"
        ),
        (
            "export",
            "n=$(shale save busybox | tar t | wc -l); [ $n -gt 5 ] || echo save $n; shale export busybox | tar t >/dev/null"
        ),
    ]

    @Test("what is done beside two prunes goes as if alone", arguments: events.map(\.name))
    func event(_ name: String) throws {
        let bench = ShaleHome()
        try bench.run(["images", "-q"])
        try bench.run(["save", "-o", "b.tar", "busybox"])
        try bench.write("f", to: "c/f")
        try bench.write("t", to: "t/f")
        let body = try #require(Self.events.first { $0.name == name }).script
        let script = """
            touch go
            for p in 1 2; do (while [ -f go ]; do o=$(shale prune -f 2>&1) || echo "prune: $o"; done) & done
            for i in 1 2 3 4 5; do
            \(body)
            done
            rm go; wait
            """
        let said = try bench.sh(script, within: 240)
        #expect(said.text == "" && said.errors == "", "\(said)")
        try bench.expectWhole(name)
    }

    @Test("what was held by one that was killed is taken by the next prune") func killed() throws {
        let bench = ShaleHome()
        try bench.run(["images", "-q"])
        try bench.write("FROM busybox\nRUN echo first >/a\nRUN : >/ready; exec sleep 600\n", to: "c/Dockerfile")
        let build = try bench.start(["build", "c"], name: "build")
        while !bench.said("build", 0).text.contains("Step 3/3"), build.isRunning { usleep(2000) }
        let kept = try bench.run(["prune", "-f", "--history"])
        #expect(!kept.text.contains("deleted: sha256:"), "\(kept)")
        build.stop()
        _ = build.wait()
        let taken = try bench.run(["prune", "-f", "--history"])
        #expect(taken.text.contains("deleted: sha256:"), "\(taken)")
        try bench.expectWhole("killed")
    }

    @Test("under umask 077 the person's files are closed, and nothing in an image or container is") func umask() throws
    {
        let bench = ShaleHome()
        try bench.write("x", to: "c/d/f")
        try bench.write(
            "FROM busybox\nWORKDIR /new/deep\nCOPY d /d\nRUN touch /r\nUSER 1000\nRUN cat /d/f\n", to: "c/Dockerfile")
        let script = """
            chmod -R a+rX c; umask 077
            shale build -q -t t c >/dev/null && shale save -o s.tar t && shale recipe save rec t >/dev/null
            shale -c 'images -q > list'; shale -c '! umask; touch host'
            stat -c '%a %n' s.tar rec rec/Dockerfile list host
            shale run --rm -u 0 -v named:/v t sh -c 'for p in / /new /new/deep /d /d/f /r /v; do stat -c "%a $p" $p; done'
            shale run --rm -u 1000 t cat /d/f
            """
        let said = try bench.sh(script)
        let wanted = [
            "0077", "600 s.tar", "700 rec", "600 rec/Dockerfile", "600 list", "600 host", "755 /", "755 /new",
            "755 /new/deep", "755 /d", "644 /d/f", "644 /r", "755 /v", "x",
        ]
        #expect(said.lines == wanted, "\(said)")
    }
}

/// Removing on a disk that has no room left.
@Suite("a full disk is freed", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct FullDiskRemovalTests {
    /// What fills the disk, and what frees it again.
    static let cases: [(name: String, make: String, free: String)] = [
        ("rmi", "tar c t | shale import - big", "shale rmi big"),
        ("rmi of both names", "tar c t | shale import - big; shale tag big big:2", "shale rmi big:2 big"),
        ("rmi by id", "tar c t | shale import - big; shale tag big big:2", "shale rmi -f $(shale images -q big:2)"),
        ("rm", "shale run --name gross busybox sh -c 'head -c 6000000 /dev/urandom >/z'", "shale rm gross"),
        (
            "prune of containers", "shale run busybox sh -c 'head -c 6000000 /dev/urandom >/z'",
            "shale prune -f --history"
        ),
        ("prune of images", "tar c t | shale import - big", "shale prune images -af --history"),
        ("prune of what undo holds", "tar c t | shale import - big; shale rmi big", "shale prune -f --history"),
        (
            "prune of a removed container",
            "shale run --name gross busybox sh -c 'head -c 6000000 /dev/urandom >/z'; shale rm gross",
            "shale prune -f --history"
        ),
        (
            "volume rm", "shale run --rm -v data:/v busybox sh -c 'head -c 6000000 /dev/urandom >/v/z'",
            "shale volume rm data"
        ),
        (
            "untag", "tar c t | shale import - big; shale tag big big:2",
            "shale untag big && shale untag big:2 && shale rmi $(shale images -qf dangling=true)"
        ),
        (
            "session rm", "tar c t | shale import - big; shale --session other -c 'tag big big:2'",
            "shale session rm other && shale rmi big:2 big"
        ),
        (
            "untag of many names", "tar c t | shale import - big; for i in $(seq 60); do shale tag big big:$i; done",
            """
            shale untag $(shale images --format '{{.Repository}}:{{.Tag}}' big) && shale rmi $(shale images -qf dangling=true)
            """
        ),
    ]

    @Test(.enabled(if: ShaleHome.isRoot, "mounting a tmpfs needs root"), arguments: cases.map(\.name))
    func removing(_ name: String) throws {
        let place = TemporaryDirectory()
        let disk = place.path + "/disk"
        mkdir(disk, 0o755)
        try #require(mount("tmpfs", disk, "tmpfs", 0, "size=30m") == 0)
        defer { umount2(disk, 2) }
        let bench = try ShaleHome(as: .same, home: disk + "/home")
        let event = try #require(Self.cases.first { $0.name == name })
        let script = """
            shale create --name keep busybox >/dev/null 2>&1; mkdir t; head -c 6000000 /dev/urandom >t/f
            (\(event.make)) >/dev/null 2>&1
            cat /dev/zero >\(disk)/rest 2>/dev/null; dd if=/dev/zero of=\(disk)/rest2 bs=1 count=4096 2>/dev/null
            { \(event.free); } >o 2>&1 || cat o
            [ $(df --output=avail -k \(disk) | tail -1) -gt 5500 ] || { echo no room; cat o; }
            rm \(disk)/rest*; shale run --rm busybox echo still
            """
        #expect(try bench.sh(script).text == "still\n")
        try bench.expectWhole(name)
    }
}
