import Basics
import Testing

@testable import Dockerfiles

struct ParserTests {
    @Test(arguments: [
        ("FROM a\r\nRUN x \\\r\n y\r\n", "(from \"a\")\n(run \"x  y\")\n"),
        ("\u{feff}# escape=`\nfrom a\nrun dir `\n c:\\x", "(from \"a\")\n(run \"dir  c:\\\\x\")\n"),
        ("ENV a=b c='d e' f=\"g\"", "(env \"a\" \"b\" \"=\" \"c\" \"'d e'\" \"=\" \"f\" \"\\\"g\\\"\" \"=\")\n"),
        ("RUN --mount=\"type=x\" --  a", "(run [\"--mount=type=x\"] \"a\")\n"),
        ("CMD [\"\\u00e9\", \"\\ud83d\\ude00\"]", "(cmd \"é\" \"😀\")\n"),
        ("ONBUILD ONBUILD RUN x", "(onbuild (onbuild (run \"x\")))\n"),
        ("HEALTHCHECK --interval=1s CMD [\"a\"]", "(healthcheck [\"--interval=1s\"] \"CMD\" \"a\")\n"),
        ("# c\n\nRUN a \\\n# inside\n\n b", "(run \"a  b\")\n"),
    ])
    func dumps(_ text: String, _ wanted: String) throws {
        #expect(try Dockerfile(parsing: text).dump == wanted)
    }

