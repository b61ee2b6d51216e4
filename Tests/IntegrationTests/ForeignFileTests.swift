import Glibc
import TestSupport
import Testing

/// Files and homes of another user: what cannot be read is not damaged, and what is another's is not written to.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent && ShaleHome.isRoot, "needs root to become others"))
struct ForeignFileTests {
    @Test(.enabled(if: ShaleHome.Account.tester != nil, "\(ShaleHome.Account.noTester)"))
    func whatCannotBeReadIsNotRepaired() throws {
        let tester = try #require(ShaleHome.Account.tester)
        let bench = try ShaleHome(as: tester)
        try bench.run(["run", "--name", "box", "busybox", "true"])
        try bench.run(["commit", "box", "made:1"])
        try bench.run(["rmi", "made:1"])
        for place in ["index.json", "held.json", "provenance/*", "containers/*/config.json", "blobs/sha256/*"] {
            let find = "set -- \(bench.home)/\(place); echo \"$1\""
            let path = try Peer("sh").run(["-c", find]).text.split(separator: "\n").map(String.init)[0]
            try #require(access(path, F_OK) == 0, "\(place)")
            func look() throws -> String {
                try Peer("sh").run([
                    "-c",
                    "cd \(bench.home) && ls provenance containers blobs/sha256; md5sum *.json* provenance/* \(path)",
                ]).text
            }
            let before = try look()
            chown(path, 0, 0)
            chmod(path, 0o600)
            for command in [["system", "check"], ["system", "check", "--repair"]] {
                let said = try bench.run(command, expecting: nil)
                #expect(said.status != 0 && said.errors.contains("permission denied"), "\(place): \(said)")
                #expect(said.errors.contains("hint: sudo chown -R"), "\(place): \(said)")
                #expect(!(said.text + said.errors).contains("system check --repair"), "\(place): \(said)")
                #expect(!said.text.contains("damaged") && !said.text.contains("lost"), "\(place): \(said)")
            }
            try Peer("chown").run(["shale-test:", path])
            #expect(try look() == before, "\(place)")
        }
        #expect(try bench.run(["system", "check"], expecting: nil).status == 0)
        #expect(try bench.run(["run", "--rm", "busybox", "echo", "here"], expecting: nil).text == "here\n")
    }

    @Test(.enabled(if: ShaleHome.Account.tester != nil, "\(ShaleHome.Account.noTester)"))
    func nobodyWritesToTheHomeOfAnother() throws {
        let tester = try #require(ShaleHome.Account.tester)
        let bench = try ShaleHome(as: tester)
        try bench.run(["images"])
        for command in [["images"], ["run", "--rm", "busybox", "true"], ["system", "check", "--repair"]] {
            let said = try ShaleHome(as: .same, home: bench.home).run(command, expecting: nil)
            #expect(said.status != 0 && said.errors.contains("belongs to shale-test"), "\(said)")
            #expect(said.errors.contains("hint: sudo -u shale-test shale"), "\(said.errors)")
        }
        #expect(try Peer("find").run([bench.home, "-uid", "0"]).text.isEmpty)
        // An empty folder that all may write to stays as it is, also for whoever is not root.
        let open = bench.folder.path + "/open"
        mkdir(open, 0o777)
        chmod(open, 0o777)
        let other = try ShaleHome(as: tester, home: open).run(["images"], expecting: nil)
        #expect(other.status == 1 && other.errors.contains("belongs to root"), "\(other)")
        try Peer("chown").run(["shale-test:", open])
        let said = try ShaleHome(as: .same, home: open).run(["images"], expecting: nil)
        #expect(said.status == 1 && said.errors.contains("belongs to shale-test"), "\(said.errors)")
        #expect(try Peer("sh").run(["-c", "stat -c %a \(open); ls -A \(open)"]).text == "777\n")
    }
}
