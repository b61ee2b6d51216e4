import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

@Suite struct JSONReaderTests {
    @Test(arguments: [
        ("null", JSONDocument.null), (" true ", .bool(true)), ("-12", .integer(-12)), ("1.5e2", .number(150)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("[]", .array([])), ("{}", .object([])),
        ("\"a\\u00e9\\n\\\"\\/\"", .string("aé\n\"/")), ("\"\\ud83d\\ude00\"", .string("😀")),
        ("\"\\ud83d\"", .string("\u{FFFD}")), ("\"\\ud83dx\"", .string("\u{FFFD}x")), ("\"\\u0000\"", .string("\0")),
        ("[1,[2]]", .array([.integer(1), .array([.integer(2)])])),
        ("{\"b\":1,\"a\":2}", .object([.init("b", 1), .init("a", 2)])),
        ("{\"a\":1,\"a\":2}", .object([.init("a", 2)])), ("\u{FEFF}1", .integer(1)),
    ])
    func valuesAreRead(_ text: String, _ expected: JSONDocument) throws {
        #expect(try JSONDocument(parsing: Array(text.utf8), naming: "x") == expected)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "01", "-", "1.", "1e", ".5", "+1", "\"", "\"\\x\"", "\"\\u12\"", "\"\n\"", "[1,]",
        "[1 2]",
        "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "1 2", "[", "{", "NaN", "'a'",
    ])
    func malformedTextIsRefused(_ text: String) {
        #expect { try JSONDocument(parsing: Array(text.utf8), naming: "x") } throws: {
            ($0 as? ShaleError)?.message == "x: not valid JSON"
        }
    }

    @Test func nestingIsBounded() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: ShaleError.self) { try JSONDocument(parsing: Array(deep.utf8), naming: "x") }
    }

    @Test func bytesThatAreNoTextAreReplaced() throws {
        let bytes: [UInt8] = [0x22, 0xFF, 0x61, 0x22]
        #expect(try JSONDocument(parsing: bytes, naming: "x") == .string("\u{FFFD}a"))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let document: JSONDocument = .members([
            "text": "a\"\\\u{1}\u{2028}é😀", "list": [1, .null, .bool(false)], "empty": .object([]),
        ])
        for indent in [nil, 4] {
            #expect(try JSONDocument(parsing: Array(document.text(indent: indent).utf8), naming: "x") == document)
        }
    }
}

@Suite struct DocumentTests {
    private static let digest = "sha256:" + String(repeating: "ab", count: 32)
    private static let config = descriptor(MediaType.ociConfig)
    private static let layer = descriptor(MediaType.ociLayerGzip)

    private static func descriptor(_ type: String, size: String = "3") -> String {
        "{\"mediaType\":\"\(type)\",\"digest\":\"\(digest)\",\"size\":\(size)}"
    }

