import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// A folder that builds write their cache to again and again.
@Suite(.enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)))
struct CacheFolderTests {
    private static func context(_ shale: ShaleHome, _ text: String) throws -> String {
        let folder = shale.folder.path + "/context"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("FROM busybox\nRUN \(text)\n".utf8).write(to: URL(filePath: folder + "/Dockerfile"))
        return folder
    }

    private static func blobs(_ folder: String) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder + "/blobs/sha256"))
    }

    @Test func blobsThatNothingNamesGoAfterAnHour() throws {
        let shale = ShaleHome()
        let cache = shale.folder.path + "/cache"
        let write = ["build", "-q", "--cache-to", "type=local,dest=\(cache),mode=max"]
        try shale.run(write + [Self.context(shale, "echo one > /one")])
        let first = try Self.blobs(cache)
        // What others put there is theirs, however old.
        try Data("others'".utf8).write(to: URL(filePath: "\(cache)/blobs/sha256/\(String(repeating: "0", count: 64))"))
        try shale.run(write + [Self.context(shale, "echo two > /two")])
        let both = try Self.blobs(cache)
        #expect(both.isSuperset(of: first), "they may be read at this moment")
        try Peer("sh").run(["-c", "touch -d '2 hours ago' \(cache)/blobs/sha256/*"])
        try shale.run(write + [Self.context(shale, "echo two > /two; echo three > /three")])
        let left = try Self.blobs(cache)
        #expect(left.isDisjoint(with: first.subtracting(left)) && first.subtracting(left).count >= 3, "\(left)")
        #expect(left.contains(String(repeating: "0", count: 64)))
        let other = ShaleHome()
        let built = try other.run(
            [
                "build", "--cache-from", "type=local,src=\(cache)",
                Self.context(other, "echo two > /two; echo three > /three"),
            ])
        #expect(built.text.contains("Using cache"), "\(built.text)\(built.errors)")
    }

    /// Whatever was there when the writer died, the next build works, and so does the next cache.
    @Test(arguments: [1, 4, 9, 16]) func aKilledWriterSpoilsNothing(_ blobs: Int) throws {
        let shale = ShaleHome()
        let cache = shale.folder.path + "/cache"
        let lines = (1...12).map { "head -c 3000000 /dev/urandom > /f\($0)" }.joined(separator: "\nRUN ")
        let context = try Self.context(shale, lines)
        try shale.run(["build", "-q", context])
        let writer = try shale.start(["build", "--cache-to", "type=local,dest=\(cache),mode=max", context])
        for _ in 0..<20_000 where writer.isRunning {
            if let found = try? Self.blobs(cache), found.count >= blobs { break }
            usleep(500)
        }
        writer.stop(SIGKILL)
        let read = try shale.run(["build", "--no-cache", "--cache-from", "type=local,src=\(cache)", context])
        #expect(read.text.contains("Successfully built"), "\(read.errors)")
        let other = ShaleHome()
        let found = try other.run(["build", "--cache-from", "type=local,src=\(cache)", try Self.context(other, "true")])
        #expect(found.errors.split(separator: "\n").count { $0.hasPrefix("cache ") } <= 1, "\(found.errors)")
        try shale.run(["build", "-q", "--cache-to", "type=local,dest=\(cache),mode=max", context])
        let third = ShaleHome()
        let again = try third.run(
            ["build", "--cache-from", "type=local,src=\(cache)", try Self.context(third, lines)])
        #expect(again.text.contains("Using cache") && !again.text.contains("Running in"), "\(again.text)")
        #expect(try shale.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
    }
}
