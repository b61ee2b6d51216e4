import Basics
import OCI
import Stores
import TestSupport
import Testing

@testable import Images

@Suite struct NamesTests {
    @Test func aTagMovesAndTellsFromWhere() throws {
        let fixture = try SaveLoadTests.filled(tag: "ubuntu:22.04")
        let images = fixture.images
        let image = try images.image(named: "ubuntu:22.04")
        let change = try images.tag("ubuntu:22.04", as: ImageEngine.target("fav_distro:jammy_jellyfish"))
        #expect(change.before == nil)
        #expect(change.after == image.id)
        #expect(try images.image(named: "fav_distro:jammy_jellyfish").id == image.id)
        #expect(try images.image(named: image.id.short).references.count == 2)
        let gone = try images.untag(Reference(parsing: "ubuntu:22.04"))
        #expect(gone.before == image.id)
        _ = try images.untag(Reference(parsing: "fav_distro:jammy_jellyfish"))
        #expect(try images.image(named: image.id.hex).references.isEmpty)
    }

    static let refused: [(text: String, words: String)] = [
        (
            "busybox:latest@sha256:\(String(repeating: "a", count: 64))",
            "refusing to create a tag with a digest reference"
        ),
        ("sha256:latest", "refusing to create an ambiguous tag using digest algorithm as name"),
        ("UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"),
        ("x:y:z", "invalid reference format"),
    ]

    @Test(arguments: refused.map(\.text)) func someNamesAreRefused(_ text: String) throws {
        let error = #expect(throws: ShaleError.self) { try ImageEngine.target(text) }
        #expect(error?.description == Self.refused.first { $0.text == text }?.words)
    }

    @Test func whatIsNotHereIsSaidInDockersWords() throws {
        let fixture = try SaveLoadTests.filled(tag: "ubuntu:22.04")
        let error = #expect(throws: ShaleError.self) { try fixture.images.image(named: "ubuntu:22.40") }
        #expect(error?.description == "No such image: ubuntu:22.40")
        #expect(error?.hint == "did you mean ubuntu:22.04?")
        let source = #expect(throws: ShaleError.self) {
            try fixture.images.tag("foo", as: Reference(parsing: "bar"))
        }
        #expect(source?.description == "No such image: foo:latest")
    }
}

@Suite struct ImageFilterTests {
    static let wrong: [(text: String, words: String, code: ShaleError.Code)] = [
        ("FOO=123", "Invalid filter 'foo'", .invalid),
        ("dangling=invalid", "Invalid filter 'dangling=[invalid]'", .invalid),
        (
            "nokey",
            "invalid argument \"nokey\" for \"-f, --filter\" flag: bad format of filter (expected name=value)", .usage
        ),
        ("reference=[", "syntax error in pattern", .invalid),
    ]

    @Test(arguments: wrong.map(\.text)) func wrongFiltersAreNamed(_ text: String) throws {
        let error = #expect(throws: ShaleError.self) { try ImageFilter(parsing: [text]) }
        let row = Self.wrong.first { $0.text == text }
        #expect(error?.description == row?.words)
        #expect(error?.code == row?.code)
    }

    @Test(arguments: ["dangling=true", "Dangling=true", " dangling=true", "dangling = true", "dangling=1"])
    func namesIgnoreCaseAndSpaces(_ text: String) throws {
        #expect(try ImageFilter(parsing: [text]).isDangling == true)
    }

    @Test func filtersChooseImages() throws {
        let registry = try StaticRegistry()
        for number in 1...3 {
            try registry.image([SmallImage.tar([.init("n", "\(number)")])], tag: "\(number)") { _, config in
                config.created = Timestamp(seconds: 1_700_000_000 + Int64(number))
                config.config?.labels = ["number": "\(number)", "any": ""]
            }
        }
        let fixture = try ImageFixture()
        for number in 1...3 {
            _ = try fixture.images.pull(registry.reference("app:\(number)"), platform: nil, RecordedOperation().context)
        }
        let name = "\(registry.host)/app"
        let tags = { (filters: [String]) throws in
            try fixture.images.list(ImageFilter(parsing: filters)).compactMap { $0.references.first?.tag }
        }
        #expect(try tags([]) == ["3", "2", "1"])
        #expect(try tags(["since=\(name):1"]) == ["3", "2"])
        #expect(try tags(["before=\(name):3"]) == ["2", "1"])
        #expect(try tags(["since=\(name):1", "before=\(name):3"]) == ["2"])
        #expect(try tags(["label=number=2"]) == ["2"])
        #expect(try tags(["label=any", "label=number"]) == ["3", "2", "1"])
        #expect(try tags(["label=none"]) == [])
        #expect(try tags(["reference=\(name):[12]"]) == ["2", "1"])
        #expect(try tags(["reference=\(name):1", "reference=*:3"]) == ["1"])
        #expect(try tags(["reference=\(name)"]) == ["3", "2", "1"])
        #expect(try tags(["dangling=true"]) == [])
        #expect(try tags(["until=2023-11-14T22:13:22Z"]) == ["1"])
        let error = #expect(throws: ShaleError.self) { try tags(["since=nosuch"]) }
        #expect(error?.message == "No such image: nosuch:latest")
        _ = try fixture.images.untag(registry.reference("app:2"))
        #expect(try fixture.images.list(ImageFilter(parsing: ["dangling=true"])).isEmpty)
    }
}

@Suite struct ImageDocumentTests {
    @Test func theKeysAreDockersInDockersOrder() throws {
        let fixture = try SaveLoadTests.filled()
        let document = try fixture.images.document(of: fixture.images.image(named: "small:1"))
        guard case .object(let members) = document, case .object(let config)? = document["Config"] else {
            Issue.record("no object")
            return
        }
        #expect(
            members.map(\.key) == [
                "Id", "RepoTags", "RepoDigests", "Parent", "Comment", "Created", "DockerVersion", "Author", "Config",
                "Architecture", "Os", "Size", "GraphDriver", "RootFS", "Metadata",
            ])
        #expect(
            config.map(\.key) == [
                "Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin",
                "StdinOnce", "Env", "Cmd", "Image", "Volumes", "WorkingDir", "Entrypoint", "OnBuild", "Labels",
            ])
        #expect(document["RepoTags"]?.array == ["small:1"])
        #expect(document["Size"] == .integer(11))
        #expect(document["Config"]?["Cmd"]?.array == ["sh"])
        #expect(document["Config"]?["Entrypoint"] == .null)
    }

    @Test func theHistoryIsNewestFirst() throws {
        let fixture = try SaveLoadTests.filled()
        let image = try fixture.images.image(named: "small:1")
        let rows = try fixture.images.history(of: image, countingFiles: true)
        #expect(rows.map(\.createdBy) == ["COPY layer 1", "COPY layer 0"])
        #expect(rows.map(\.image) == [image.id, nil])
        #expect(rows.map(\.size) == [5, 6])
        #expect(rows.compactMap(\.layer?.number) == [2, 1])
        #expect(rows.compactMap(\.layer?.files) == [1, 2])
    }
}
