import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
import TestSupport
import Testing

@Suite("the log file")
struct LogFileTests {
    /// A folder that looks like a home.
    private static func home(_ folder: TemporaryDirectory) throws -> String {
        let home = folder.path + "/home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try WholeFile.replace(home + "/oci-layout", with: [])
        return home
    }

    private static func lines(_ home: String) throws -> [String] {
        let folder = home + "/log"
        return try FileManager.default.contentsOfDirectory(atPath: folder).flatMap { name in
            String(decoding: try WholeFile.read("\(folder)/\(name)"), as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
    }

    private static func line(
        _ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info
    ) -> String {
        String(
            decoding: LogLine.bytes(
                time: Timestamp(seconds: 1, nanoseconds: 42_000), level: level, process: 7, label: "shale.test",
                message: message, metadata: metadata), as: UTF8.self)
    }

    @Test("a line has the time, level, process, label, message and fields")
    func form() {
        #expect(
            Self.line("asked", ["b": "two words", "a": "1", "c": ""])
                == "1970-01-01T00:00:01.000042Z info 7 shale.test asked a=1 b=\"two words\" c=\"\"\n")
        #expect(Self.line("x", ["a": "say \"hi\" \\"]).hasSuffix(#" a="say \"hi\" \\""# + "\n"))
    }

    @Test("control characters are made visible, and never begin a line")
    func controls() {
        let line = Self.line("a\nb\u{1b}[2J", ["k": "v\r\nforged 1970"])
        #expect(line.filter { $0 == "\n" }.count == 1 && !line.contains("\u{1b}") && !line.contains("\r"))
        #expect(line.contains("a\\nb\\e[2J"))
    }

    @Test(
        "secrets are masked",
        arguments: [
            "curl -u me:hunter22 https://x", "login --password hunter22 x", "https://me:hunter22@host/x",
            "API_TOKEN=hunter22", "Authorization: Bearer hunter22hunter22hunter22",
        ])
    func secrets(_ text: String) {
        #expect(!Self.line("command", ["line": "\(text)"]).contains("hunter22"), "\(text)")
    }

    @Test("a field with a secret's name is masked whatever it holds")
    func secretNames() {
        #expect(Self.line("x", ["password": "plain words"]).contains("password=***\n"))
    }

    @Test("it is for its owner alone, and nothing is made in a folder that is no home")
    func place() throws {
        let folder = TemporaryDirectory()
        LogFile(home: folder.path).append(Array("lost\n".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        let home = try Self.home(folder)
        LogFile(home: home).append(Array("kept\n".utf8))
        #expect(try FileStatus.of(hostPath: home + "/log").permissions == 0o700)
        #expect(try FileStatus.of(hostPath: home + "/log/shale.log").permissions == 0o600)
        #expect(try Self.lines(home) == ["kept"])
    }

    @Test("nothing is written into another user's home", .enabled(if: geteuid() == 0, "gives a folder away"))
    func foreign() throws {
        let folder = TemporaryDirectory()
        let home = try Self.home(folder)
        #expect(chown(home, 4711, 4711) == 0)
        LogFile(home: home).append(Array("lost\n".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: home) == ["oci-layout"])
    }

    @Test("lines from before there is a home come once there is one")
    func early() throws {
        let folder = TemporaryDirectory()
        let file = LogFile(home: folder.path + "/home")
        file.append(Array("first\n".utf8))
        let home = try Self.home(folder)
        file.append(Array("second\n".utf8))
        #expect(try Self.lines(home) == ["first", "second"])
    }

    @Test("a long file is put aside, and only a few are kept")
    func rotation() throws {
        let home = try Self.home(TemporaryDirectory.kept)
        let file = LogFile(home: home, size: 100, kept: 2)
        for number in 0..<60 { file.append(Array("line number \(number)\n".utf8)) }
        let names = try FileManager.default.contentsOfDirectory(atPath: home + "/log").sorted()
        #expect(names == ["shale.log", "shale.log.1", "shale.log.2"])
        #expect(try Self.lines(home).contains("line number 59"))
        #expect(try !Self.lines(home).contains("line number 0"))
    }

    @Test("two at once neither lose nor tear a line, also while the file is put aside")
    func together() throws {
        let folder = TemporaryDirectory()
        let home = try Self.home(folder)
        let each = 400
        let threads = try (0..<4).map { writer in
            try WorkerThread {
                // A file of its own each, as two processes have.
                let file = LogFile(home: home, size: 8 << 10, kept: 16)
                for number in 0..<each {
                    file.append(Array("\(writer) \(number) \(String(repeating: "x", count: 60))\n".utf8))
                }
            }
        }
        for thread in threads { thread.join() }
        let lines = try Self.lines(home)
        let wanted = (0..<4).flatMap { writer in
            (0..<each).map { "\(writer) \($0) \(String(repeating: "x", count: 60))" }
        }
        #expect(lines.count == wanted.count && Set(lines) == Set(wanted))
        #expect(try FileManager.default.contentsOfDirectory(atPath: home + "/log").count > 2)
    }
}

extension TemporaryDirectory {
    /// One that lasts as long as the tests do.
    fileprivate static let kept = TemporaryDirectory()
}

@Suite("the levels of the log", .serialized)
struct LogLevelTests {
    @Test(
        "a level keeps itself and what is graver",
        arguments: [
            (LogLevel.debug, ["debug", "info", "warning", "error"]), (.info, ["info", "warning", "error"]),
            (.warning, ["warning", "error"]), (.error, ["error"]),
        ])
    func levels(_ level: LogLevel, _ kept: [String]) throws {
        let folder = TemporaryDirectory()
        try WholeFile.replace(folder.path + "/oci-layout", with: [])
        Log.open(home: folder.path, level: level)
        defer {
            Log.set(.warning)
            Log.close()
        }
        let logger = Logger(.shell)
        logger.debug("debug")
        logger.info("info")
        logger.warning("warning")
        logger.error("error")
        let text = String(decoding: try WholeFile.read(folder.path + "/log/shale.log"), as: UTF8.self)
        let mine = text.split(separator: "\n").filter { $0.contains(" shale.shell ") }
        #expect(mine.map { String($0.split(separator: " ").last ?? "") } == kept)
    }

    @Test("a failure that is swallowed is a warning")
    func swallowed() throws {
        let folder = TemporaryDirectory()
        try WholeFile.replace(folder.path + "/oci-layout", with: [])
        Log.open(home: folder.path, level: .warning)
        defer { Log.close() }
        let result: Int? = Logger.store.attempt("do it") { () throws(ShaleError) in
            throw ShaleError(.io, "disk", cause: "on fire")
        }
        #expect(result == nil)
        let text = String(decoding: try WholeFile.read(folder.path + "/log/shale.log"), as: UTF8.self)
        #expect(text.contains("warning") && text.contains("shale.store failed: do it error=\"disk: on fire\""))
    }

    @Test("words for levels", arguments: [("debug", LogLevel.debug), ("WARN", .warning), ("error", .error)])
    func words(_ text: String, _ level: LogLevel) { #expect(LogLevel(spelled: text) == level) }

    @Test("other words are none", arguments: ["", "trace", "verbose", "0"])
    func noWords(_ text: String) { #expect(LogLevel(spelled: text) == nil) }
}
