import FoundationEssentials
import TestSupport

/// What one recorded file expects, and how far shale agrees.
struct Recorded {
    let id: String
    let text: String
    let expected: JSONValue

    /// Every Dockerfile whose parse BuildKit recorded: the snippets of its tests, and real files.
    static func all() throws -> [Recorded] { try everything.get() }

    private static let everything = Result { try read() }

    private static func read() throws -> [Recorded] {
        let snippets = try Corpus.rows("dockerfile-parser/snippets-recorded.json").map {
            Recorded(
                id: $0["id"]?.string ?? "?", text: $0["dockerfile"]?.string ?? "",
                expected: $0["buildkit_v0.24"] ?? .null)
        }
        return try snippets + realFiles()
    }

    static func realFiles() throws -> [Recorded] {
        try Corpus.text("dockerfiles/expected.jsonl").split(separator: "\n").compactMap { line in
            let row = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
            guard let file = row["file"]?.string, row["panic"] == nil else { return nil }
            return Recorded(id: file, text: try Corpus.text("dockerfiles/" + file), expected: row)
        }
    }
}
