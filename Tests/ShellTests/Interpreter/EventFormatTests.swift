import Basics
import Stores
import TestSupport
import Testing

@testable import Shell

struct EventFormatTests {
    /// Docker's own four events (docker/cli, system/testdata).
    @Test(
        .enabled(if: Corpus.isPresent, "\(Corpus.absent)"),
        arguments: [
            ("json-action", "{{json .Action}}"), ("json-template", "{{json .}}"),
        ])
    func golden(name: String, format: String) throws {
        let events = ["create", "start", "attach", "die"].enumerated().map { index, action in
            StoreEvent(
                .container, action, of: "abc123", ["image": "ubuntu:latest"],
                at: Timestamp(seconds: Int64(index + 1)))
        }
        let format = try EventFormat(format)
        let text = try events.map { try format.line(of: $0) + "\n" }.joined()
        // Docker's test has seconds that are not those of its nanoseconds.
        let golden = try Corpus.text("docker-cli/golden/system/docker-events-\(name).golden")
            .replacing("000000000,\"timeNano", with: ",\"timeNano")
        #expect(golden == text)
    }

    @Test func theLineHasNineDigitsAndSortedAttributes() throws {
        let event = StoreEvent(
            .image, "pull", of: "a\nb:1", ["name": "a", "MY_SECRET": "x", "b": "c"],
            at: Timestamp(seconds: 1, nanoseconds: 20))
        #expect(
            try EventFormat(nil).line(of: event)
                == #"1970-01-01T00:00:01.000000020Z image pull a\nb:1 (MY_SECRET=***, b=c, name=a)"#)
    }
}
