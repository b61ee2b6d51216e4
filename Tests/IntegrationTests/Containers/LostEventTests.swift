import Glibc
import TestSupport
import Testing

@Suite("container events that cannot be written down", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct LostEventTests {
    @Test(
        "a commit that cannot note itself among the container's events says so",
        .enabled(if: geteuid() == 0, "starts a container and makes a file immutable"))
    func lostEvent() throws {
        let shale = ShaleHome()
        try shale.run(["images"])
        let id = try shale.run(["create", "--name", "box", "busybox", "true"]).text.dropLast()
        let events = "\(shale.home)/containers/\(id)/deeds.jsonl"
        // A folder in its place: nothing can be appended, whoever asks.
        try Peer("sh").run(["-c", "rm -f \(events) && mkdir \(events)"])
        let committed = try shale.run(["commit", "box", "kept:1"])
        #expect(committed.errors.contains("what was done to container box is not noted, its recipe will lack it"))
        #expect(try Peer("cat").run([shale.home + "/log/shale.log"]).text.contains("failed: note what"))
        #expect(try shale.run(["images", "-q", "kept:1"]).text != "")
    }

    @Test("an exec on a full disk says that it is not noted", .enabled(if: geteuid() == 0, "mounts a tmpfs"))
    func fullDisk() throws {
        let shale = ShaleHome()
        let full = shale.work + "/full"
        try Peer("mkdir").run([full])
        try Peer("mount").run(["-t", "tmpfs", "-o", "size=14m", "tmpfs", full])
        defer { _ = try? Peer("umount").run(["-l", full]) }
        let home = ["--home", full + "/home"]
        try shale.run(home + ["images", "-q"])
        try shale.run(home + ["run", "-d", "--name", "box", "--network", "none", "busybox", "sleep", "60"])
        defer { _ = try? shale.run(home + ["rm", "-f", "box"], expecting: nil) }
        try Peer("sh").run(["-c", "dd if=/dev/zero of=\(full)/fill bs=4k 2>/dev/null || true"])
        // Longer than what is left of the file's last page.
        let word = String(repeating: "w", count: 9000)
        let done = try shale.run(home + ["exec", "box", "echo", word])
        #expect(done.text == word + "\n")
        #expect(done.errors.contains("what was done to container box is not noted"), "\(done.errors)")
        #expect(done.errors.contains("no space left on device"), "\(done.errors)")
    }
}
