import Basics
import FoundationEssentials
import Layers
import OCI
import Stores
import TestSupport
import Testing

@testable import Explorer

struct OriginsTests {
    @Test(arguments: [
        ("CMD", #"["sh"]"#, #"CMD ["sh"]"#, false),
        ("CMD", #"["sh" "-c" "a b"]"#, #"CMD ["sh", "-c", "a b"]"#, false),
        ("ENTRYPOINT", "[a b]", #"ENTRYPOINT ["a", "b"]"#, true),
        ("VOLUME", "[/data]", #"VOLUME ["/data"]"#, false),
        ("CMD", "plain", "CMD plain", false),
        ("EXPOSE", "map[443/tcp:{} 80/tcp:{}]", "EXPOSE 443/tcp 80/tcp", false),
        ("EXPOSE", "80", "EXPOSE 80", false),
        ("ENV", "A=b", "ENV A=b", false),
        ("ENV", "A=b c D=e", #"ENV A="b c" D=e"#, false),
        ("LABEL", "x=y z", #"LABEL x="y z""#, false),
        ("HEALTHCHECK", #"&{["CMD-SHELL" "true"] "5s"}"#, "HEALTHCHECK --interval=5000ms CMD true", true),
        ("WORKDIR", "/app", "WORKDIR /app", false),
    ])
    func writesConfigSteps(_ word: String, _ rest: String, _ text: String, _ isGuess: Bool) {
        var config = ContainerConfig()
        config.env = ["A=b c", "D=e"]
        config.labels = ["x": "y z"]
        config.healthcheck = HealthConfig(test: ["CMD-SHELL", "true"])
        config.healthcheck?.interval = 5_000_000_000
        let line = InstructionRewriting(config: config).instruction(word, rest)
        #expect(line == .init(text: text, isGuess: isGuess))
    }

    static let base = ExplorerFixture.Step("/bin/sh -c #(nop) ADD file:0 in / ", [.file("bin", "b")])

    @Test func writesADockerfileFromHistory() throws {
        let fixture = try ExplorerFixture()
        defer { withExtendedLifetime(fixture) {} }
        let base = try fixture.image("base:1", [Self.base, .init(#"/bin/sh -c #(nop)  CMD ["bash"]"#)])
        try fixture.image(
            "app:1",
            [
                Self.base, .init(#"/bin/sh -c #(nop)  CMD ["bash"]"#), .init("/bin/sh -c make", [.file("made", "m")]),
                .init("/bin/sh -c #(nop) COPY file:abc in /srv/hello ", [.directory("srv"), .file("srv/hello", "hi")]),
                .init("COPY a b /x/ # buildkit", [.file("x/a", "a"), .file("x/b", "b")]),
                .init("ENV A=b"), .init("", [.file("odd", "o")]),
            ])
        let dockerfile = try ReverseDockerfile(fixture.layers("app:1"), base: ("base:1", base), extracting: false)
        let expected: [String] = [
            "FROM base:1", "RUN make", "# ? the source's name is not told; what it copied is in layer #3",
            "COPY hello /srv/hello", "# ? what it copied is in layer #4", "COPY a b /x/", "ENV A=b",
            "# ? how layer #5 was made is not told; --extract DIR writes the file", "ADD layer-5.tar /",
        ]
        #expect(dockerfile.text.split(separator: "\n").map(String.init) == expected)
        let folder = fixture.folder.path + "/out"
        let written = try ReverseDockerfile(fixture.layers("app:1"), base: ("base:1", base), extracting: true)
            .write(into: folder, Cancellation())
        #expect(written.map(\.lastPathComponent) == ["Dockerfile", "layer-3.tar", "layer-4.tar", "layer-5.tar"])
        let tar = try Data(contentsOf: URL(filePath: folder + "/layer-3.tar"))
        #expect(Array(tar).split(separator: 0).contains { $0.elementsEqual("srv/hello".utf8) })
    }

    @Test func comparesAllOfTwoImages() throws {
        let fixture = try ExplorerFixture()
        defer { withExtendedLifetime(fixture) {} }
        var one = ContainerConfig()
        one.cmd = ["a"]
        one.env = ["X=1", "Y=2"]
        var two = one
        two.cmd = ["b"]
        two.env = ["Y=2", "X=1", "Z=3"]
        var later = TestEntry.file("f", "x")
        later.time += 1
        try fixture.image("one:1", [.init("RUN a", [.file("f", "x")])], config: one)
        try fixture.image("two:1", [.init("RUN b", [.file("f", "y"), .file("g", "zz")])], config: two)
        try fixture.image("three:1", [.init("RUN a", [later])], config: one)
        func compare(_ left: String, _ right: String, semantic: Bool = false) throws -> ImageComparison {
            try ImageComparison(fixture.view(left), fixture.view(right), semantic: semantic, Cancellation())
        }
        let found = try compare("one:1", "two:1")
        #expect(found.config.map { "\($0.mark) \($0.key)" } == ["~ Cmd", "~ Env", "+ Env.Z"])
        #expect(
            found.history.map { "\($0.mark) \($0.key.split(separator: " ").dropFirst().joined(separator: " "))" } == [
                "- RUN a", "+ RUN b",
            ])
        #expect(found.files.map(\.line) == ["C /f", "A /g"])
        #expect(found.newSize - found.oldSize == 2)
        #expect(try compare("one:1", "one:1").isSame)
        #expect(try compare("one:1", "three:1").isSame == false)
        #expect(try compare("one:1", "three:1", semantic: true).isSame)
    }
}
