import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Containers that run, looked at and changed by one shale after another.
@Suite(
    "running containers",
    .enabled(if: ShaleHome.isPresent && access("/bin/busybox", X_OK) == 0, "needs the built shale and busybox-static"))
struct RunningContainers {
    private static func withBusybox() throws -> ShaleHome {
        let shale = ShaleHome()
        // Nothing of the network is asked: the first image is made here.
        try shale.run(["--offline", "run", "--rm", "busybox", "true"])
        return shale
    }

    private static func end(_ shale: ShaleHome) {
        let ids = (try? shale.run(["ps", "-aq"], expecting: nil).text) ?? ""
        for id in ids.split(separator: "\n") { _ = try? shale.run(["rm", "-f", String(id)], expecting: nil) }
    }

    @Test(
        "exit statuses",
        arguments: [
            (["true"], 0), (["sh", "-c", "exit 72"], 72), (["nada"], 127), (["/etc"], 126), (["/etc/passwd"], 126),
            (["sh", "-c", "(sh -c 'kill -TERM $$; true'); exit $?"], 143), (["-w", "rel"], 64),
        ] as [([String], Int32)])
    func statuses(words: [String], status: Int32) throws {
        let shale = try Self.withBusybox()
        if words[0] == "-w" {
            let outcome = try shale.run(["run", "--rm", "-w", "rel", "busybox", "true"], expecting: nil)
            #expect([64, 125].contains(outcome.status))
        } else {
            try shale.run(["run", "--rm", "busybox"] + words, expecting: status)
        }
        #expect(try shale.run(["ps", "-aq"]).text == "")
    }

