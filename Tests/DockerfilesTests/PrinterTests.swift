import Basics
import TestSupport
import Testing

@testable import Dockerfiles

struct PrinterTests {
    @Test(arguments: [
        "FROM --platform=$BUILDPLATFORM a:1 AS b", "RUN echo 'a b' && x", "RUN [\"a b\", \"c\\\"d\"]",
        "RUN --mount=type=cache,target=/x --network=none make", "RUN <<EOF sh\na\nEOF",
        "COPY --from=x --chown=1:2 a b /c/",
        "COPY [\"a b\", \"/c\"]", "COPY a <<'E' /x/\n$no\nE", "ADD --keep-git-dir=false --checksum=x https://h/a /",
        "ENV a=b c=\"d e\"",
        "ENV a b  c", "LABEL x=y", "ARG A B=c", "WORKDIR /a b", "USER a:b", "CMD x", "CMD []", "ENTRYPOINT [\"x\"]",
        "EXPOSE 1 2/udp",
        "VOLUME /a /b", "VOLUME [\"/a b\"]", "SHELL [\"x\", \"-c\"]", "STOPSIGNAL 9", "MAINTAINER a <b@c>",
        "HEALTHCHECK NONE",
        "HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f x", "HEALTHCHECK CMD [\"a\"]", "ONBUILD RUN a b",
    ])
    func canonicalTextStays(_ text: String) throws {
        #expect(try Instruction.parse(line: text).value.printed() == text)
    }

    @Test(arguments: [
        "a\nb", "cat <<EOF", "[\"x\"]", "[1]", "a \\", "--flag x", "echo \\\"x\\\"", "x # y",
        String(repeating: "word ", count: 40_000),
    ])
    func anyCommandTextIsReadBack(_ text: String) throws {
        let run = Instruction.run(
            RunInstruction(
                command: CommandLine(words: [text], usesShell: true), heredocs: [], mounts: [], network: "default",
                security: "sandbox", devices: [], flagsUsed: []))
        guard case .run(let read) = try Instruction.parse(line: run.printed()).value else {
            throw DockerfileError(line: 0, message: "not a RUN")
        }
        #expect(read.command.arguments(shell: ["/bin/sh", "-c"]) == ["/bin/sh", "-c", text.trimmed])
    }

    @Test(arguments: ["", "a", "a b", "$x", "'", "\"", "\\", "a\\", "a\\nb", "=", "#", " lead", "tab\t", "`", "ünï"])
    func literalValues(_ value: String) throws {
        let pair = try #require(KeyValue(key: "K", literal: value))
        let text = Instruction.env([pair, KeyValue(key: "L", value: "1")]).printed()
        guard case .env(let pairs) = try Instruction.parse(line: text).value, let read = pairs.first else {
            throw DockerfileError(line: 0, message: "not an ENV")
        }
        #expect(try WordExpander(environment: ["x": "set"]).expand(read.value).text == value)
        #expect(pairs.count == 2)
    }

    @Test func lineBreaksHaveNoLiteral() {
        #expect(KeyValue(key: "K", literal: "a\nb") == nil)
    }
}

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct PrinterCorpusTests {
    @Test func everyInstructionIsReadBack() throws {
        var score = Score("dockerfiles+snippets printed and read back")
        for recorded in try Recorded.all() where recorded.expected["instructions_error"] == nil {
            let staged = try StagedFile(Dockerfile(parsing: recorded.text))
            let directive = staged.escape == "`" ? "# escape=`\n" : ""
            for located in staged.stages.flatMap(\.instructions) {
                let text = directive + located.value.printed(escape: staged.escape)
                score.check("\(recorded.id):\(located.line)", try? Instruction.parse(line: text).value, located.value)
            }
        }
        score.finish()
    }
}
