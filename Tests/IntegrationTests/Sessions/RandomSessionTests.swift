import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// A thousand random lines in one shale, against a plain model of what a session is.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RandomSessionTests {
    /// `SHALE_SESSION_SEED` and `SHALE_SESSION_OPERATIONS` set others.
    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

    @Test func aRandomSessionIsWhatAPlainModelSays() throws {
        let seed = Self.number("SHALE_SESSION_SEED") ?? UInt64.random(in: 0...999_999)
        let operations = Int(Self.number("SHALE_SESSION_OPERATIONS") ?? 1000)
        var generator = SessionGenerator(seed: seed)
        generator.generate(operations, lookingEvery: 50, verifying: 4)
        print("random session: seed \(seed), \(operations) operations: \(generator.counts.sorted { $0.key < $1.key })")
        let shale = ShaleHome()
        let path = shale.work
        for number in 0..<6 {
            try "content \(number)\n".write(toFile: "\(path)/f\(number)", atomically: false, encoding: .utf8)
        }
        let script = generator.script.map { $0 + "\n" }.joined()
        try script.write(toFile: "\(path)/random.shale", atomically: false, encoding: .utf8)
        if let kept = getenv("SHALE_SESSION_KEEP") {
            try Peer("cp").run(["-r", path, String(cString: kept)])
        }
        let outcome = try shale.run(["--keep-going", "random.shale"], expecting: nil)
        let shown = Self.looks(outcome.text)
        try #require(shown.count == generator.looks.count, "seed \(seed): \(outcome.errors.suffix(2000))")
        for (look, all) in zip(generator.looks, shown) {
            // Names that no line gave are the first image's, and those of images without one.
            let lines = look.what.hasPrefix("names") ? all.filter { $0.contains("-") } : all
            let (left, right) = look.isOrdered ? (lines, look.expected) : (lines.sorted(), look.expected.sorted())
            try #require(
                left == right,
                "seed \(seed): \(look.what)\n\(Self.difference(left, right))\(outcome.errors.suffix(1500))")
        }
        try shale.run(["system", "check"])
    }

    /// What stands between the marks.
    private static func looks(_ output: String) -> [[String]] {
        var looks: [[String]] = []
        var lines: [String]?
        for line in output.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "<<" {
                lines = []
            } else if line == ">>" {
                if let lines { looks.append(lines) }
                lines = nil
            } else {
                lines?.append(String(line))
            }
        }
        return looks
    }

    private static func difference(_ left: [String], _ right: [String]) -> String {
        let lacking = right.filter { !left.contains($0) }
        let more = left.filter { !right.contains($0) }
        return "shown \(left.count) lines, expected \(right.count); not shown: \(lacking); not expected: \(more)\n"
    }
}
