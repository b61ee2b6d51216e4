import Basics
import TestSupport
import Testing

@testable import Dockerfiles

/// What docker's classic builder prints after `Step N/M : `.
@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct StepTextTests {
    @Test(arguments: ["build-moby", "build-conformance"])
    func steps(_ file: String) throws {
        var score = Score("behaviour/\(file) step texts")
        for row in try Corpus.rows("behaviour/\(file).json") {
            for (index, step) in (row["steps"]?.array ?? []).enumerated() {
                let log = step["results"]?["docker-20.10.24-classic"]?["log"]?.strings ?? []
                let printed = log.filter { $0.hasPrefix("Step ") }
                guard !printed.isEmpty,
                    let text = step["dockerfile"]?.string
                        ?? step["files"]?[step["dockerfile_path"]?.string ?? "Dockerfile"]?.string,
                    let staged = try? StagedFile(Dockerfile(parsing: text))
                else { continue }
                let originals =
                    staged.metaArguments.map(\.original)
                    + staged.stages.flatMap { [$0.original] + $0.instructions.map(\.original) }
                let got = originals.enumerated().map { "Step \($0.offset + 1)/\(staged.stepCount) : \($0.element)" }
                // A build with a target or an error stops early; options may add a step.
                guard let total = printed.first?.cut(at: "/").after?.cut(at: " ").before, total == "\(staged.stepCount)"
                else {
                    continue
                }
                score.check("\(row["id"]?.string ?? "?")[\(index)]", Array(got.prefix(printed.count)), printed)
            }
        }
        score.finish()
    }
}
