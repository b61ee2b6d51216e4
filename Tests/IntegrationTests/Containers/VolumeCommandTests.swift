import Glibc
import TestSupport
import Testing

/// `volume` and its commands through the built program.
@Suite("volumes", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct VolumeCommandTests {
    @Test("made, seen, used, refused, removed") func life() throws {
        let bench = ShaleHome()
        #expect(try bench.run(["volume", "ls"]).text == "DRIVER    VOLUME NAME\n")
        #expect(try bench.run(["docker", "volume", "create", "--label", "of=db", "data"]).text == "data\n")
        let nameless = try bench.run(["volume", "create"]).text
        #expect(nameless.count == 65)
        try bench.run(["create", "--name", "one", "-v", "data:/data", "busybox", "true"])
        try bench.run(["run", "-d", "--name", "two", "-v", "data:/data", "-v", "/own", "busybox", "sleep", "600"])
        try bench.run(["exec", "two", "sh", "-c", "echo kept > /data/f"])

        #expect(try bench.run(["volume", "ls", "-qf", "dangling=true"]).text == nameless)
        #expect(try bench.run(["volume", "ls", "-q", "--filter", "label=of=db"]).text == "data\n")
        let format = "{{.Name}} {{.Labels.of}} {{.Scope}}"
        for words in [["volume", "inspect"], ["inspect"], ["inspect", "--type", "volume"]] {
            #expect(try bench.run(words + ["-f", format, "data"]).text == "data db local\n")
        }
        let rows = try bench.run(["df"]).text.split(separator: "\n")
        let row = rows.map { $0.split(separator: " ") }.first { $0.first == "Local" } ?? []
        #expect(row.prefix(5) == ["Local", "Volumes", "3", "2", "5B"], "\(rows)")
        let details = try bench.run(["df", "-v"]).text.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(details.contains(["data", "2", "5B"]), "\(details)")
        let one = try #require(details.first { $0.last == "one" })
        #expect(one[2...4] == ["\"true\"", "1", "0B"], "\(details)")

        let ids = try bench.run(["ps", "-aq", "--no-trunc"]).text.split(separator: "\n").reversed()
        let refused = try bench.run(["volume", "rm", "data", "nope"], expecting: nil)
        #expect(refused.status == 1 && refused.text == "", "\(refused)")
        #expect(refused.errors.contains("remove data: volume is in use - [\(ids.joined(separator: ", "))]\n"))
        #expect(refused.errors.contains("get nope: no such volume"))
        #expect(try bench.run(["volume", "rm", "--force", "nope"]).text == "nope\n")

        let plan = try bench.run(["volume", "prune", "--dry-run"]).text
        #expect(plan == "Volumes to be deleted:\n\(nameless.prefix(12))\n\nTotal reclaimable space: 0B\n")
        #expect(try bench.run(["volume", "prune"], expecting: nil).status != 0)
        #expect(try bench.run(["volume", "prune", "-f"]).text.contains("Deleted Volumes:\n" + nameless))
        try bench.run(["rm", "-f", "one", "two"])
        #expect(try bench.run(["volume", "ls", "-q"]).text == "data\n")
        #expect(try bench.run(["volume", "prune", "-f"]).text == "Total reclaimed space: 0B\n")
        #expect(try bench.run(["run", "--rm", "-v", "data:/d", "busybox", "cat", "/d/f"]).text == "kept\n")
        let all = try bench.run(["volume", "prune", "-a", "-f", "--filter", "label=of"]).text
        #expect(all == "Deleted Volumes:\ndata\n\nTotal reclaimed space: 5B\n")
    }

    @Test("a volume that goes while containers are made with it is made again") func meanwhile() throws {
        let bench = ShaleHome()
        try bench.run(["ps"])
        let script = """
            for i in 1 2 3 4 5 6 7 8 9 10 11 12; do shale create -v shared:/etc busybox true || exit 3; done & making=$!
            while kill -0 $making 2>/dev/null; do shale volume rm shared >/dev/null 2>&1; done; wait $making
            """
        let said = try bench.sh(script)
        #expect(said.status == 0, "\(said)")
        let source = try bench.run(["volume", "inspect", "-f", "{{.Mountpoint}}", "shared"]).text.dropLast()
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
        let bench = ShaleHome()
        let said = try bench.run(words, expecting: nil)
        #expect(said.status != 0 && said.errors.contains(answer), "\(said)")
        #expect(try bench.run(["ps", "-aq"]).text == "")
        #expect(try bench.run(["volume", "ls", "-qf", "name=[0-9a-f]{64}"]).text == "")
    }
}
