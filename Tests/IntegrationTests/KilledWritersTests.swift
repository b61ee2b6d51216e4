import FoundationEssentials
import TestSupport
import Testing

/// Commands that write a person's file, killed on the way: what was there stays, and nothing half-written lies beside it.
@Suite(
    .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: Peer("strace").isPresent, "strace is not installed"))
struct KilledWritersTests {
    struct Command: Sendable, CustomTestStringConvertible {
        var words: [String]
        var testDescription: String { words.joined(separator: " ") }
    }

    static let commands = [
        Command(words: ["save", "-o", "mine/out", "one"]), Command(words: ["export", "-o", "mine/out", "cc"]),
        Command(words: ["session", "export", "mine/out"]), Command(words: ["recipe", "one", "-o", "mine/out"]),
        Command(words: ["layers", "one", "--html", "mine/out"]),
    ]

    /// The calls it is killed at, by name and count.
    static let moments = [
        "write:when=1", "write:when=3", "write:when=12", "fsync:when=1", "linkat:when=1", "linkat:when=2",
    ]

    private func names(_ shale: ShaleHome) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(shale.work)/mine").sorted()
    }

    @Test(arguments: commands) func nothingHalfWrittenStays(_ command: Command) throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN echo 1 > /1\ntag @ one\ncreate --name cc one"])
        let folder = "\(shale.work)/mine"
        let out = "\(folder)/out"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for isThere in [false, true] {
            for moment in Self.moments {
                try? FileManager.default.removeItem(atPath: out)
                if isThere { try "mine".write(toFile: out, atomically: false, encoding: .utf8) }
                let call = moment.prefix { $0 != ":" }
                _ = try Peer("strace").run(
                    [
                        "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
                        "inject=\(call):signal=KILL:\(moment.dropFirst(call.count + 1))",
                        try #require(ShaleHome.program),
                        "--home", shale.home,
                    ] + command.words, environment: ["HOME": shale.work], in: shale.work, expecting: nil)
                let left = try names(shale)
                let content = try? String(contentsOfFile: out, encoding: .utf8)
                #expect(
                    left.filter { $0.hasSuffix("~") }.isEmpty || (isThere && moment.hasPrefix("linkat")),
                    "\(moment): \(left)")
                #expect(isThere ? content != "" : content != "mine", "\(moment)")
            }
        }
        // A whole one without its name goes with the next.
        try "mine".write(toFile: out, atomically: false, encoding: .utf8)
        try "half".write(toFile: out + ".1-2~", atomically: false, encoding: .utf8)
        try "mine".write(toFile: out + ".1~", atomically: false, encoding: .utf8)
        try shale.run(command.words)
        #expect(try names(shale) == ["out", "out.1~"])
        #expect(try shale.run(["system", "check"]).status == 0)
    }
}
