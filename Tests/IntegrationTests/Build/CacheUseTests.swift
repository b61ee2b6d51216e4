import Basics
import FoundationEssentials
import TestSupport
import Testing

/// What is noted of the use of cached steps.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct CacheUseTests {
    private let shale = ShaleHome()

    /// The columns `LAST USED` and `USAGE` of `df -v`, by cache ID.
    private func uses() throws -> [String: (last: String, count: String)] {
        let text = try shale.run(["df", "-v", "--format", "{{json .BuildCache}}"]).text
        let rows = try JSONDocument(parsing: Array(text.utf8), naming: "df").array ?? []
        return Dictionary(
            rows.map { row in
                (row["ID"]?.string ?? "", (row["LastUsedSince"]?.string ?? "", row["UsageCount"]?.string ?? ""))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// As BuildKit counts: the build that carries a step out is the first use.
    @Test func everyBuildThatFindsAStepIsAUse() throws {
        let context = TemporaryDirectory()
        let file = URL(filePath: context.path + "/Dockerfile")
        try Data("FROM busybox\nENV A=1\nENV B=2\n".utf8).write(to: file)
        let before = Set(try uses().keys)
        try shale.run(["build", "-q", context.path])
        let own = Set(try uses().keys).subtracting(before)
        #expect(own.count == 2)
        #expect(try uses().filter { own.contains($0.key) }.allSatisfy { $1.count == "1" && $1.last.hasSuffix(" ago") })
        for _ in 0..<2 { try shale.run(["build", "-q", context.path]) }
        #expect(try uses().filter { own.contains($0.key) }.allSatisfy { $1.count == "3" })
        try Data("FROM busybox\nENV A=1\n".utf8).write(to: file)
        try shale.run(["build", "-q", context.path])
        #expect(try uses().filter { own.contains($0.key) }.map(\.value.count).sorted() == ["3", "4"])
        // A build that does not look is no use.
        try shale.run(["build", "-q", "--no-cache", context.path])
        #expect(try uses().values.map(\.count).max() == "4")
        #expect(try shale.run(["df", "-v"]).text.contains("LAST USED"))
        // They go with the steps.
        try shale.run(["builder", "prune", "-a", "-f"])
        #expect(try uses().isEmpty)
    }

    /// The values are compared, and no text is taken apart: a value with blanks is one value.
    @Test func aMissNamesTheBuildArgumentsThatChanged() throws {
        let context = TemporaryDirectory()
        let file = URL(filePath: context.path + "/Dockerfile")
        try Data("FROM busybox\nENV Z=1\nARG ONE\nARG TWO\nRUN true\n".utf8).write(to: file)
        func build(_ one: String, _ two: String) throws -> String {
            try shale.run(["build", "--build-arg", "ONE=\(one)", "--build-arg", "TWO=\(two)", context.path]).errors
        }
        _ = try build("a b=c d", "x")
        #expect(try build("a b=c d", "y").contains("cache miss: RUN true: build argument TWO changed\n"))
        #expect(try build("a b=c e", "y").contains("cache miss: RUN true: build argument ONE changed\n"))
        #expect(try build("f", "z").contains("cache miss: RUN true: build arguments ONE, TWO changed\n"))
    }
}
