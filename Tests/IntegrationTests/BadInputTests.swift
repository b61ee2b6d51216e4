import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// One thing a person gets wrong, and what shale says to it.
struct BadInputRow: Sendable, CustomTestStringConvertible {
    /// A line of sh in a folder with the files of `BadInputTests.files`.
    var script: String
    var status: Int32
    /// What the one line on stderr must contain.
    var says: String
    /// What the `hint:` line must contain.
    var hint: String?
    /// The line of the Dockerfile that is shown, indented, below the message; empty where there is none.
    var line: String?
    private var showsLine: Bool { !(line ?? "").isEmpty }

    init(_ script: String, _ status: Int32, _ says: String, hint: String? = nil, line: String? = nil) {
        self.script = script
        self.status = status
        self.says = says
        self.hint = hint
        self.line = line
    }

    var testDescription: String { script }

    /// What is wrong with an answer: its status, its words, or more or fewer lines than the one, and one hint.
    func faults(_ said: Peer.Outcome) -> [String] {
        var faults: [String] = []
        if said.status != status { faults.append("status \(said.status), not \(status)") }
        let lines = said.errors.split(separator: "\n").map(String.init)
        let own = lines.filter { $0.hasPrefix("shale: ") }
        let hints = lines.filter { $0.hasPrefix("hint: ") }
        if own.count != 1 { faults.append("\(own.count) lines of shale's instead of one") }
        if hints.count > 1 { faults.append("\(hints.count) hints") }
        // The error comes last, with nothing but its hint behind it.
        let first = lines.firstIndex { $0.hasPrefix("shale: ") } ?? 0
        let indented = lines[min(first + 1, lines.count)...].filter { $0.hasPrefix("    ") }
        if showsLine, indented.isEmpty { faults.append("the line is not shown") }
        let end = own + indented + hints
        if lines.suffix(end.count) != end[...] { faults.append("not at the end") }
        if let line, showsLine, indented != ["    " + line] { faults.append("does not show \(line.debugDescription)") }
        if !(own.first ?? "").contains(says) { faults.append("does not say \(says.debugDescription)") }
        if let hint, !(hints.first ?? "").contains(hint) { faults.append("does not hint \(hint.debugDescription)") }
        let isClear = !lines.contains { $0.contains("Fatal error") || $0.contains("ShaleError(") }
        if !isClear { faults.append("a crash") }
        return faults
    }
}