    @Test("what one shale starts, another lists, enters, copies to, looks at and stops")
    func together() throws {
        let shale = try Self.withBusybox()
        defer { Self.end(shale) }
        let id = try shale.run(["run", "-d", "--name", "web", "busybox", "sh", "-c", "touch /made; sleep 60"]).text
        #expect(id.utf8.count == 65)
        try shale.run(["exec", "web", "sh", "-c", "until test -e /made; do sleep 0.01; done"])
        #expect(try shale.run(["ps", "--format", "{{.Names}} {{.State}}"]).text == "web running\n")
        try Data("in\n".utf8).write(to: URL(filePath: shale.work + "/file"))
        try shale.run(["cp", "file", "web:/tmp/"])
        #expect(try shale.run(["exec", "web", "cat", "/tmp/file"]).text == "in\n")
        #expect(
            try shale.run(["exec", "-e", "A=1", "-w", "/tmp", "web", "sh", "-c", "pwd; echo $A"]).text == "/tmp\n1\n")
        try shale.run(["exec", "web", "sh", "-c", "exit 9"], expecting: 9)
        #expect(try shale.run(["diff", "web"]).text == "A /made\nC /tmp\nA /tmp/file\n")
        #expect(try shale.run(["pause", "web"]).text == "web\n")
        #expect(try shale.run(["inspect", "-f", "{{.State.Paused}}", "web"]).text == "true\n")
        try shale.run(["exec", "web", "true"], expecting: 125)
        #expect(try shale.run(["unpause", "web"]).text == "web\n")
        #expect(try shale.run(["commit", "web", "made"]).text.hasPrefix("sha256:"))
        #expect(try shale.run(["run", "--rm", "made", "cat", "/tmp/file"]).text == "in\n")
        #expect(try shale.run(["rm", "web"], expecting: 1).text == "")
        #expect(try shale.run(["stop", "-t", "0", "web"]).text == "web\n")
        #expect(try shale.run(["wait", "web"]).text == "137\n")
        #expect(try shale.run(["start", "web"]).text == "web\n")
        #expect(try shale.run(["rm", "-f", "web"]).text == "web\n")
        #expect(try shale.run(["ps", "-a", "-q"]).text == "")
    }

    @Test("a container that swaps a link under cp neither reads nor writes the host")
    func hostileLinks() throws {
        let shale = try Self.withBusybox()
        defer { Self.end(shale) }
        let secret = shale.work + "/secret"
        try Data("host\n".utf8).write(to: URL(filePath: secret))
        try Data("new\n".utf8).write(to: URL(filePath: shale.work + "/file"))
        let swapping = """
            mkdir -p /a/real; echo inside > /a/real/secret
            while :; do rm -rf /a/d; mkdir -p /a/d; echo inside > /a/d/secret; rm -rf /a/d
              ln -s \(shale.work) /a/d; rm /a/d; ln -s ../../../../../../..\(shale.work) /a/d; done
            """
        try shale.run(["run", "-d", "--name", "evil", "busybox", "sh", "-c", swapping])
        for round in 0..<15 {
            _ = try shale.run(["cp", "file", "evil:/a/d/secret"], expecting: nil)
            _ = try shale.run(["cp", "evil:/a/d/secret", "out\(round)"], expecting: nil)
            let out =
                (try? String(contentsOf: URL(filePath: shale.work + "/out\(round)"), encoding: .utf8)) ?? ""
            #expect(out != "host\n")
        }
        #expect(try String(contentsOf: URL(filePath: secret), encoding: .utf8) == "host\n")
    }

    @Test("cp writes into what is mounted on a file, and takes no mount off; a stopped one's own files are read")
    func mountedFiles() throws {
        let shale = try Self.withBusybox()
        defer { Self.end(shale) }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(filePath: shale.work + "/" + name))
        }
        try write("bound", "old\n")
        try write("conf", "new\n")
        let names = ["--name", "web", "--hostname", "one", "--domainname", "two.three"]
        let bind = ["-v", "\(shale.work)/bound:/etc/conf"]
        try shale.run(["run", "-d"] + names + bind + ["busybox", "sleep", "60"])
        #expect(try shale.run(["exec", "web", "hostname"]).text == "one\n")
        let mounts = ["exec", "web", "grep", " /etc/", "/proc/mounts"]
        let before = try shale.run(mounts).text
        try shale.run(["cp", "conf", "web:/etc/conf"])
        try shale.run(["cp", "conf", "web:/etc/hosts"])
        _ = try Peer("tar").run(["-C", shale.work, "-cf", shale.work + "/tar", "conf"])
        let refused = try shale.run(["-c", "cp - web:/etc < tar"], expecting: 1)
        #expect(refused.errors.contains("conf"), "\(refused.errors)")
        #expect(try shale.run(mounts).text == before)
        #expect(try shale.run(["exec", "web", "cat", "/etc/conf", "/etc/hosts"]).text == "new\nnew\n")
        #expect(try String(contentsOf: URL(filePath: shale.work + "/bound"), encoding: .utf8) == "new\n")
        #expect(try shale.run(["diff", "web"]).text == "C /etc\nA /etc/conf\n")
        // An archive's `.` says nothing of the directory that is there already.
        let archive = ["-C", shale.work, "-cf", shale.work + "/tar", "--no-recursion", "."]
        _ = try Peer("tar").run(archive)
        try shale.run(["-c", "cp - web:/root < tar"])
        #expect(try shale.run(["exec", "web", "stat", "-c", "%a", "/root"]).text == "700\n")
        let above = ["-P", "-C", shale.work, "-cf", shale.work + "/tar", "--transform=s,^,../,", "conf"]
        _ = try Peer("tar").run(above)
        let outside = try shale.run(["-c", "cp - web:/tmp < tar"], expecting: 1)
        #expect(outside.errors.contains("\"../conf\" is outside of \"/tmp\""), "\(outside.errors)")
        try shale.run(["exec", "web", "test", "!", "-e", "/tmp/conf", "-a", "!", "-e", "/conf"])
        try shale.run(["stop", "-t", "0", "web"])
        try shale.run(["cp", "web:/etc/hostname", "out"])
        #expect(try String(contentsOf: URL(filePath: shale.work + "/out"), encoding: .utf8) == "one\n")
        let busy = try shale.run(["cp", "conf", "web:/etc/hostname"], expecting: 1)
        #expect(busy.errors == "shale: unlinkat /etc/hostname: device or resource busy\n")
    }

    @Test("a template finds what docker leaves out where there is none, and no unknown name")
    func membersLeftOut() throws {
        let shale = try Self.withBusybox()
        try shale.run(["create", "--name", "box", "busybox"])
        for (template, text) in [
            ("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none\n"),
            ("{{json .Config.Healthcheck}} {{json .Config.StopTimeout}} [{{.Config.StopSignal}}]", "null null []\n"),
            ("{{range $port, $none := .Config.ExposedPorts}}{{$port}}{{end}}", "\n"),
            ("[{{.HostConfig.CgroupParent}}] {{.HostConfig.OomScoreAdj}}", "[] 0\n"),
        ] {
            #expect(try shale.run(["inspect", "-f", template, "box"]).text == text, "\(template)")
        }
        let unknown = try shale.run(["inspect", "-f", "{{.State.Health.Status}}", "box"], expecting: 1)
        #expect(unknown.errors.contains("map has no entry for key \"Health\""))
        #expect(!(try shale.run(["inspect", "box"]).text.contains("\"Health\"")))
    }

    @Test("on a full disk containers are removed, for good", .enabled(if: geteuid() == 0, "mounts a tmpfs"))
    func fullDisk() throws {
        let shale = try Self.withBusybox()
        let full = shale.work + "/full"
        try Peer("mkdir").run([full])
        try Peer("mount").run(["-t", "tmpfs", "-o", "size=14m", "tmpfs", full])
        defer { _ = try? Peer("umount").run(["-l", full]) }
        let home = ["--home", full + "/home"]
        try shale.run(home + ["images", "-q"])
        try shale.run(home + ["run", "--name", "box", "--network", "none", "busybox", "true"])
        try Peer("sh").run(["-c", "dd if=/dev/zero of=\(full)/fill bs=1M 2>/dev/null || true"])
        let removed = try shale.run(home + ["rm", "box"])
        #expect(removed.text == "box\n", "\(removed.errors)")
        #expect(try shale.run(home + ["ps", "-aq"]).text == "")
    }

    @Test("logs keep the two streams apart, and follow to the end")
    func logs() throws {
        let shale = try Self.withBusybox()
        defer { Self.end(shale) }
        try shale.run(
            ["run", "-d", "--name", "talk", "busybox", "sh", "-c", "echo one; echo two >&2; sleep 0.3; echo three"])
        let followed = try shale.run(["logs", "-f", "talk"])
        #expect(followed.text == "one\nthree\n" && followed.errors == "two\n")
        #expect(try shale.run(["logs", "-n", "1", "talk"]).text == "three\n")
        #expect(try shale.run(["logs", "--since", "1h", "--until", "2001-01-01", "talk"]).text == "")
    }

    @Test("a detached --rm goes when it ends; an auto-removed one leaves nothing")
    func autoRemove() throws {
        let shale = try Self.withBusybox()
        defer { Self.end(shale) }
        try shale.run(["run", "-d", "--rm", "--name", "short", "busybox", "sleep", "0.2"])
        var left = "short\n"
        for _ in 0..<200 where left != "" {
            usleep(50_000)
            left = try shale.run(["ps", "-a", "--format", "{{.Names}}"]).text
        }
        #expect(left == "")
        let folders = try FileManager.default.contentsOfDirectory(atPath: shale.home + "/containers")
        // The names, and where removed ones wait for an undo.
        #expect(Set(folders).subtracting(["names", "aside"]) == [])
    }

    @Test("two shales that start one container at once start it once")
    func startTwice() throws {
        let shale = try Self.withBusybox()
        defer { Self.end(shale) }
        try shale.run(["create", "--name", "one", "busybox", "sh", "-c", "echo started; sleep 30"])
        let children = try (0..<4).map { _ in try shale.start(["start", "one"]) }
        for child in children { #expect(child.wait() == 0) }
        try Waiting.until { try shale.run(["logs", "one"]).text != "" }
        usleep(300_000)
        #expect(try shale.run(["logs", "one"]).text == "started\n")
    }
}
