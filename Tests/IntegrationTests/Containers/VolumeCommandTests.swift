import Glibc
import TestSupport
import Testing

/// `volume` and its commands through the built program.
@Suite("volumes", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct VolumeCommandTests {
    @Test("made, seen, used, refused, removed") func life() throws {
        let bench = try CrashHome()
        #expect(try bench.must("volume", "ls").output == "DRIVER    VOLUME NAME\n")
        #expect(try bench.must("docker", "volume", "create", "--label", "of=db", "data").output == "data\n")
        let nameless = try bench.must("volume", "create").output
        #expect(nameless.count == 65)
        try bench.must("create", "--name", "one", "-v", "data:/data", "busybox", "true")
        try bench.must("run", "-d", "--name", "two", "-v", "data:/data", "-v", "/own", "busybox", "sleep", "600")
        try bench.must("exec", "two", "sh", "-c", "echo kept > /data/f")

        #expect(try bench.must("volume", "ls", "-qf", "dangling=true").output == nameless)
        #expect(try bench.must("volume", "ls", "-q", "--filter", "label=of=db").output == "data\n")
        let format = "{{.Name}} {{.Labels.of}} {{.Scope}}"
        for words in [["volume", "inspect"], ["inspect"], ["inspect", "--type", "volume"]] {
            #expect(try bench.must(words + ["-f", format, "data"]).output == "data db local\n")
        }
        let rows = try bench.must("df").output.split(separator: "\n")
        let row = rows.map { $0.split(separator: " ") }.first { $0.first == "Local" } ?? []
        #expect(row.prefix(5) == ["Local", "Volumes", "3", "2", "5B"], "\(rows)")
        let details = try bench.must("df", "-v").output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(details.contains(["data", "2", "5B"]), "\(details)")
        let one = try #require(details.first { $0.last == "one" })
        #expect(one[2...4] == ["\"true\"", "1", "0B"], "\(details)")

        let ids = try bench.must("ps", "-aq", "--no-trunc").output.split(separator: "\n").reversed()
        let refused = try bench.shale(["volume", "rm", "data", "nope"])
        #expect(refused.status == 1 && refused.output == "", "\(refused)")
        #expect(refused.errors.contains("remove data: volume is in use - [\(ids.joined(separator: ", "))]\n"))
        #expect(refused.errors.contains("get nope: no such volume"))
        #expect(try bench.must("volume", "rm", "--force", "nope").output == "nope\n")

        let plan = try bench.must("volume", "prune", "--dry-run").output
        #expect(plan == "Volumes to be deleted:\n\(nameless.prefix(12))\n\nTotal reclaimable space: 0B\n")
        #expect(try bench.shale(["volume", "prune"]).status != 0)
        #expect(try bench.must("volume", "prune", "-f").output.contains("Deleted Volumes:\n" + nameless))
        try bench.must("rm", "-f", "one", "two")
        #expect(try bench.must("volume", "ls", "-q").output == "data\n")
        #expect(try bench.must("volume", "prune", "-f").output == "Total reclaimed space: 0B\n")
        #expect(try bench.must("run", "--rm", "-v", "data:/d", "busybox", "cat", "/d/f").output == "kept\n")
        let all = try bench.must("volume", "prune", "-a", "-f", "--filter", "label=of").output
        #expect(all == "Deleted Volumes:\ndata\n\nTotal reclaimed space: 5B\n")
    }

    @Test("a volume that goes while containers are made with it is made again") func meanwhile() throws {
        let bench = try CrashHome()
        try bench.must("ps")
        let script = """
            for i in 1 2 3 4 5 6 7 8 9 10 11 12; do shale create -v shared:/etc busybox true || exit 3; done & making=$!
            while kill -0 $making 2>/dev/null; do shale volume rm shared >/dev/null 2>&1; done; wait $making
            """
        let said = try bench.sh(script)
        #expect(said.status == 0, "\(said)")
        let source = try bench.must("volume", "inspect", "-f", "{{.Mountpoint}}", "shared").output.dropLast()
        #expect(access(source + "/passwd", F_OK) == 0)
    }

    @Test(
        "what is refused",
        arguments: [
            (["volume", "create", "a"], "create a: volume name is too short"),
            (["volume", "create", "x/y"], "create x/y: \"x/y\" includes invalid characters for a local volume name"),
            (["volume", "create", "aa", "bb"], "'volume create' requires at most 1 argument"),
            (["volume", "rm"], "'volume rm' requires at least 1 argument"),
            (["volume", "ls", "-f", "x=1"], "Invalid filter 'x'"), (["volume", "lz"], "unknown command: volume lz"),
            (["create", "-v", "zz:/etc/passwd", "busybox"], "source /etc/passwd is not directory"),
            (["create", "-v", "/anew", "-v", "/etc/passwd", "busybox"], "cannot mount volume over existing file"),
            (["stats", "--no-stream", "A", "B"], "No such container: A\n"),
            (["stats", "--no-stream", "A", "B"], "No such container: B\n"),
        ] as [([String], String)])
    func refused(_ words: [String], _ answer: String) throws {
        let bench = try CrashHome()
        let said = try bench.shale(words)
        #expect(said.status != 0 && said.errors.contains(answer), "\(said)")
        #expect(try bench.must("ps", "-aq").output == "")
        #expect(try bench.must("volume", "ls", "-qf", "name=[0-9a-f]{64}").output == "")
    }
}
