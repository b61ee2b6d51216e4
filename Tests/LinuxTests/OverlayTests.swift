import Basics
import FoundationEssentials
import Glibc
import Linux
import TestSupport
import Testing

@Suite(.enabled(if: Capabilities.effective().contains(.sysAdmin), "mounting needs CAP_SYS_ADMIN"))
struct OverlayTests {
    private let directory = TemporaryDirectory()

    private func folder(_ name: String, files: [String: String] = [:]) throws -> String {
        let path = directory.path + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (file, text) in files { try Data(text.utf8).write(to: URL(filePath: path + "/" + file)) }
        return path
    }

    /// Whether anything of this test's is in the mount table.
    private func isMounted() throws -> Bool {
        String(decoding: try WholeFile.read("/proc/self/mountinfo"), as: UTF8.self).contains(directory.path)
    }

    private func parts(_ lowers: [String], volatile: Bool = false) throws -> OverlayParts {
        OverlayParts(
            lowers: lowers, upper: try folder("upper"), work: try folder("work"), userXattr: UserNamespace.isInside,
            volatile: volatile)
    }

    @Test(arguments: [false, true]) func mergesAndIsNowhere(_ old: Bool) throws {
        let lowers = try [folder("top", files: ["a": "top"]), folder("bottom", files: ["a": "bottom", "b": "b"])]
        do {
            let root = RootDirectory(try Overlay.detached(parts(lowers), usingOldInterface: old))
            #expect(try root.contents(of: "a") == Array("top".utf8))
            #expect(try root.contents(of: "b") == Array("b".utf8))
            try root.open("new", O_CREAT | O_WRONLY, mode: 0o644).write(Array("new".utf8))
            #expect(try !isMounted())
        }
        #expect(try WholeFile.read(directory.path + "/upper/new") == Array("new".utf8))
        #expect(try !isMounted())
    }

    @Test(arguments: [false, true]) func manyLongLayers(_ old: Bool) throws {
        let long = String(repeating: "0123456789", count: 20)
        let lowers = try (0..<120).map { try folder("\(long)/\(long)-\($0)", files: ["f\($0)": "\($0)"]) }
        let root = RootDirectory(try Overlay.detached(parts(lowers), usingOldInterface: old))
        #expect(try root.names(in: "/").count == 120)
    }

    /// A step that repeats an earlier one has the same layer.
    @Test(arguments: [false, true]) func aLayerMayBeThereTwice(_ old: Bool) throws {
        let again = try folder("again", files: ["a": "again", "c": "c"])
        let lowers = try [again, folder("middle", files: ["a": "middle", "b": "b"]), again]
        let root = RootDirectory(try Overlay.detached(parts(lowers), usingOldInterface: old))
        #expect(try root.contents(of: "a") == Array("again".utf8))
        #expect(try root.names(in: "/") == ["a", "b", "c"])
        let alone = RootDirectory(
            try Overlay.detachedMount(lowers: [again, again], upper: nil, work: nil, form: .current))
        #expect(try alone.names(in: "/") == ["a", "c"])
        #expect(throws: SystemCallError.self) { _ = try alone.open("new", O_CREAT | O_WRONLY, mode: 0o644) }
    }

    @Test func withoutUpper() throws {
        let lowers = try [folder("a", files: ["x": "1"]), folder("b", files: ["y": "2"])]
        let root = RootDirectory(
            try Overlay.detachedMount(lowers: lowers, upper: nil, work: nil, form: .current))
        #expect(try root.names(in: "/") == ["x", "y"])
        #expect(throws: SystemCallError.self) { _ = try root.open("new", O_CREAT | O_WRONLY, mode: 0o644) }
    }

    @Test func missingLayerIsOneError() throws {
        let error = #expect(throws: ShaleError.self) {
            _ = try Overlay.detachedMount(lowers: ["/no/such"], upper: nil, work: nil, form: .trusted)
        }
        #expect(error?.code == .notFound)
    }

    @Test func colonsAndCommasInNames() throws {
        let root = RootDirectory(
            try Overlay.detached(parts([folder("a:b,c\\d", files: ["x": "1"])]), usingOldInterface: false))
        #expect(try root.names(in: "/") == ["x"])
        let old = RootDirectory(
            try Overlay.detached(
                OverlayParts(
                    lowers: [folder("a:b,c\\d")], upper: folder("u:,"), work: folder("w:,"),
                    userXattr: UserNamespace.isInside), usingOldInterface: true))
        #expect(try old.names(in: "/") == ["x"])
    }
}

@Suite struct HostTests {
    @Test func findingsAreWhole() {
        let directory = TemporaryDirectory()
        let findings = HostFacts.findings(home: directory.path)
        #expect(
            findings.map(\.subject) == [
                "kernel", "privileges", "user namespaces", "subordinate ids", "overlay", "seccomp",
            ])
        for finding in findings where finding.verdict == .missing {
            #expect(finding.advice != nil || !finding.detail.isEmpty)
        }
        #expect((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) == [])
    }

    @Test func idMaps() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/subuid"
        #expect(UserNamespace.idMap(own: 5, file: path) == nil)
        let text = "other:1:2\n\(geteuid()):100000:65536\nbad\n\(geteuid()):x:1\n\(geteuid()):300000:10\n"
        try Data(text.utf8).write(to: URL(filePath: path))
        #expect(
            UserNamespace.idMap(own: 5, file: path) == ["0", "5", "1", "1", "100000", "65536", "65537", "300000", "10"])
    }
}
