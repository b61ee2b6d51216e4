import Glibc
import TestSupport
import Testing

/// Builds that docker recorded, carried out by the built shale: config, history, layers, files or the error.
@Suite(
    "recorded builds", .enabled(if: Corpus.isPresent, "\(Corpus.absent)"),
    .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: geteuid() == 0, "needs root: the recorded contexts have owners"))
struct BuildCorpusTests {
    /// Rows that differ, each with why.
    static let exceptions: [String: String] = [
        "conformance:chown-volume": "a directory whose time alone was touched makes no layer in shale",
        "testMultiPlatformProvenance:636": "its RUN for arm64 needs an emulator",
        "testDefaultShellAndPath:1898": "the recorded image is that of Windows",
        "testExportMultiPlatform:2161": "the recorded image is that of Windows",
        "testExportMultiPlatform:2198": "the recorded image is that of Windows",
        "testDockerfileLowercase:3888": "FROM scratch alone makes no image, as with docker's classic builder",
        "testDockerfileAddChownExpand:3513": "a group that is not there is docker's classic error, at the ADD",
        "conformance:copy-integration1":
            "recorded of the classic client; the last line that matches counts, as in BuildKit",
        "conformance:dockerignore-exclude-kind-of-deep-subdir-dot":
            "recorded of the classic client; the last line that matches counts, as in BuildKit",
        "conformance:dockerignore-exclude-deep-subdir-dot#2":
            "recorded of the classic client; the last line that matches counts, as in BuildKit",
        "conformance:dockerignore-exclude-deep-subdir-star#2":
            "recorded of the classic client; the last line that matches counts, as in BuildKit",
        "conformance:dockerignore-exceptions-skip":
            "recorded of the classic client; the last line that matches counts, as in BuildKit",
        "conformance:dockerignore-exceptions-weirdness-1":
            "recorded of the classic client; the last line that matches counts, as in BuildKit",
        "conformance:replace-symlink-with-directory":
            "recorded of the classic builder; a directory does not replace a link to one, as in BuildKit",
        "conformance:replace-directory-with-symlink-subdir":
            "recorded of the classic builder; a directory does not replace a link to one, as in BuildKit",
    ]

    /// Files whose content is another one with each build, or was changed by the recorder.
    static let volatile: [String: Set<String>] = [
        "TestBuildMultiStageGlobalArg": ["/out"],
        "conformance:add--exclude-includes-star": ["/subdir/Dockerfile"],
        "conformance:copy--exclude-includes-subdir-slash": ["/subdir/Dockerfile"],
        "conformance:copy--exclude-includes-dot-slash": ["/subdir/Dockerfile"],
        "testDuplicateLayersProvenance:1718": ["/a.txt", "/b.txt"],
        "testEmptyStringArgInEnv:324": ["/env.txt"],
        // What the kernel says of a tmpfs differs from host to host.
        "testShmSize:7194": ["/shmsize"],
        "testMountTmpfsSize:563": ["/tmpfssize"],
    ]

    /// The fewest rows that must pass.
    static let floor = 300

    @Test func recorded() async throws {
        let chosen = getenv("SHALE_BUILD_ROW").map { String(cString: $0) }
        let accounts = (Corpus.root ?? "") + "/behaviour/base"
        let counts = try await withThrowingTaskGroup(of: (passed: Int, total: Int).self) { group in
            for file in ["build-moby", "build-conformance", "build-buildkit"] {
                group.addTask { try Self.run(file, accounts: accounts, chosen: chosen) }
            }
            var sum = (passed: 0, total: 0)
            for try await part in group { sum = (sum.passed + part.passed, sum.total + part.total) }
            return sum
        }
        Corpus.score("behaviour-build", counts.passed, of: counts.total)
        if chosen == nil { #expect(counts.passed >= Self.floor) }
    }

    private static func run(_ file: String, accounts: String, chosen: String?) throws -> (passed: Int, total: Int) {
        let home = try ShaleHome(accountsFrom: accounts)
        let id = try home.run(["inspect", "-f", "{{.Id}}", "busybox"]).lines.first ?? ""
        let base = try BuiltImage(id, home: home.home)
        try RecordedBuild.addPlatformBase(to: home)
        var (passed, total) = (0, 0)
        for row in try Corpus.rows("behaviour/\(file).json") {
            guard let id = row["id"]?.string, let steps = row["steps"]?.array else { continue }
            if let chosen, !id.contains(chosen) { continue }
            total += 1
            var volatile = Self.volatile[id] ?? []
            // Made by a RUN from /dev/urandom.
            volatile.formUnion(["/unique", "/unique2"])
            var differences: [String] = []
            for (number, step) in steps.enumerated() {
                differences += try RecordedBuild(step).differences(in: home, base: base, volatile: volatile)
                    .map { "[\(number)] \($0)" }
            }
            if differences.isEmpty {
                passed += 1
            } else if exceptions[id] == nil || chosen != nil {
                print("build \(id):\n    " + differences.joined(separator: "\n    "))
                if exceptions[id] == nil { Issue.record("\(id): \(differences[0])") }
            }
        }
        return (passed, total)
    }
}
