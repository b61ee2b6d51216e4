import Basics
import TestSupport
import Testing

@testable import Shell

/// The fields that Tab offers behind `--format '{{` are those that a command's rows have.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct FormatFieldTests {
    static let lines: [(verb: String, line: [String])] = [
        ("images", ["images"]), ("ps", ["ps", "-a"]), ("volume ls", ["volume", "ls"]), ("df", ["df"]),
        ("steps", ["steps"]), ("timeline", ["timeline"]), ("set", ["set"]), ("history", ["history", "busybox"]),
        ("platforms", ["platforms", "multi:1"]),
    ]

    @Test func tabOffersWhatIsThere() throws {
        let shale = ShaleHome()
        try shale.write("FROM scratch\nCOPY Dockerfile /\n", to: "context/Dockerfile")
        try shale.run([
            "-c",
            """
            FROM busybox
            RUN touch /x
            run --name box busybox true
            volume create data
            build -q --platform linux/amd64,linux/arm64 -t multi:1 context
            """,
        ])
        for (verb, line) in Self.lines {
            let words = verb.split(separator: " ").map(String.init)
            let offered = try #require(CommandTable.shared.find(words: words)).formatFields
            let first = try #require(try shale.run(line + ["--format", "json"]).lines.first)
            guard case .object(let members) = try JSONDocument(parsing: Array(first.utf8), naming: verb) else {
                Issue.record("\(verb) prints no object")
                continue
            }
            #expect(members.map(\.key).sorted() == offered.sorted(), "\(verb)")
        }
    }
}
