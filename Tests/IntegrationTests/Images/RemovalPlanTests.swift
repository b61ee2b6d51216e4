import TestSupport
import Testing

/// `rmi` and `prune` say what stands in the way and what would go before anything does.
@Suite("what a removal would take", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct RemovalPlanTests {
    @Test("rmi lists the containers and images in the way, and with --dry-run what would go") func rmi() throws {
        let bench = try CrashHome()
        let id = try bench.must("images", "-q", "busybox").output.prefix(12)
        try bench.must("tag", "busybox", "other:1")
        try bench.must("create", "--name", "stands", "other:1", "true")
        let plan = try bench.must("rmi", "--dry-run", "-f", "busybox", "other:1").output
        #expect(plan.hasPrefix("untag: busybox:latest\nuntag: other:1\ndelete: \(id)\n"), "\(plan)")
        let blocked = try bench.shale(["rmi", "--dry-run", "busybox", "other:1"])
        #expect(blocked.status == 1 && blocked.output == "untag: busybox:latest\n", "\(blocked)")
        #expect(blocked.errors.contains("in the way of other:1:\n  container   "), "\(blocked.errors)")
        #expect(blocked.errors.contains("stands    created\nshale: "), "\(blocked.errors)")
        #expect(try bench.must("images", "-q").output.split(separator: "\n").count == 2)
        try bench.must("untag", "other:1")
        let refused = try bench.shale(["rmi", "busybox"])
        #expect(refused.status == 1 && refused.errors.contains("(must force) - container"), "\(refused)")
        #expect(refused.errors.contains("stands"), "\(refused)")
        #expect(try bench.shale(["rmi", "--dry-run", "nope"]).errors.contains("No such image: nope:latest"))
    }

    @Test("system prune: docker's words, the list, volumes, no long ids") func system() throws {
        let bench = try CrashHome()
        try bench.must("run", "--name", "done", "-v", "/data", "busybox", "sh", "-c", "echo kept > /data/f")
        let nameless = try bench.must("volume", "ls", "-q").output.dropLast()
        try bench.must("volume", "create", "named")
        let asked = try bench.shale(["system", "prune", "-a", "--volumes"])
        #expect(asked.status == 64)
        for line in [
            "WARNING! This will remove:\n  - all stopped containers\n  - all anonymous volumes not used by",
            "  - all images without at least one container associated to them\n  - all build cache\n\n",
            "  done\n", "Volumes to be deleted:\n\(nameless.prefix(12))\n", "untag: busybox:latest\ndelete: ",
        ] {
            #expect(asked.errors.contains(line), "\(line) in \(asked.errors)")
        }
        #expect(!asked.errors.split { !$0.isHexDigit }.contains { $0.count > 16 }, "\(asked.errors)")
        let plan = try bench.must("system", "prune", "--volumes", "--dry-run").output
        #expect(plan.contains("Volumes to be deleted:\n\(nameless.prefix(12))\n\nBuild"), "\(plan)")
        let filtered = try bench.shale(["system", "prune", "--volumes", "--filter", "until=1h"])
        #expect(filtered.errors.contains("The \"until\" filter is not supported with \"--volumes\""))
        #expect(try bench.shale(["image", "prune", "--volumes"]).status == 64)
        let done = try bench.must("system", "prune", "-f", "--volumes").output
        #expect(done.contains("Deleted Volumes:\n\(nameless)\n\n"), "\(done)")
        #expect(try bench.must("volume", "ls", "-q").output == "named\n")
        #expect(try bench.must("images", "-q").output.split(separator: "\n").count == 1)
    }
}