/// What is typed wrong: one clear line, the right exit status, and nothing half-made.
@Suite("bad input", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BadInputTests {
    /// Words of a command.
    static let words: [BadInputRow] = [
        BadInputRow("shale imags", 64, "unknown command: imags", hint: "images"),
        BadInputRow("shale --hom=/x images", 64, "unknown flag: --hom", hint: "--home"),
        BadInputRow("shale images --fooo", 64, "unknown flag: --fooo", hint: "help images"),
        BadInputRow("shale ps --al", 64, "unknown flag: --al", hint: "ps --all"),
        BadInputRow("shale run --nme x busybox", 64, "unknown flag: --nme", hint: "run --name"),
        BadInputRow("shale create --publsh 80 busybox", 64, "unknown flag: --publsh", hint: "create --publish"),
        BadInputRow("shale exec --usr x y z", 64, "unknown flag: --usr", hint: "exec --user"),
        BadInputRow("shale build --tagg x .", 64, "unknown flag: --tagg", hint: "build --tag"),
        BadInputRow("shale logs", 64, "logs", hint: "help logs"),
        BadInputRow("shale run", 64, "requires at least 1 argument", hint: "run IMAGE"),
        BadInputRow("shale rm", 64, "requires at least 1 argument"),
        BadInputRow("shale run -m 4x busybox", 64, "invalid argument \"4x\""),
        BadInputRow("SHALE_STALL_TIMEOUT=soon shale images", 64, "SHALE_STALL_TIMEOUT"),
        // Nothing of that name.
        BadInputRow("shale rmi nosuch", 1, "No such image: nosuch:latest"),
        BadInputRow("shale rmi nosuch:1", 1, "No such image: nosuch:1"),
        BadInputRow("shale tag nosuch a:b", 1, "No such image: nosuch:latest"),
        BadInputRow("shale tag busybox:nosuch a:b", 1, "No such image: busybox:nosuch"),
        BadInputRow("shale history nosuch", 1, "No such image: nosuch:latest"),
        BadInputRow("shale save -o x.tar nosuch", 1, "No such image: nosuch:latest"),
        BadInputRow("shale inspect nosuch", 1, "No such object: nosuch"),
        BadInputRow("shale rm nosuch", 1, "No such container: nosuch"),
        BadInputRow("shale start nosuch", 1, "No such container: nosuch"),
        BadInputRow("shale stop nosuch", 1, "No such container: nosuch"),
        BadInputRow("shale logs nosuch", 1, "No such container: nosuch"),
        BadInputRow("shale diff nosuch", 1, "No such container: nosuch"),
        BadInputRow("shale commit nosuch x", 1, "No such container: nosuch"),
        BadInputRow("shale cp nosuch:/a .", 1, "No such container: nosuch"),
        BadInputRow("shale exec nosuch ls", 125, "No such container: nosuch"),
        BadInputRow("shale --offline run --pull never nosuch", 125, "No such image: nosuch:latest"),
        BadInputRow("shale load -i nosuch.tar", 1, "nosuch.tar: no such file or directory"),
        BadInputRow("shale build nosuch", 1, "path \"nosuch\" not found"),
        // Malformed names.
        BadInputRow("shale pull UPPER", 1, "repository name (library/UPPER) must be lowercase"),
        BadInputRow("shale pull 'a b'", 1, "invalid reference format"),
        BadInputRow("shale pull a@sha256:12", 1, "invalid"),
        BadInputRow("shale pull ''", 1, "invalid reference format"),
        BadInputRow("shale tag busybox a:b:c", 1, "invalid reference format"),
        BadInputRow("shale run --rm a/B", 125, "must be lowercase"),
        BadInputRow("shale build -t 'Bad Tag' context", 64, "invalid argument \"Bad Tag\""),
        BadInputRow("shale create --name 'a b' busybox", 125, "Invalid container name (a b)"),
        BadInputRow("shale rename box -x", 64, "rename"),
        // A name in use.
        BadInputRow("shale run --name box busybox true", 125, "The container name \"/box\" is already in use"),
        BadInputRow("shale create --name box busybox", 125, "The container name \"/box\" is already in use"),
        BadInputRow("shale rename box other", 1, "name \"/other\" is already in use"),
        BadInputRow("shale rmi busybox", 1, "conflict: unable to remove repository reference"),
        // What a container cannot do.
        BadInputRow("shale run --rm busybox nosuchcommand", 127, "executable file not found in $PATH"),
        BadInputRow("shale run --rm busybox /etc", 126, "/etc"),
        BadInputRow("shale run --rm -u nosuch busybox true", 125, "unable to find user nosuch"),
        BadInputRow("shale run --rm -w relative busybox true", 125, "working directory 'relative' is invalid"),
        BadInputRow("shale run --rm -v /a:relative busybox true", 125, "relative"),
        BadInputRow("shale exec box true", 125, "is not running"),
        BadInputRow("shale cp box:/nosuch .", 1, "Could not find the file /nosuch in container box"),
        BadInputRow("shale cp nosuch box:/", 1, "nosuch"),
        BadInputRow("shale kill box", 1, "is not running"),
        BadInputRow("shale commit box 'Bad Name'", 1, "invalid reference format"),
        BadInputRow("shale commit -c 'RUN x' box made", 1, "run is not a valid change command"),
        BadInputRow("shale no-such.shale", 66, "no-such.shale"),
    ]

    /// Dockerfiles: FILE:LINE, and the line itself.
    static let dockerfiles: [BadInputRow] = [
        BadInputRow(build("FORM busybox"), 1, "Dockerfile:1: ", line: "FORM busybox"),
        BadInputRow(build("FORM busybox"), 1, "unknown instruction: FORM", line: "FORM busybox"),
        BadInputRow(build("FROM busybox\nRUNN true"), 1, "context/Dockerfile:2: ", line: "RUNN true"),
        BadInputRow(build("FROM busybox\nRUNN true"), 1, "unknown instruction: RUNN", line: "RUNN true"),
        BadInputRow(build("FROM busybox\n\n# note\nCOPY one"), 1, "context/Dockerfile:4: ", line: "COPY one"),
        BadInputRow(build("FROM busybox\nRUN a \\\n  b\nCOPY"), 1, "context/Dockerfile:4: ", line: "COPY"),
        BadInputRow(build("RUN true"), 1, "context/Dockerfile:1: ", line: "RUN true"),
        BadInputRow(build("FROM busybox\nENV"), 1, "context/Dockerfile:2: ", line: "ENV"),
        BadInputRow(build("FROM busybox AS"), 1, "context/Dockerfile:1: ", line: "FROM busybox AS"),
        BadInputRow(build(""), 1, "context/Dockerfile:1: "),
        BadInputRow(build(""), 1, "file with no instructions"),
        BadInputRow(build("FROM busybox\nEXPOSE x/y"), 1, "invalid proto: y"),
        BadInputRow(build("FROM busybox\nCOPY nosuch /"), 1, "nosuch"),
        BadInputRow(build("FROM busybox\nCOPY --from=nosuch:1 a /"), 1, "registry-1.docker.io"),
        BadInputRow(build("FROM busybox\nADD ../x /"), 1, "x"),
        BadInputRow(build("FROM busybox\nRUN exit 7"), 7, "returned a non-zero code: 7"),
        BadInputRow(build("FROM busybox\nUSER nosuch\nRUN true"), 1, "unable to find user nosuch"),
        BadInputRow("shale build -f Nosuch context", 1, "Nosuch"),
        BadInputRow("shale build --target nosuch context", 1, "nosuch"),
    ]

    /// Archives that are not what they should be.
    static let archives: [BadInputRow] = [
        BadInputRow("shale load -i junk", 1, "junk"),
        BadInputRow("shale load < junk", 1, ""),
        BadInputRow("shale load < /dev/null", 1, ""),
        BadInputRow("shale load -i empty.tar", 1, "empty.tar"),
        BadInputRow("head -c 20000 good.tar > cut.tar; shale load -i cut.tar", 1, "cut.tar"),
        BadInputRow("head -c 100 good.tar > cut.tar; shale load -i cut.tar", 1, "cut.tar"),
        BadInputRow("shale load -i wrong-layer.tar", 1, "sha256:"),
        BadInputRow("shale load -i cut-layer.tar", 1, ""),
        BadInputRow("shale load -i cut-gzip.tar", 1, ""),
        BadInputRow("shale load -i damaged-gzip.tar", 1, ""),
        BadInputRow("shale load -i no-config.tar", 1, ""),
        BadInputRow("shale load -i no-layer.tar", 1, ""),
        BadInputRow("shale load -i bad-json.tar", 1, "manifest.json"),
        BadInputRow("shale import junk", 1, ""),
        BadInputRow("shale import nosuch.tar", 1, "nosuch.tar"),
        BadInputRow("head -c 3000 layer.tar > cut-layer; shale import cut-layer", 1, ""),
        BadInputRow("printf 'FROM scratch\\nADD cut.tgz /\\n' > context/Dockerfile; shale build context", 1, "cut.tgz"),
    ]

    private static func build(_ text: String) -> String {
        "printf '%s\\n' '\(text)' > context/Dockerfile; shale build -q -t never:1 context"
    }

    @Test("words, Dockerfiles and archives leave the store whole")
    func table() throws {
        let bench = ShaleHome()
        try Self.files(bench)
        try bench.run(["images"])
        try bench.run(["create", "--name", "box", "busybox"])
        try bench.run(["create", "--name", "other", "busybox"])
        let named = "shale images --format '{{.Repository}}:{{.Tag}}' | grep -v none;"
        let before = try bench.sh("\(named) shale ps -aq")
        for row in Self.words + Self.dockerfiles + Self.archives {
            let said = try bench.sh(row.script)
            let faults = row.faults(said)
            #expect(faults.isEmpty, "\(row.script): \(faults): \(said)")
        }
        try bench.expectWhole("after bad input")
        // A build that fails in the middle keeps what it made so far for the cache, as docker does: without a name.
        let after = try bench.sh("\(named) shale ps -aq --filter name=box --filter name=other")
        #expect(Set(after.lines) == Set(before.lines))
        #expect(bench.residue().isEmpty)
    }

    /// The files that the rows are about.
    private static func files(_ bench: ShaleHome) throws {
        let work = bench.work
        let layer = SmallImage.tar([SmallImage.File("file", String(repeating: "content\n", count: 4000))])
        let digest = try Peers.sha256(layer)
        let packed = try Peer("gzip").run(["-n"], input: layer).output
        var damaged = packed
        damaged[damaged.count / 2] ^= 0xFF
        try bench.write([UInt8]("this is not an archive\n".utf8), to: "junk")
        try bench.write(layer, to: "layer.tar")
        try bench.write(SmallImage.tar([]), to: "empty.tar")
        try SmallImage.writeDockerArchive("\(work)/good.tar", layers: [[SmallImage.File("file", layer)]])
        try bench.write("one", to: "context/one")
        try bench.write("FROM busybox\n", to: "context/Dockerfile")
        var random = CrashRandom(state: 1)
        let noise = (0..<300_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let large = try Peer("gzip").run(["-n"], input: SmallImage.tar([SmallImage.File("noise", noise)])).output
        try bench.write(Array(large.prefix(large.count / 2)), to: "context/cut.tgz")
        try bench.write(archive(layer, digest: String(repeating: "1", count: 64)), to: "wrong-layer.tar")
        try bench.write(archive(Array(layer.prefix(9000)), digest: digest), to: "cut-layer.tar")
        try bench.write(archive(Array(packed.prefix(packed.count / 2)), digest: digest), to: "cut-gzip.tar")
        try bench.write(archive(damaged, digest: digest), to: "damaged-gzip.tar")
        try bench.write(archive(layer, digest: digest, without: "config.json"), to: "no-config.tar")
        try bench.write(archive(layer, digest: digest, without: "layer.tar"), to: "no-layer.tar")
        try bench.write(SmallImage.tar([SmallImage.File("manifest.json", "[{\"Config\":")]), to: "bad-json.tar")
    }

    /// A docker archive of one layer that is said to have a digest.
    private static func archive(_ layer: [UInt8], digest: String, without: String? = nil) -> [UInt8] {
        let config = """
            {"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers",\
            "diff_ids":["sha256:\(digest)"]},"history":[{"created_by":"COPY"}]}
            """
        let manifest = #"[{"Config":"config.json","RepoTags":["bad:1"],"Layers":["layer.tar"]}]"#
        let files = [
            SmallImage.File("layer.tar", layer), SmallImage.File("config.json", config),
            SmallImage.File("manifest.json", manifest),
        ]
        return SmallImage.tar(files.filter { $0.path != without })
    }
}
