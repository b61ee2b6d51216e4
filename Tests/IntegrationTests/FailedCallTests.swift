import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Calls that fail in the middle of a command, as a full, a broken or a read-only disk makes them: what the command
/// said is true, what was there is there, nothing is left, and the same command works once the disk does.
@Suite(
    "a call that fails", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: Peer("strace").isPresent, "strace is not installed"))
struct FailedCallTests {
    /// How many failures each command meets; `SHALE_FAULTS` sets another number, `all` makes every call fail once in
    /// every way.
    private static let faults = getenv("SHALE_FAULTS").map { String(cString: $0) }
    private static let calls = [
        "write", "pwrite64", "copy_file_range", "ftruncate", "fsync", "rename", "renameat", "renameat2",
        "mkdir",
        "mkdirat", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "openat2", "fchown",
        "mount",
    ]
    private static let errors = ["ENOSPC", "EIO", "EROFS", "EDQUOT"]

    struct Operation: Sendable, CustomTestStringConvertible {
        var words: [String]
        /// A script that succeeds where the result is there.
        var isThere: String
        /// Whether it can be done once more after it was done.
        var isRepeatable = true
        /// What it takes away of `keep:1`, `box` and `one:1`, which are there before.
        var takes: Set<String> = []
        var testDescription: String { words.joined(separator: " ") }
    }

    private static let operations = [
        Operation(words: ["tag", "busybox", "new:1"], isThere: "shale inspect new:1"),
        Operation(
            words: ["commit", "box", "made:1"], isThere: "test \"$(shale run --rm made:1 cat /d/3)\" = 3"),
        Operation(
            words: ["build", "-q", "--no-cache", "-t", "made:1", "context"],
            isThere: "test \"$(shale run --rm made:1 cat /done)\" = hi"),
        Operation(
            words: ["load", "-q", "-i", "one.tar"], isThere: "test \"$(shale run --rm one:1 cat /1)\" = 1"
        ),
        Operation(
            words: ["create", "--name", "new", "-v", "vol:/v", "busybox"],
            isThere: "shale inspect new vol",
            isRepeatable: false),
        Operation(
            words: ["rmi", "one:1"], isThere: "! shale inspect one:1", isRepeatable: false,
            takes: ["one:1"]),
        Operation(
            words: ["rm", "box"], isThere: "! shale inspect box", isRepeatable: false, takes: ["box"]),
        Operation(words: ["undo"], isThere: "shale inspect two:1", isRepeatable: false),
        Operation(words: ["run", "--rm", "busybox", "true"], isThere: "true"),
    ]

    @Test(arguments: operations) func nothingIsLost(_ operation: Operation) throws {
        let bench = ShaleHome()
        try prepare(bench)
        try Self.attack(operation, bench)
    }

    @Test(
        "pull",
        .enabled(
            if: RegistryServer.isPresent && Peers.skopeo.isPresent, "\(RegistryServer.absent), skopeo"))
    func pull() throws {
        let registry = try RegistryServer()
        let archive = TemporaryDirectory()
        let layers = (0..<2).map { layer in
            (0..<3).map { SmallImage.File("layer\(layer)/\($0)", "file \($0)") }
        }
        try SmallImage.writeDockerArchive(archive.path + "/image.tar", layers: layers)
        try registry.fill("docker-archive:\(archive.path)/image.tar", as: "test/image:1")
        let name = "\(registry.host)/test/image:1"
        let bench = ShaleHome()
        try prepare(bench)
        try Self.attack(
            Operation(
                words: ["pull", "-q", name],
                isThere: "test $(shale export \(name) | tar tf - | grep -c 'layer[01]/[0-2]') = 6"),
            bench)
    }

    private func prepare(_ bench: ShaleHome) throws {
        try bench.run(["tag", "busybox", "keep:1"])
        try bench.run([
            "run", "--name", "box", "busybox", "sh", "-c",
            "mkdir /d; for i in 1 2 3; do echo $i >/d/$i; done",
        ])
        try bench.run(["-c", "FROM busybox\nRUN echo 1 >/1\ntag @ one:1\ntag @ two:1\nrmi two:1"])
        try bench.run(["save", "-o", "one.tar", "one:1"])
        try bench.write(
            "FROM busybox\nCOPY data /data\nRUN echo hi >/done; rm /bin/ls\nENV A=1\n",
            to: "context/Dockerfile")
        for number in 0..<4 { try bench.write("line \(number)\n", to: "context/data/\(number)") }
        _ = try bench.sh("cp -a \"$SHALE_HOME\" ../base")
    }

