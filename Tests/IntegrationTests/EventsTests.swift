import Glibc
import TestSupport
import Testing

/// `events` through the built program: what several shales did to one home.
@Suite("events", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct EventsTests {
    @Test("docker's events of images, containers and volumes, by every shale") func story() throws {
        let bench = ShaleHome()
        try bench.run(["tag", "busybox", "zz:1"])
        let label = "note=va\u{1b}[31ml"
        let run = ["run", "--name", "one", "-v", "vv:/v", "--label", label, "busybox", "sh", "-c", "exit 3"]
        #expect(try bench.run(run, expecting: nil).status == 3)
        try bench.run(["commit", "-m", "why", "one", "made"])
        try bench.run(["run", "-d", "--name", "two", "--label", "API_TOKEN=hush", "busybox", "sleep", "600"])
        try bench.run(["exec", "two", "sh", "-c", "echo PASSWORD=hush"])
        try bench.run(["cp", "two:/etc/passwd", "passwd"])
        try bench.run(["cp", "passwd", "two:/tmp/passwd"])
        try bench.run(["pause", "two"])
        try bench.run(["unpause", "two"])
        try bench.run(["kill", "two"])
        try bench.run(["rename", "one", "uno"])
        try bench.run(["rm", "uno", "two"])
        try bench.run(["volume", "rm", "vv"])
        try bench.run(["rmi", "zz:1", "made"])
        try bench.run(["undo"])
        try bench.run(["save", "-o", "zz.tar", "zz:1"])
        try bench.run(["prune", "-f"])

        let all = try bench.run(["events"]).lines
        let told = all.map { $0.split(separator: " ").dropFirst().prefix(2).joined(separator: " ") }
        let expected = [
            "image tag", "image create", "image tag", "volume create", "container create", "volume mount",
            "container start",
            "container die", "volume unmount", "image tag", "image create", "container commit", "container create",
            "container start", "container exec_start", "container exec_die", "container archive-path",
            "container extract-to-dir", "container pause", "container unpause", "container kill", "container die",
            "container rename", "container destroy", "container destroy", "volume destroy", "image untag",
            "image untag", "image delete", "image tag", "image tag", "image save", "container prune", "image prune",
            "builder prune",
        ]
        let kept = told.filter { $0 != "builder build" }
        #expect(kept.suffix(expected.count) == expected[...], "\(kept)")
        #expect(!all.joined().contains("hush") && !all.joined().contains("\u{1b}"))
        let die = try #require(all.first { $0.contains("container die") })
        #expect(die.contains("execDuration=0, exitCode=3, image=busybox, name=one, note=va\\e[31ml)"), "\(die)")
        let first = try #require(die.split(separator: " ").first)
        #expect(first.count == 30 && first.hasSuffix("Z"), "\(die)")

        let format = ["--format", "{{.Type}}/{{.Action}} {{.Actor.Attributes.name}}"]
        let two = try bench.run(["events", "--filter", "container=two", "--filter", "event=die"] + format).text
        #expect(two == "container/die two\n")
        #expect(
            try bench.run(["events", "--filter", "image=zz", "--filter", "type=image"] + format).lines
                == ["image/tag zz:1", "image/untag zz:1", "image/tag zz:1", "image/save zz:1"])
        let mounted = try #require(all.first { $0.contains("volume mount vv") })
        #expect(mounted.contains("destination=/v, driver=local, propagation=, read/write=true)"), "\(mounted)")
        #expect(try bench.run(["events", "--filter", "label=API_TOKEN", "--filter", "event=create"]).lines.count == 1)
        #expect(try bench.run(["events", "--since", "0s", "--until", "0s"]).text.isEmpty)
        let json = try bench.run(["events", "--filter", "event=commit", "--format", "json"]).text
        #expect(json.hasPrefix("{\"Type\":\"container\",\"Action\":\"commit\",\"Actor\":{\"ID\":\""), "\(json)")
        #expect(json.contains("\"comment\":\"why\"") && json.contains("},\"scope\":\"local\",\"time\":"))
        #expect(
            try bench.run(["events", "--filter", "nope=1"], expecting: nil).errors.contains("Invalid filter 'nope'"))
        #expect(
            try bench.run(["events", "--format", "{{.Nope}}"], expecting: nil).errors.contains(
                "can't evaluate field Nope"))
        #expect(try bench.run(["events", "--format", "table {{.ID}}"], expecting: nil).status == 64)
    }

    @Test("it follows what other shales do, over a new file, and passes damaged lines") func follows() throws {
        let bench = ShaleHome()
        try bench.run(["tag", "busybox", "before"])
        let follower = try bench.start(["events", "--follow", "--filter", "type=image"], name: "follower")
        defer { kill(follower.pid, SIGKILL) }
        let log = bench.home + "/log/events.jsonl"
        var seen = ""
        func appears(_ text: String) throws -> Bool {
            for _ in 0..<100 {
                seen = try WholeText.read(bench.folder.path + "/follower.out")
                if seen.contains(text) { return true }
                usleep(50_000)
            }
            return false
        }
        usleep(500_000)
        try bench.run(["tag", "busybox", "during:1"])
        #expect(try appears("name=during:1"), "\(seen)")
        #expect(!seen.contains("before"))
        _ = try bench.sh("printf 'no json\\n{\"Type\":\"imag' >> \(log); mv \(log) \(log).1")
        try bench.run(["tag", "busybox", "during:2"])
        #expect(try appears("name=during:2"), "\(seen)")
        #expect(try bench.run(["events", "--format", "{{.Actor.Attributes.name}}"]).lines.contains("before:latest"))
    }
}