    @Test(arguments: [
        ("[]", "manifest", "not an object"),
        ("{}", "manifest: schemaVersion", "missing"),
        ("{\"schemaVersion\":3}", "manifest: schemaVersion", "not 2 but 3"),
        ("{\"schemaVersion\":2,\"manifests\":[]}", "manifest: manifests", "this is a list of manifests"),
        ("{\"schemaVersion\":2,\"layers\":[]}", "manifest: config", "missing"),
        ("{\"schemaVersion\":2,\"config\":\(config)}", "manifest: layers", "missing"),
        ("{\"schemaVersion\":2,\"config\":\(config),\"layers\":[7]}", "manifest: layers[0]", "not an object"),
        (
            "{\"schemaVersion\":2,\"config\":\(config),\"layers\":[\(descriptor("a/b", size: "-1"))]}",
            "manifest: layers[0]: size", "negative"
        ),
        (
            "{\"schemaVersion\":2,\"config\":\(config),\"layers\":[\(descriptor("ab"))]}",
            "manifest: layers[0]: mediaType", "not a media type"
        ),
    ])
    func damageIsNamed(_ text: String, _ message: String, _ cause: String) {
        #expect { try OCIDocument.read(Manifest.self, from: Array(text.utf8), naming: "manifest") } throws: {
            let error = $0 as? ShaleError
            return error?.message == message && error?.cause?.hasPrefix(cause) == true && error?.code == .corrupt
        }
    }

    @Test(arguments: [
        (config, layer, nil as String?),
        (descriptor("application/vnd.cncf.helm.config.v1+json"), layer, "m: config: unsupported media type"),
        (config, descriptor("text/plain"), "m: layers[0]: unsupported media type text/plain"),
    ])
    func whatIsNoImageIsRefused(_ config: String, _ layer: String, _ message: String?) throws {
        let text = "{\"schemaVersion\":2,\"config\":\(config),\"layers\":[\(layer)]}"
        let manifest = try OCIDocument.read(Manifest.self, from: Array(text.utf8), naming: "m")
        guard let message else { return try manifest.validate(naming: "m") }
        #expect { try manifest.validate(naming: "m") } throws: {
            ($0 as? ShaleError)?.message.hasPrefix(message) == true && ($0 as? ShaleError)?.code == .unsupported
        }
    }

    @Test func aConfigMustFitItsManifest() throws {
        let digest = try Digest(parsing: Self.digest)
        let layer = Descriptor(mediaType: MediaType.ociLayer, digest: digest, size: 1)
        let manifest = Manifest(
            config: Descriptor(mediaType: MediaType.ociConfig, digest: digest, size: 1), layers: [layer])
        var config = ImageConfig()
        config.rootfs.diffIDs = [digest]
        try config.validate(for: manifest, naming: "c")
        config.rootfs.diffIDs = []
        #expect(throws: ShaleError.self) { try config.validate(for: manifest, naming: "c") }
        config.rootfs.diffIDs = [digest]
        config.history = [History(created: nil, createdBy: nil), History(created: nil, createdBy: nil)]
        #expect(throws: ShaleError.self) { try config.validate(for: manifest, naming: "c") }
        config.history = nil
        config.os = "windows"
        #expect(throws: ShaleError.self) { try config.validate(for: manifest, naming: "c") }
    }

    @Test func documentsSurviveBothWritersAndBothReaders() throws {
        let text = """
            {"created":"2020-01-01T00:00:00.5Z","architecture":"arm64","variant":"v8","os":"linux","config":{"User":"a",
            "ExposedPorts":{"80/tcp":{}},"Env":["A=b"],"Entrypoint":["x"],"Cmd":null,"Volumes":{"/v":{}},
            "WorkingDir":"/w","Labels":{"k":"v"},"StopSignal":"SIGINT","Healthcheck":{"Test":["NONE"],"Interval":5},
            "OnBuild":["RUN x"],"Shell":["sh"],"ArgsEscaped":true},"rootfs":{"type":"layers","diff_ids":["\(Self.digest)"]},
            "history":[{"created":"2020-01-01T00:00:00Z","created_by":"x","empty_layer":true,"comment":"c"}]}
            """
        let data = Data(text.utf8)
        let ours = try OCIDocument.read(ImageConfig.self, from: data, naming: "config")
        let theirs = try JSONDecoder().decode(ImageConfig.self, from: data)
        #expect(ours == theirs)
        #expect(try OCIDocument.read(ImageConfig.self, from: OCIDocument.encode(ours), naming: "config") == ours)
        let index = Index(manifests: [Descriptor(mediaType: "a/b", digest: try Digest(parsing: Self.digest), size: 1)])
        let bytes = Array(index.document.text().utf8)
        #expect(try OCIDocument.read(Index.self, from: bytes, naming: "index") == index)
        #expect(try JSONDecoder().decode(Index.self, from: Data(bytes)) == index)
    }
}

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct SpecificationCorpusTests {
    /// Rows this engine judges otherwise on purpose.
    private static let known: [String: String] = [
        "TestDescriptor-21": "digest algorithms that nobody here can check are refused",
        "TestDescriptor-23": "digest algorithms that nobody here can check are refused",
        "TestDescriptor-28": "digest algorithms that nobody here can check are refused",
        "TestManifest-5": "an image FROM scratch without files has no layers, and docker runs it",
        "TestConfig-9": "Env entries without = occur, and docker passes them on",
    ]

    @Test(arguments: ["oci-spec/schema-cases.json", "oci-spec/spec-examples.json"])
    func documents(_ path: String) throws {
        let rows = try Corpus.rows(path)
        var right = 0
        var wrong: [String] = []
        for row in rows {
            let id = row["id"]?.string ?? ""
            let isValid = (try? read(row)) != nil
            if isValid == row["valid"]?.bool { right += 1 } else { wrong.append(id) }
        }
        Corpus.score(path, right, of: rows.count)
        let unexpected = wrong.filter { Self.known[$0] == nil }
        #expect(unexpected.isEmpty)
    }

    private func read(_ row: JSONValue) throws {
        let bytes = Array((row["json"]?.string ?? "").utf8)
        let kind = row["kind"]?.string ?? row["media_type"]?.string ?? ""
        switch kind {
        case _ where kind.hasPrefix("descriptor") || kind.contains("oci.descriptor"):
            let value = try OCIDocument.read(Descriptor.self, from: bytes, naming: kind)
            try value.validate(naming: kind)
        case _ where kind.hasPrefix("image index") || kind.contains("image.index"):
            try OCIDocument.read(Index.self, from: bytes, naming: kind).validate(naming: kind)
        case _ where kind.hasPrefix("image manifest") || kind.contains("image.manifest"):
            _ = try OCIDocument.read(Manifest.self, from: bytes, naming: kind)
        case _ where kind.hasPrefix("config") || kind.contains("image.config"):
            _ = try OCIDocument.read(ImageConfig.self, from: bytes, naming: kind)
        default:
            let document = try JSONDocument(parsing: bytes, naming: kind)
            guard document["imageLayoutVersion"]?.string != nil else { throw ShaleError(.corrupt, kind) }
        }
    }

    @Test func chainIDs() throws {
        // The rows' digests are letters, so only the rule is checked: the recorded text hashed as the rule says.
        let rows = try Corpus.rows("oci-spec/chain-ids.json")
        let passed = rows.count { row in
            let diffIDs = row["diff_ids"]?.strings ?? []
            var chain: [String] = []
            for diffID in diffIDs {
                chain.append(chain.last.map { Digest.of("\($0) \(diffID)".utf8).description } ?? diffID)
            }
            return chain == row["chain_ids"]?.strings
        }
        Corpus.score("oci-spec chain-ids", passed, of: rows.count)
        #expect(passed == rows.count)
        let digests = ["a", "b", "c"].map { Digest.of($0.utf8) }
        let two = Digest.of("\(digests[0]) \(digests[1])".utf8)
        #expect(Digest.chainID([]) == nil)
        #expect(Digest.chainID(digests[..<1]) == digests[0])
        #expect(Digest.chainID(digests[..<2]) == two)
        #expect(Digest.chainID(digests) == Digest.of("\(two) \(digests[2])".utf8))
    }
}

@Suite struct DigestTests {
    @Test(arguments: [
        ("sha256", "invalid checksum digest format"), (":", "unsupported digest algorithm"),
        ("sha256:ab", "invalid checksum digest length"), ("md5:ab", "unsupported digest algorithm"),
        ("sha256:" + String(repeating: "G", count: 64), "invalid checksum digest format"),
        ("sha256:" + String(repeating: "A", count: 64), "invalid checksum digest format"),
        ("", "invalid checksum digest format"),
    ])
    func malformedDigestsAreRefused(_ text: String, _ words: String) {
        #expect { try Digest(parsing: text) } throws: { ($0 as? ShaleError)?.message == words }
    }

    @Test func hashingInPiecesIsHashingAtOnce() {
        var hasher = DigestHasher()
        hasher.update(Array("hel".utf8))
        hasher.update(Array("lo".utf8))
        #expect(hasher.digest() == Digest.of("hello".utf8))
        #expect(hasher.count == 5)
        #expect(
            Digest.of("".utf8).description
                == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}