    private static func strace(_ bench: ShaleHome, _ options: [String], _ words: [String]) throws
        -> Peer.Outcome
    {
        try Peer("strace").run(
            ["-f", "-qq"] + options + bench.command(words), environment: bench.environment,
            in: bench.work,
            expecting: nil)
    }

    /// Each call that a thread makes how often at most.
    private static func counts(_ operation: Operation, _ bench: ShaleHome) throws -> [(
        call: String, count: Int
    )] {
        let trace = bench.folder.path + "/trace"
        _ = try strace(
            bench, ["-o", trace, "-e", "trace=" + calls.joined(separator: ",")], operation.words)
        var counts: [String: [Substring: Int]] = [:]
        for line in try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n") {
            let thread = line.prefix { $0 != " " }
            let call = line.dropFirst(thread.count).drop { $0 == " " }.prefix { $0 != "(" }
            if calls.contains(String(call)) {
                counts[String(call), default: [:]][thread, default: 0] += 1
            }
        }
        return counts.map { ($0.key, $0.value.values.max() ?? 0) }.sorted { $0.call < $1.call }
    }

    private static func attack(_ operation: Operation, _ bench: ShaleHome) throws {
        let counts = try counts(operation, bench)
        let all = counts.flatMap { entry in
            (1...max(1, entry.count)).flatMap { number in
                errors.map { "\(entry.call):error=\($0):when=\(number)" }
            }
        }
        let seed =
            getenv("SHALE_CRASH_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0 ... .max)
        var random = CrashRandom(state: seed)
        let chosen =
            faults == "all"
            ? all : Array(all.shuffled(using: &random).prefix(faults.flatMap(Int.init) ?? 6))
        print(
            "failing calls in \(operation.testDescription): \(chosen.count) of \(all.count), seed \(seed)"
        )
        for fault in chosen {
            _ = try bench.sh("rm -rf \"$SHALE_HOME\" && cp -a ../base \"$SHALE_HOME\"")
            let call = fault.prefix { $0 != ":" }
            let said = try strace(
                bench, ["-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(fault)"], operation.words)
            try judge(said, operation, bench, "\(operation.testDescription), \(fault), seed \(seed)")
        }
    }

    private static func judge(
        _ said: Peer.Outcome, _ operation: Operation, _ bench: ShaleHome, _ what: String
    ) throws {
        #expect(said.status >= 0 && said.status < 128, "\(what): a trap or a signal: \(said)")
        #expect(said.status == 0 || !said.errors.isEmpty, "\(what): it failed and said nothing")
        if said.status == 0 {
            let there = try bench.sh(operation.isThere)
            #expect(there.status == 0, "\(what): acknowledged and not there: \(there)")
        }
        for name in Set(["busybox", "keep:1", "box", "one:1"]).subtracting(operation.takes) {
            let kept = try bench.sh("shale inspect \(name)")
            #expect(kept.status == 0, "\(what): \(name) is lost: \(kept)")
        }
        let check = try bench.sh(
            "shale system check || { shale system check --repair; shale system check; }")
        #expect(check.status == 0, "\(what): \(check)")
        let left = bench.residue()
        #expect(left.isEmpty, "\(what): left behind: \(left)")
        let aside = try bench.sh(
            "ls \"$SHALE_HOME\"/ingest | grep -v '[.]partial$'; ls -a \"$SHALE_HOME\" | grep '~$'")
        #expect(aside.text.isEmpty, "\(what): half-made: \(aside)")
        guard operation.isRepeatable else { return }
        let again = try bench.run(operation.words, expecting: nil)
        #expect(again.status == 0, "\(what), again: \(again)")
        #expect(try bench.sh(operation.isThere).status == 0, "\(what), again")
    }
}
