import Basics
import Glibc
import Linux
import TestSupport
import Testing

@Suite("files below a root")
struct FilesTests {
    private func root(_ folder: TemporaryDirectory) throws -> RootDirectory { try RootDirectory(hostPath: folder.path) }

    @Test(
        "names of any bytes come back as they were",
        arguments: [
            [0x61], [0xC3, 0xA9], [0x65, 0xCC, 0x81], [0xE9], [0xFF, 0xFE], [0xF4, 0x8F, 0xBE, 0x80],
            [0xF0, 0x9F, 0x8D],
            [0x61, 0x80, 0x62], [0x20, 0x0A, 0x5C],
            // U+10FF2E twice: once the text for "..".
            [0xF4, 0x8F, 0xBC, 0xAE, 0xF4, 0x8F, 0xBC, 0xAE], [0xF4, 0x8F, 0xBC, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
            [0xF4],
        ] as [[UInt8]])
    func names(bytes: [UInt8]) throws {
        let folder = TemporaryDirectory()
        let root = try root(folder)
        let name = String(pathBytes: bytes)
        #expect(name.pathBytes == bytes)
        _ = try root.descriptor.open(name, O_CREAT | O_WRONLY, mode: 0o600)
        #expect(try root.names(in: "/").map(\.pathBytes) == [bytes])
        try root.descriptor.unlink(name)
    }

    /// Their entries fill the C library's buffer to its end, where an entry is shorter than its longest name.
    @Test("a directory of many short and long names is read whole", arguments: [1, 3, 7, 100, 255])
    func manyEntries(length: Int) throws {
        let folder = TemporaryDirectory()
        let root = try root(folder)
        let made = (0..<3000).map { number in
            let digits = String(number, radix: 36)
            return digits + String(repeating: "_", count: max(0, length - digits.count))
        }
        for name in made { _ = try root.descriptor.open(name, O_CREAT | O_WRONLY, mode: 0o600) }
        try root.descriptor.makeSymlink("~link", to: "nowhere")
        let entries = try DirectoryEntries.entries(of: root.open("/", O_RDONLY | O_DIRECTORY))
        #expect(Set(entries.map(\.name)) == Set(made + ["~link"]))
        #expect(entries.filter { $0.kind == .symlink }.map(\.name) == ["~link"])
        #expect(entries.filter { $0.kind == .regular }.count == made.count)
        #expect(try DirectoryEntries.entries(of: root.open("/", O_RDONLY | O_DIRECTORY), most: 10).count == 10)
    }

    @Test("nothing leaves the root", arguments: ["up/passwd", "../../etc/passwd", "abs/passwd", "up/../../etc/passwd"])
    func contained(path: String) throws {
        let folder = TemporaryDirectory()
        let root = try root(folder)
        try root.descriptor.makeSymlink("up", to: "../../../../../../etc")
        try root.descriptor.makeSymlink("abs", to: "/etc")
        do {
            _ = try root.open(path, O_RDONLY)
            Issue.record("opened")
        } catch {
            #expect(error.errno == ENOENT)
        }
        try root.makeDirectories("etc")
        _ = try root.open("etc/passwd", O_CREAT | O_WRONLY, mode: 0o600).write(Array("inside".utf8))
        #expect(try root.contents(of: path) == Array("inside".utf8))
    }

    @Test("a literal path has no link in it")
    func literal() throws {
        let folder = TemporaryDirectory()
        let root = try root(folder)
        try root.makeDirectories("a/b")
        try root.descriptor.makeSymlink("l", to: "a")
        let status = try FileStatus.of(root.directory("/a/b"))
        #expect(status.kind == .directory)
        for path in ["l", "l/b"] {
            do {
                _ = try root.directory(path)
                Issue.record("opened \(path)")
            } catch {
                #expect(error.errno == ELOOP || error.errno == ENOTDIR)
            }
        }
    }

    @Test("attributes of files and of names, empty and large ones")
    func attributes() throws {
        let folder = TemporaryDirectory()
        let root = try root(folder)
        let file = try root.descriptor.open("f", O_CREAT | O_RDWR, mode: 0o600)
        try ExtendedAttributes.set("user.a", to: [1, 0, 255], of: file)
        try ExtendedAttributes.set("user.empty", to: [], of: "f", in: root.descriptor)
        let large = [UInt8](repeating: 7, count: 2000)
        try ExtendedAttributes.set("user.large", to: large, of: file)
        let names = try ExtendedAttributes.names(of: file)
        #expect(names.sorted() == ["user.a", "user.empty", "user.large"])
        #expect(try ExtendedAttributes.value("user.a", of: "f", in: root.descriptor) == [1, 0, 255])
        for (name, expected) in [("user.empty", []), ("user.large", large), ("user.none", nil)] as [(String, [UInt8]?)]
        {
            let value = try ExtendedAttributes.value(name, of: file)
            #expect(value == expected)
        }
        try ExtendedAttributes.remove("user.a", of: "f", in: root.descriptor)
        try ExtendedAttributes.remove("user.a", of: file)
        #expect(try ExtendedAttributes.names(of: "f", in: root.descriptor).count == 2)
        try root.descriptor.makeSymlink("l", to: "f")
        #expect(try ExtendedAttributes.names(of: "l", in: root.descriptor).isEmpty)
    }

    @Test("a tree is removed whatever its depth and modes, and nothing a link points to")
    func removal() throws {
        let (folder, other) = (TemporaryDirectory(), TemporaryDirectory())
        let root = try root(folder)
        _ = try RootDirectory(hostPath: other.path).open("keep", O_CREAT | O_WRONLY, mode: 0o600)
        // Deeper than a path can be long.
        try root.makeDirectories("t")
        var here = try root.directory("t")
        for depth in 0..<3000 {
            try here.makeDirectory("dddd", mode: 0o700)
            if depth.isMultiple(of: 100) {
                try here.makeSymlink("out", to: other.path)
                _ = try here.open("f", O_CREAT | O_WRONLY, mode: 0o400)
            }
            here = try here.open("dddd", O_RDONLY | O_DIRECTORY)
        }
        for index in 0..<300 { try root.makeDirectories("t/wide/\(index)/x") }
        try root.descriptor.changeMode(of: "t", 0)
        try TreeRemoval.remove("t", in: root.descriptor)
        try TreeRemoval.remove("t", in: root.descriptor)
        #expect(try root.names(in: "/").isEmpty)
        #expect(try RootDirectory(hostPath: other.path).names(in: "/") == ["keep"])
    }

    @Test("a copy has the bytes and keeps holes")
    func copying() throws {
        let folder = TemporaryDirectory()
        let root = try root(folder)
        let source = try root.descriptor.open("a", O_CREAT | O_RDWR, mode: 0o600)
        try source.truncate(to: 5 << 20)
        for offset: Int64 in [0, 1 << 20, (3 << 20) + 17] {
            _ = pwrite(source.raw, [UInt8](repeating: 9, count: 70_000), 70_000, off_t(offset))
        }
        let target = try root.descriptor.open("b", O_CREAT | O_RDWR, mode: 0o600)
        try FileCopying.copy(from: source, to: target)
        #expect(try root.contents(of: "a") == root.contents(of: "b"))
        let status = try FileStatus.of(target)
        #expect(status.blocks < 2000)
        // A copy tells its bytes, and ends where that throws.
        let dense = try root.descriptor.open("c", O_CREAT | O_RDWR, mode: 0o600)
        _ = pwrite(dense.raw, [UInt8](repeating: 9, count: 70_000), 70_000, 0)
        var bytes: Int64 = 0
        let copy = try root.descriptor.open("d", O_CREAT | O_RDWR, mode: 0o600)
        try FileCopying.copy(from: dense, to: copy) { bytes += $0 }
        #expect(bytes == 70_000)
        #expect(throws: SystemCallError.self) {
            try FileCopying.copy(from: dense, to: copy) { _ throws(SystemCallError) in
                throw SystemCallError("copy", errno: ECANCELED)
            }
        }
    }

    @Test("the overlay form follows the id map")
    func overlayForm() throws {
        #expect(OverlayForm.trusted.xattrName("opaque") == "trusted.overlay.opaque")
        #expect(OverlayForm.user.xattrName("opaque") == "user.overlay.opaque")
        let folder = TemporaryDirectory()
        let root = try root(folder)
        var marks = [OverlayForm.current.isOpaque(root.descriptor)]
        try OverlayForm.current.setOpaque(root.descriptor)
        marks.append(OverlayForm.current.isOpaque(root.descriptor))
        try OverlayForm.current.removeOpaque(root.descriptor)
        marks.append(OverlayForm.current.isOpaque(root.descriptor))
        #expect(marks == [false, true, false])
    }
}
