import TestSupport
import Testing

/// `rmi` and `prune` say what stands in the way and what would go before anything does.
@Suite("what a removal would take", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RemovalPlanTests {
    @Test("rmi lists the containers and images in the way, and with --dry-run what would go") func rmi() throws {
        let bench = ShaleHome()
        let id = try bench.run(["images", "-q", "busybox"]).text.prefix(12)
        try bench.run(["tag", "busybox", "other:1"])
        try bench.run(["create", "--name", "stands", "other:1", "true"])
        let plan = try bench.run(["rmi", "--dry-run", "-f", "busybox", "other:1"]).text
        #expect(plan.hasPrefix("untag: busybox:latest\nuntag: other:1\ndelete: \(id)\n"), "\(plan)")
        let blocked = try bench.run(["rmi", "--dry-run", "busybox", "other:1"], expecting: nil)
        #expect(blocked.status == 1 && blocked.text == "untag: busybox:latest\n", "\(blocked)")
        #expect(blocked.errors.contains("in the way of other:1:\n  container   "), "\(blocked.errors)")
        #expect(blocked.errors.contains("stands    created\nshale: "), "\(blocked.errors)")
        #expect(try bench.run(["images", "-q"]).text.split(separator: "\n").count == 2)
        try bench.run(["untag", "other:1"])
        let refused = try bench.run(["rmi", "busybox"], expecting: nil)
        #expect(refused.status == 1 && refused.errors.contains("(must force) - container"), "\(refused)")
        #expect(refused.errors.contains("stands"), "\(refused)")
        #expect(
            try bench.run(["rmi", "--dry-run", "nope"], expecting: nil).errors.contains("No such image: nope:latest"))
    }

    @Test("cached steps are told by what they did") func cache() throws {
        let bench = ShaleHome()
        try bench.run(["-c", "FROM busybox\nRUN echo hello > /greeting\nENV A=b"])
        let plan = try bench.run(["prune", "cache", "--dry-run"]).text
        let lines = plan.split(separator: "\n")
        #expect(lines.first == "Build cache objects to be deleted:", "\(plan)")
        let step = lines.first { $0.contains("  RUN echo hello > /greeting  (image ") }
        #expect(step?.hasSuffix(" ago)") == true, "\(plan)")
        #expect(lines.contains { $0.contains("  ENV A=b  (image ") }, "\(plan)")
        #expect(lines.contains { $0.hasPrefix("and ") && $0.contains(" notes on what steps read") }, "\(plan)")
        let asked = try bench.run(["builder", "prune"], expecting: 64).errors
        #expect(asked.contains("  ENV A=b  (image "), "\(asked)")
        let done = try bench.run(["prune", "cache", "-f"]).text
        #expect(done.hasPrefix("Deleted build cache objects:\n"), "\(done)")
    }

    @Test("system prune: docker's words, the list, volumes, no long ids") func system() throws {
        let bench = ShaleHome()
        try bench.run(["run", "--name", "done", "-v", "/data", "busybox", "sh", "-c", "echo kept > /data/f"])
        let nameless = try bench.run(["volume", "ls", "-q"]).text.dropLast()
        try bench.run(["volume", "create", "named"])
        let asked = try bench.run(["system", "prune", "-a", "--volumes"], expecting: nil)
        #expect(asked.status == 64)
        for line in [
            "WARNING! This will remove:\n  - all stopped containers\n  - all anonymous volumes not used by",
            "  - all images without at least one container associated to them\n  - all build cache\n\n",
            "  done\n", "Volumes to be deleted:\n\(nameless.prefix(12))\n", "untag: busybox:latest\ndelete: ",
        ] {
            #expect(asked.errors.contains(line), "\(line) in \(asked.errors)")
        }
        #expect(!asked.errors.split { !$0.isHexDigit }.contains { $0.count > 16 }, "\(asked.errors)")
        let plan = try bench.run(["system", "prune", "--volumes", "--dry-run"]).text
        #expect(plan.contains("Volumes to be deleted:\n\(nameless.prefix(12))\n\nBuild"), "\(plan)")
        let filtered = try bench.run(["system", "prune", "--volumes", "--filter", "until=1h"], expecting: nil)
        #expect(filtered.errors.contains("The \"until\" filter is not supported with \"--volumes\""))
        #expect(try bench.run(["image", "prune", "--volumes"], expecting: nil).status == 64)
        let done = try bench.run(["system", "prune", "-f", "--volumes"]).text
        #expect(done.contains("Deleted Volumes:\n\(nameless)\n\n"), "\(done)")
        #expect(try bench.run(["volume", "ls", "-q"]).text == "named\n")
        #expect(try bench.run(["images", "-q"]).text.split(separator: "\n").count == 1)
    }
}
