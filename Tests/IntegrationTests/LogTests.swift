import Glibc
import TestSupport
import Testing

@Suite("the log and traces of the built program", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct LogTests {
    private static func log(_ shale: ShaleHome) -> String {
        ((try? Peer("cat").run([shale.home + "/log/shale.log"]))?.text) ?? ""
    }

    @Test(
        "with debug the requests of a pull are in the log, and no credentials",
        .enabled(if: RegistryServer.isPresent, "\(RegistryServer.absent)"))
    func pull() throws {
        let tokens = try TokenServer(accounts: ["tester": "sesame"])
        let registry = try RegistryServer(tokens.access)
        let shale = ShaleHome()
        try shale.run(
            ["login", "-u", "tester", "--password-stdin", registry.host], input: Array("sesame".utf8))
        try shale.run(["--log-level", "debug", "pull", "\(registry.host)/none:1"], expecting: 1)
        let text = Self.log(shale)
        #expect(text.contains("shale.registry request") && text.contains("/v2/none/manifests/1"))
        #expect(text.contains("status=401") && text.contains("shale.registry token"))
        for secret in ["sesame", "Bearer", "dGVzdGVyOnNlc2FtZQ"] { #expect(!text.contains(secret), "\(secret)") }
        #expect(try Peer("stat").run(["-c", "%a", shale.home + "/log/shale.log"]).text == "600\n")
    }

    @Test("SHALE_LOG says the level, the option wins, and without either only warnings are kept")
    func levels() throws {
        let quiet = ShaleHome()
        try quiet.run(["images"])
        #expect(Self.log(quiet) == "")
        let loud = ShaleHome(["SHALE_LOG": "info"])
        try loud.run(["images"])
        #expect(Self.log(loud).contains("shale.shell command line=images"))
        try loud.run(["--log-level", "error", "images", "-q"])
        #expect(!Self.log(loud).contains("images -q"))
        #expect(try loud.run(["info"]).text.contains("LogFile: \(loud.home)/log/shale.log"))
    }

    @Test("debug tells which lock was waited for and held, and each lookup in the cache")
    func locks() throws {
        let shale = ShaleHome()
        try shale.run(["images"])
        try shale.run(["--log-level", "debug", "tag", "busybox", "other:1"])
        let text = Self.log(shale)
        #expect(text.contains("shale.lock wait for \(shale.home)/lock (exclusive) ms="), "\(text)")
        #expect(text.contains("shale.lock let go of \(shale.home)/lock (exclusive), held "))
        try shale.run(["--log-level", "debug", "build", "-"], input: Array("FROM busybox\nENV A=b\n".utf8))
        #expect(Self.log(shale).contains("shale.cache looked up hit=false"))
    }

    @Test("set log.level lasts")
    func setting() throws {
        let shale = ShaleHome()
        try shale.run(["set", "log.level", "info"])
        try shale.run(["images", "-q"])
        #expect(Self.log(shale).contains("line=\"images -q\""))
    }

    @Test("a wrong level is refused with one line")
    func wrong() throws {
        let shale = ShaleHome()
        let option = try shale.run(["--log-level", "loud", "images"], expecting: 64)
        #expect(option.errors.contains("--log-level cannot be \"loud\": one of: debug, info, warning, error"))
        #expect(try shale.run(["-l", "loud", "images"], expecting: 64).errors.contains("-l cannot be \"loud\""))
        let variable = try ShaleHome(["SHALE_LOG": "loud"]).run(["images"], expecting: 64)
        #expect(variable.errors.contains("SHALE_LOG cannot be \"loud\""))
    }

    @Test("docker's -D and -l mean --log-level, before the command and behind docker's name")
    func dockersFlags() throws {
        for flags in [["-D"], ["--debug"], ["-l", "debug"], ["-l=debug"], ["--log-level", "fatal", "-D"]] {
            let shale = ShaleHome()
            try shale.run(flags + ["images", "-q"])
            #expect(Self.log(shale).contains("shale.lock "), "\(flags)")
        }
        let shale = ShaleHome()
        try shale.run(["-l", "fatal", "images"])
        let plain = try shale.run(["images"]).text
        #expect(try shale.run(["-c", "docker -D -l debug images"]).text == plain)
    }

    @Test("what a failing disk keeps from being logged fails no command")
    func readOnly() throws {
        let shale = ShaleHome()
        try shale.run(["images"])
        try Peer("sh").run(["-c", "rm -rf \(shale.home)/log && touch \(shale.home)/log"])
        #expect(try shale.run(["--log-level", "debug", "images", "-q"]).errors == "")
    }

    // MARK: Traces

    /// Milliseconds of the lines that are not indented, of the total, and of what is left.
    private static func sums(_ text: String) -> (lines: Double, rest: Double, total: Double) {
        var (lines, rest, total) = (0.0, 0.0, 0.0)
        for line in text.split(separator: "\n").map(String.init) {
            guard let percent = line.firstRange(of: " %  ") else { continue }
            let value = line[..<percent.lowerBound].split(separator: " ").first.flatMap { Double($0) } ?? 0
            let what = line[percent.upperBound...]
            switch what {
            case "total": total = value
            case "not accounted for": rest = value
            case _ where what.hasPrefix(" ") || what.hasPrefix("|"): break
            default: lines += value
            }
        }
        return (lines, rest, total)
    }

    @Test(
        "a traced run names the runner's steps, and adds up",
        .enabled(if: geteuid() == 0, "as an ordinary user the same runs in RootlessTests"))
    func run() throws {
        let shale = ShaleHome()
        try shale.run(["images"])
        let traced = try shale.run(
            ["trace", "run", "--rm", "--network", "none", "busybox", "sh", "-c", "exit 7"], expecting: 7)
        for step in [
            "start: options", "store: open ", "container: create", "runner: spawn", "runner: start ",
            "runner: mount overlay", "runner: pivot_root", "runner: clone", "process: the process itself",
            "session: journal",
        ] { #expect(traced.errors.contains(step), "\(step) in \(traced.errors)") }
        let sums = Self.sums(traced.errors)
        #expect(sums.total > 1)
        #expect(abs(sums.lines + sums.rest - sums.total) < 0.2, "\(traced.errors)")
        #expect(sums.rest < sums.total / 2, "\(traced.errors)")
    }

    @Test("a traced commit names its syncs and the name it gives, by paths below the home")
    func commit() throws {
        let shale = ShaleHome()
        try shale.run(["create", "--name", "box", "busybox"])
        let traced = try shale.run(["trace", "commit", "box", "made:1"]).errors
        for part in [
            "layer: find changes\n", "image: tag made:1\n", "store: write index.json\n", "disk: sync index.json\n",
            "lock: wait for lock (exclusive)\n", "disk: sync sessions/default/journal\n",
        ] { #expect(traced.contains(part), "\(part) in \(traced)") }
        #expect(!traced.contains("\(shale.home)/"), "\(traced)")
        #expect(try shale.run(["trace", "tag", "made:1", "other:2"]).errors.contains("image: tag other:2\n"))
        let json = try shale.run(["trace", "--format", "json", "tag", "made:1", "other:3"]).errors
        #expect(json.contains("\"What\":\"wait for \(shale.home)/lock (exclusive)\""), "\(json)")
    }

    @Test("undo after a traced step of the host's command line says the step itself")
    func undone() throws {
        let shale = ShaleHome()
        try shale.run(["FROM", "busybox"])
        try shale.run(["trace", "--format", "json", "RUN", "echo hi > /hi"])
        try shale.run(["trace", "--format", "json", "tag", "@", "kept:1"])
        #expect(try shale.run(["undo"]).text.hasPrefix("took back: tag @ kept:1 "))
        #expect(try shale.run(["undo"]).text.hasPrefix("took back: RUN echo hi > /hi\n"))
    }

    @Test("json is one document, and the command's output stands alone on standard output")
    func json() throws {
        let shale = ShaleHome()
        let plain = try shale.run(["images"])
        let traced = try shale.run(["trace", "--format", "json", "images"])
        #expect(traced.text == plain.text)
        #expect(traced.errors.hasPrefix("{\"Command\":[\"images\"],\"Status\":0,\"Total\":"))
        #expect(traced.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test(
        "failures keep their status and are told before the trace",
        arguments: [
            (["rmi", "nothing"], 1), (["run"], 64), (["nosuch"], 64), (["cat", "a:/b", "--no-such"], 64),
        ] as [([String], Int32)])
    func failures(_ words: [String], _ status: Int32) throws {
        let shale = ShaleHome()
        try shale.run(["images"])
        #expect(try shale.run(words, expecting: status).status == status)
        let traced = try shale.run(["trace"] + words, expecting: status)
        #expect(traced.errors.hasPrefix("shale: ") && traced.errors.contains("total\n"))
    }

    @Test("a traced line stands in the journal as the line itself")
    func journal() throws {
        let shale = ShaleHome()
        let script = """
            FROM scratch
            trace --format json ENV A="x  y" B=$none
            trace LABEL c=d
            trace tag @ kept:1
            trace trace undo
            timeline
            history @
            undo
            """
        let said = try shale.run(["--no-rc", "-"], input: Array(script.utf8))
        #expect(!said.text.contains("trace"), "\(said.text)")
        #expect(said.text.contains("ENV A=\"x  y\" B=$none "), "\(said.text)")
        #expect(said.text.contains("LABEL c=d"), "\(said.text)")
        #expect(said.text.contains("took back: tag @ kept:1 "), "\(said.text)")
        #expect(said.text.contains("took back: LABEL c=d\n"), "\(said.text)")
        #expect(try shale.run(["images", "-q", "kept"]).text.isEmpty)
    }

    @Test("a trace of a trace is printed once, and ids in it are short")
    func nested() throws {
        let shale = ShaleHome()
        try shale.run(["images"])
        let traced = try shale.run(["trace", "trace", "create", "busybox"])
        #expect(traced.errors.ranges(of: "total\n").count == 1, "\(traced.errors)")
        #expect(traced.errors.contains("   share  create busybox\n"), "\(traced.errors)")
        let id = traced.text.prefix { $0 != "\n" }
        #expect(id.count == 64 && !traced.errors.contains(id), "\(traced.errors)")
        let json = try shale.run(["trace", "--format", "json", "trace", "images"])
        #expect(json.errors.hasPrefix("{\"Command\":[\"images\"]"))
    }

    @Test("without a trace nothing of one is printed; trace alone says how it is used")
    func usage() throws {
        let shale = ShaleHome()
        #expect(try shale.run(["trace"], expecting: 64).errors.contains("requires at least 1 argument"))
        #expect(try shale.run(["help", "trace"]).text.contains("trace run --rm busybox true"))
        #expect(try shale.run(["help"]).text.contains("Run a command and show where its time went"))
    }
}
