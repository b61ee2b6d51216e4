import FoundationEssentials
import Glibc
import TestSupport

/// Files of a build context, written under a folder of their own.
struct ContextFolder {
    let folder = TemporaryDirectory()
    var path: String { folder.path }

    init(_ files: [String: String] = [:]) throws {
        for (name, content) in files { try write(Array(content.utf8), to: name) }
    }

    func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) throws {
        let file = "\(path)/\(name)"
        try makeParent(of: name)
        try Data(bytes).write(to: URL(filePath: file))
        chmod(file, mode)
    }

    func makeParent(of name: String) throws {
        let parent = name.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "\(path)/\(parent)", withIntermediateDirectories: true)
    }
}
