import Basics
import Images
import Stores
import Testing

@testable import Explorer

struct PlaceTests {
    @Test(
        arguments: [
            ("ubuntu:22.04:/etc/passwd", "ubuntu:22.04", nil, "/etc/passwd"),
            ("ubuntu", "ubuntu", nil, "/"),
            ("ubuntu:22.04", "ubuntu:22.04", nil, "/"),
            ("ubuntu:/", "ubuntu", nil, "/"),
            ("ubuntu#3:/var", "ubuntu", 3, "/var"),
            ("ubuntu#3", "ubuntu", 3, "/"),
            ("@:/etc", "@", nil, "/etc"),
            ("@~2#1:/x", "@~2", 1, "/x"),
            ("127.0.0.1:5000/team/app:1:/a:/b", "127.0.0.1:5000/team/app:1", nil, "/a:/b"),
            ("app@sha256:00:/x", "app@sha256:00", nil, "/x"),
            ("web:/a#b", "web", nil, "/a#b"),
            ("web:/a b/ü", "web", nil, "/a b/ü"),
        ] as [(String, String, Int?, String)])
    func splitsAtTheFirstColonSlash(_ text: String, _ subject: String, _ layer: Int?, _ path: String) throws {
        let place = try Place(parsing: text)
        #expect(place.subject == subject)
        #expect(place.layer == layer)
        #expect(place.path == path)
    }

