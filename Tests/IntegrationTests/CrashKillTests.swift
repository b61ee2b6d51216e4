import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// shale killed with SIGKILL at random moments of pull, build and commit: the next command finds everything whole.
@Suite("killed at any moment", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct CrashKillTests {
    /// How often each operation is killed; `SHALE_CRASH_ROUNDS` sets another number.
    static let rounds = getenv("SHALE_CRASH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 10

    /// One operation: how it is done, what it makes, and how that is taken away again.
    struct Operation {
        var name: String
        var arguments: [String]
        /// A script that succeeds where the operation's result is there and complete.
        var isThere: String
        /// A script that takes the result away.
        var undo: String
        /// Whether it makes the same bytes each time.
        var isRepeatable = false
    }

    @Test(
        "pull", .enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "\(RegistryServer.absent), skopeo"))
    func pull() throws {
        let registry = try RegistryServer()
        let archive = TemporaryDirectory()
        // Bytes that do not compress, so that there is something to fetch; one file of many small ones.
        var random = SystemRandomNumberGenerator()
        let layers = (0..<4).map { layer in
            let large = (0..<750_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            let small = (0..<60).map { SmallImage.File("layer\(layer)/small\($0)", "file \($0)") }
            return [SmallImage.File("layer\(layer)/large", large)] + small
        }
        try SmallImage.writeDockerArchive(archive.path + "/image.tar", layers: layers)
        try registry.fill("docker-archive:\(archive.path)/image.tar", as: "test/image:1")
        let name = "\(registry.host)/test/image:1"
        let bench = ShaleHome()
        try kill(
            bench,
            Operation(
                name: "pull", arguments: ["pull", "-q", name],
                isThere: "shale export \(name) | tar tf - | grep -c /small | grep -qx 240",
                undo: "shale rmi \(name)", isRepeatable: true))
    }

    @Test("build")
    func build() throws {
        let bench = ShaleHome()
        try bench.write(
            """
            FROM busybox
            COPY data /data
            RUN for i in $(seq 60); do echo $i > /file$i; done; dd if=/dev/zero of=/big bs=1M count=4 2>/dev/null
            RUN rm /file1; echo done > /done
            """, to: "context/Dockerfile")
        for number in 0..<40 {
            try bench.write(String(repeating: "line \(number)\n", count: 5000), to: "context/data/\(number)")
        }
        try kill(
            bench,
            Operation(
                name: "build", arguments: ["build", "-q", "--no-cache", "-t", "made:1", "context"],
                isThere: "test \"$(shale run --rm made:1 sh -c 'cat /done; ls /file* /data | wc -l')\" = \"done\n101\"",
                undo: "shale rmi -f made:1"))
    }

    @Test("commit")
    func commit() throws {
        let bench = ShaleHome()
        try bench.run([
            "run", "--name", "box", "busybox", "sh", "-c",
            "mkdir /d; for i in $(seq 200); do echo $i > /d/$i; done; dd if=/dev/urandom of=/big bs=1M count=6",
        ])
        try kill(
            bench,
            Operation(
                name: "commit", arguments: ["commit", "box", "made:1"],
                isThere: "test \"$(shale run --rm made:1 sh -c 'ls /d | wc -l; stat -c %s /big')\" = \"200\n6291456\"",
                undo: "shale rmi made:1"))
    }

    /// Kills the operation at random moments; looks at what is left each time; then repeats it to its end.
    private func kill(_ bench: ShaleHome, _ operation: Operation) throws {
        try bench.run(["images"])
        let start = Waiting.now()
        let first = try bench.start(operation.arguments, name: "first")
        #expect(first.wait() == 0, "\(bench.said("first", 0))")
        let length = Waiting.now() - start
        #expect(try bench.sh(operation.isThere).status == 0)
        let blobs = Set(try bench.sh("ls \"$SHALE_HOME\"/blobs/sha256").lines)
        #expect(try bench.sh(operation.undo).status == 0)
        let seed = getenv("SHALE_CRASH_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0 ... .max)
        print("killed \(operation.name): seed \(seed), \(Self.rounds) rounds in \(Int(length * 1000)) ms")
        var random = CrashRandom(state: seed)
        var interrupted = 0
        for round in 0..<Self.rounds {
            let moment = length * Double(random.next() % 1100) / 1000
            let child = try bench.start(operation.arguments, name: "killed")
            usleep(UInt32(moment * 1e6))
            child.stop(SIGKILL)
            if child.wait() != 0 { interrupted += 1 }
            let what = "\(operation.name), seed \(seed), round \(round), killed after \(Int(moment * 1000)) ms"
            try bench.expectWhole(what)
            let left = bench.residue()
            #expect(left.isEmpty, "\(what): \(left)")
            #expect(try bench.sh("ls \"$SHALE_HOME\"/ingest").lines.isEmpty, "\(what): half-made things in ingest")
            let running = try bench.sh("shale ps -q").lines
            #expect(running.isEmpty, "\(what): \(running)")
            let again = try bench.run(operation.arguments, expecting: nil)
            #expect(again.status == 0, "\(what), again: \(again)")
            let there = try bench.sh(operation.isThere)
            #expect(there.status == 0, "\(what), again: \(there)")
            #expect(try bench.sh(operation.undo).status == 0, "\(what)")
        }
        // On a quiet machine an operation may end before any of the signals: that is told, and is no failure.
        print("killed \(operation.name): \(interrupted) of the rounds met it at work")
        try bench.expectWhole("\(operation.name), at the end")
        // Half a layer that was fetched goes on from there the next time; nothing else is left of a killed pull.
        if operation.isRepeatable {
            let after = Set(try bench.sh("ls \"$SHALE_HOME\"/blobs/sha256").lines)
            #expect(after.isSubset(of: blobs), "\(operation.name), seed \(seed): \(after.subtracting(blobs))")
        }
    }
}

/// The same numbers for the same seed (splitmix64).
struct CrashRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