    @Test(arguments: [
        ("FROM a\nRUN <<EOF\nx", 2, "unterminated heredoc", "RUN <<EOF"),
        ("FROM a\n\n  QUUX b", 3, "unknown instruction: QUUX", "  QUUX b"),
        ("FORM a", 1, "unknown instruction: FORM (did you mean FROM?)", "FORM a"),
        ("run x", 1, "no build stage in current context", "run x"),
        ("# escape=x\nFROM a", 1, "invalid escape token 'x' does not match ` or \\", "# escape=x"),
        ("# escape=`\n# escape=`\nFROM a", 2, "only one escape parser directive can be used", "# escape=`"),
        (
            "FROM a\nRUN x \\\n y\nCOPY z", 4,
            "COPY requires at least two arguments, but only one was provided. Destination could not be determined",
            "COPY z"
        ),
        ("FROM a\nONBUILD FROM b", 2, "FROM isn't allowed as an ONBUILD trigger", "ONBUILD FROM b"),
        ("FROM a\nHEALTHCHECK NONE x", 2, "HEALTHCHECK NONE takes no arguments", "HEALTHCHECK NONE x"),
        (
            "FROM a\nHEALTHCHECK --retries=-1 CMD x", 2, "--retries cannot be negative (-1)",
            "HEALTHCHECK --retries=-1 CMD x"
        ),
        (
            "FROM a\nHEALTHCHECK --interval=5 CMD x", 2, "time: missing unit in duration \"5\"",
            "HEALTHCHECK --interval=5 CMD x"
        ),
        ("FROM a\nSHELL sh", 2, "SHELL requires the arguments to be in JSON form", "SHELL sh"),
        (
            "FROM a\nCOPY --link=maybe a b", 2, "expecting boolean value for flag --link, not: maybe",
            "COPY --link=maybe a b"
        ),
        ("FROM a\nCOPY --from=x --from=y a b", 2, "duplicate flag specified: --from", "COPY --from=x --from=y a b"),
        ("FROM a\nUSER --x a", 2, "unknown flag: --x", "USER --x a"),
        ("FROM a\nRUN --network=lan x", 2, "invalid network mode \"lan\"", "RUN --network=lan x"),
        (
            "FROM a AS 1", 1, "invalid name for build stage: \"1\", name can't start with a number or contain symbols",
            "FROM a AS 1"
        ),
        ("ARG X=1", 1, "dockerfile contains no stages to build", "ARG X=1"),
    ])
    func errors(_ text: String, _ line: Int, _ message: String, _ source: String) {
        #expect(throws: DockerfileError(line: line, message: message, sourceLine: source)) {
            try StagedFile(Dockerfile(parsing: text))
        }
    }

    @Test func jsonRows() throws {
        let rows = try Dockerfile(
            parsing: "FROM a\nRUN --network=none <<-'E'\n\tx \"y\"\n\tE\nCMD [\"q\"]\nONBUILD RUN z"
        ).jsonRows
        #expect(
            rows == [
                #"{"line":1,"endLine":1,"instruction":"FROM","flags":[],"form":"other","args":["a"],"heredocs":[],"original":"FROM a"}"#,
                #"{"line":2,"endLine":4,"instruction":"RUN","flags":["--network=none"],"form":"shell","args":["<<-'E'"],"heredocs":[{"name":"E","content":"\tx \"y\"\n","expand":false,"chomp":true}],"original":"RUN --network=none <<-'E'"}"#,
                #"{"line":5,"endLine":5,"instruction":"CMD","flags":[],"form":"exec","args":["q"],"heredocs":[],"original":"CMD [\"q\"]"}"#,
                #"{"line":6,"endLine":6,"instruction":"ONBUILD","flags":[],"form":"other","args":["RUN","z"],"heredocs":[],"original":"ONBUILD RUN z"}"#,
            ])
    }

    @Test func oneInstructionAtThePrompt() throws {
        let located = try Instruction.parse(line: "COPY <<EOF /x\nhello\nEOF")
        guard case .copy(let copy) = located.value else { throw DockerfileError(line: 0, message: "not a COPY") }
        #expect(copy.files.inline == [FileSources.Inline(name: "EOF", content: "hello\n", expand: true)])
        #expect(located.text == "COPY <<EOF /x\nhello\nEOF")
        #expect(message { _ = try Instruction.parse(line: "RUN a\nRUN b") } == "only one instruction is expected here")
        #expect(message { _ = try Instruction.parse(line: "  # nothing") } == "file with no instructions")
    }

    @Test func scriptsOfHeredocs() throws {
        func script(_ text: String) throws -> RunInstruction.Script? {
            if case .run(let run) = try Instruction.parse(line: text).value { run.script } else { nil }
        }
        #expect(try script("RUN <<E\na\nb\nE") == .command(CommandLine(words: ["a\nb\n"], usesShell: true)))
        #expect(try script("RUN <<E\n#!/bin/x\nE") == .file(name: "E", content: "#!/bin/x\n"))
        #expect(try script("RUN cat <<E\na\nE") == .command(CommandLine(words: ["cat <<E\na\nE"], usesShell: true)))
        #expect(try script("RUN [\"a\"]") == .command(CommandLine(words: ["a"], usesShell: false)))
    }

    @Test(arguments: [
        String(repeating: "ONBUILD ", count: 8_000) + "RUN x", "RUN " + String(repeating: "[", count: 60_000),
        "CMD [" + String(repeating: "[", count: 60_000), "RUN \u{0}\u{0}", "\u{0}",
        "ENV " + String(repeating: "\"", count: 9_999),
        "COPY " + String(repeating: "<<", count: 9_999) + "E /", "COPY <<\u{301}E /", "FROM a\nARG =\u{301}",
        "ARG a=\u{301}b",
        String(repeating: "RUN \\\n", count: 50_000), "RUN --" + String(repeating: "-", count: 9_999),
        "# escape=\\\n\\", "\\", "`",
        "HEALTHCHECK", "HEALTHCHECK []", "HEALTHCHECK --", "FROM", "FROM --platform= ", "\r\r\r",
        "\u{feff}\u{feff}FROM a",
        "RUN --mount=\"a b", "RUN --mount=a\\", "EXPOSE " + String(repeating: "1 ", count: 9_999), "VOLUME []",
        "SHELL []",
        "LABEL " + String(repeating: "a=${b:-", count: 5_000), "STOPSIGNAL \u{85}", "ENV a\u{a0}b", "FROM a AS b c d",
    ])
    func hostileTextNeverTraps(_ text: String) {
        _ = message {
            let file = try Dockerfile(parsing: text)
            _ = (file.dump, file.jsonRows)
            _ = try Plan(
                Dockerfile(parsing: "FROM scratch\n" + text),
                options: .init(platform: .init(os: "linux", architecture: "amd64"))
            ) { _, _ in nil }
        }
    }
}