    @Test(arguments: [":/etc", "#1:/x", "", "app#:/x", "app#one", "app#-1:/", "app#9999999999999999999999:/"])
    func refuses(_ text: String) { #expect(throws: ShaleError.self) { try Place(parsing: text) } }

    @Test(arguments: [
        ("ubuntu:22.04:/etc", "apt", "ubuntu:22.04:/etc/apt"), ("a:/b/c", "..", "a:/b"), ("a:/", "../../x", "a:/x"),
        ("a:/b", "/etc", "a:/etc"), ("a#2:/b", "./c//d", "a#2:/b/c/d"),
    ])
    func goesFromPlaceToPlace(_ place: String, _ word: String, _ found: String) throws {
        let next = try Place(parsing: place).resolving(word)
        #expect("\(next.label):\(next.path.cleanPath)" == found)
    }

    @Test func resolvesWordsFromInside() throws {
        let here = try Place(parsing: "app:/etc")
        #expect(here.resolving("apt").text == "app:/etc/apt")
        #expect(here.resolving("/usr").text == "app:/usr")
        #expect(try Place(parsing: "app").resolving("x").text == "app:/x")
    }

    @Test(arguments: [
        (#"/bin/sh -c #(nop)  CMD ["sh"]"#, #"CMD ["sh"]"#),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("/bin/bash -o pipefail -c make | tee log", "RUN make | tee log"),
        ("|2 A=b c C=d /bin/sh -c make", "RUN make"),
        ("|0 /bin/sh -c make", "RUN make"),
        ("RUN |1 A=b /bin/sh -c make # buildkit", "RUN make"),
        ("RUN /bin/sh -c make # buildkit", "RUN make"),
        ("COPY a b # buildkit", "COPY a b"),
        ("RUN make", "RUN make"),
        ("bazel build //x", "bazel build //x"),
        ("/usr/bin/tool -x -c y", "RUN y"),
        ("|x /bin/sh", "|x /bin/sh"),
        ("", ""),
    ])
    func readsInstructionsBack(_ createdBy: String, _ instruction: String) {
        #expect(InstructionText.instruction(createdBy) == instruction)
    }
}

struct ViewTests {
    /// Three layers over each other: files, links, deletions, an opaque directory.
    static func fixture() throws -> ExplorerFixture {
        let fixture = try ExplorerFixture()
        let image = try fixture.image(
            "app:1",
            [
                .init(
                    "/bin/sh -c #(nop) ADD file:1 in / ",
                    [
                        .directory("etc"), .file("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
                        .file("etc/secret", "s3"),
                        .directory("usr"), .directory("usr/bin"), .file("usr/bin/ls", "\u{7f}ELF"),
                        .symlink("bin", to: "usr/bin"), .symlink("up", to: "../../etc"), .symlink("loop", to: "loop"),
                        .symlink("gone", to: "/nowhere"), .directory("var"), .directory("var/cache"),
                        .file("var/cache/a", "a"), .file("var/cache/b", "bb"),
                    ]),
                .init(#"/bin/sh -c #(nop)  ENV A=b"#),
                .init("/bin/sh -c rm etc/secret", [.directory("etc"), .deletion("etc/secret")]),
                .init(
                    "COPY x / # buildkit",
                    [
                        .directory("var/cache"), .opaque("var/cache"), .file("var/cache/c", "ccc"),
                        .file("etc/passwd", "new\n"),
                    ]),
            ])
        try fixture.container("web", of: image, [("/etc/own", "mine"), ("/etc/passwd", "ours\n")])
        return fixture
    }

    @Test(arguments: [
        ("app:1:/etc", ["passwd"]), ("app:1#1:/etc", ["passwd", "secret"]), ("app:1#2:/etc", ["(secret)"]),
        ("app:1#3:/etc", ["passwd"]), ("app:1:/var/cache", ["c"]), ("app:1#3:/var/cache", ["c"]),
        ("app:1#1:/var/cache", ["a", "b"]), ("app:1:/bin", ["ls"]), ("app:1:/up", ["passwd"]),
        ("app:1:/etc/../bin/.", ["ls"]), ("web:/etc", ["own", "passwd"]), ("app:1#2", ["etc"]),
    ])
    func listsWhatIsThere(_ place: String, _ names: [String]) throws {
        #expect(try Self.fixture().names(place) == names)
    }

    @Test(arguments: [
        ("app:1:/etc/passwd", "new\n"), ("app:1#1:/etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
        ("app:1#1:/etc/secret", "s3"), ("app:1:/up/passwd", "new\n"), ("web:/etc/passwd", "ours\n"),
        ("web:/etc/own", "mine"), ("web:/var/cache/c", "ccc"),
    ])
    func readsFiles(_ place: String, _ text: String) throws { #expect(try Self.fixture().text(place) == text) }

    @Test(arguments: [
        ("app:1:/etc/passwt", "app:1:/etc/passwt: no such file or directory | did you mean app:1:/etc/passwd?"),
        ("app:1:/zzzzzz/x", "app:1:/zzzzzz/x: no such file or directory | ls app:1:/"),
        ("app:1:/etc", "app:1:/etc: is a directory | ls app:1:/etc"),
        ("app:1:/etc/passwd/x", "app:1:/etc/passwd/x: not a directory: /etc/passwd is a file"),
        ("app:1:/loop", "app:1:/loop: too many levels of symbolic links"),
        ("app:1:/gone", "app:1:/gone: no such file or directory: /gone is a link to /nowhere, which is not there"),
        (
            "app:1:/etc/secret",
            "app:1:/etc/secret: no such file or directory | layer 2 deletes it; app:1#1:/etc/secret still has it"
        ),
        (
            "app:1#2:/etc/secret",
            "app:1#2:/etc/secret: this layer deletes it, and has nothing of it | blame app:1:/etc/secret"
        ),
        ("app:1#9:/etc", "app:1#9: no such layer: the image has layers 1 to 3 | layers app:1"),
        ("app:1#0:/etc", "app:1#0: no such layer: the image has layers 1 to 3 | layers app:1"),
        ("nothing:/etc", "No such image: nothing:latest"),
    ])
    func saysWhatIsWrong(_ place: String, _ text: String) throws {
        let fixture = try Self.fixture()
        #expect(failure { _ = try fixture.text(place) } == text)
    }

    @Test func marksWhatALayerHides() throws {
        let fixture = try Self.fixture()
        defer { withExtendedLifetime(fixture) {} }
        let view = try fixture.view("app:1#3")
        #expect(try view.require("/var/cache").isOpaque)
        #expect(try view.require("/etc").isOpaque == false)
    }

    @Test func tellsTheLayerOfEachFile() throws {
        let fixture = try Self.fixture()
        defer { withExtendedLifetime(fixture) {} }
        let image = try fixture.view("app:1")
        #expect(try image.require("/etc/passwd").layer == 3)
        #expect(try image.require("/usr/bin/ls").layer == 1)
        let container = try fixture.view("web")
        #expect(try container.require("/etc/passwd").layer == nil)
        #expect(try container.require("/var/cache/c").layer == 3)
    }

    @Test func anImageWithoutLayersIsAnEmptyTree() throws {
        let fixture = try ExplorerFixture()
        try fixture.image("empty:1", [.init(#"/bin/sh -c #(nop)  CMD ["x"]"#)])
        #expect(try fixture.names("empty:1:/").isEmpty)
        #expect(
            failure { _ = try fixture.text("empty:1:/x") } == "empty:1:/x: no such file or directory | ls empty:1:/")
        #expect(
            failure { _ = try fixture.view("empty:1#1") }
                == "empty:1#1: no such layer: the image has no layers | layers empty:1")
        #expect(try LayerTable(fixture.layers("empty:1")).rows().isEmpty)
    }
}
