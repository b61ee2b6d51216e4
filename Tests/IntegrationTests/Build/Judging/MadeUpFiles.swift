import FoundationEssentials
import Glibc
import TestSupport

/// Files in the place of those that a Dockerfile names: the same for whoever builds it.
extension ContextFolder {
    /// Makes up a file or a directory, whichever the name and its destination suggest; what is there stays.
    func makeUp(_ named: NamedPath) throws {
        var parts: [String] = []
        for part in named.path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(Self.matching(part)) }
        }
        guard let last = parts.last else { return }
        let path = parts.joined(separator: "/")
        if Self.isDirectory(last, named) {
            for inside in ["one.txt", "run.sh", "deep/two"] { try makeUpFile("\(path)/\(inside)", named: inside) }
        } else {
            try makeUpFile(path, named: last)
        }
    }

    /// A name that a pattern matches.
    private static func matching(_ pattern: Substring) -> String {
        String(pattern).replacing(/\[([^\]])[^\]]*\]/) { $0.output.1 }.replacing("**", with: "any")
            .replacing("*", with: "any").replacing("?", with: "x").replacing("\\", with: "")
    }

    private static func isDirectory(_ name: String, _ named: NamedPath) -> Bool {
        if named.path.hasSuffix("/") || name.hasSuffix(".d") { return true }
        if name.contains(".") || name.first?.isUppercase == true { return false }
        if name.contains(/entrypoint|script|bin$|init|file|run|[-_]/) { return false }
        return named.destination.split(separator: "/").last.map(String.init) == name
    }

    private func makeUpFile(_ path: String, named name: String) throws {
        // A directory of that name, or a file where a directory should be, was made up before.
        guard access("\(self.path)/\(path)", F_OK) != 0, (try? makeParent(of: path)) != nil else { return }
        if let option = Self.archives.first(where: { name.hasSuffix($0.key) })?.value {
            try write(Self.archive(option), to: path)
        } else if !name.contains(".") && name.first?.isLowercase == true || name.hasSuffix(".sh") {
            try write(Array("#!/bin/sh\necho \"$0 $*\" >> \(StandIns.log)\n".utf8), to: path, mode: 0o755)
        } else {
            try write(Array("made up for \(name)\n".utf8), to: path)
        }
    }

    private static let archives = [
        ".tar": "", ".tar.gz": "-z", ".tgz": "-z", ".tar.bz2": "-j", ".tar.xz": "-J", ".txz": "-J",
    ]

    private static func archive(_ option: String) throws -> [UInt8] {
        let seed = try ContextFolder(["usr/share/seed/file": "seed\n"])
        let arguments = ["-C", seed.path, "--owner=3", "--group=4", "--mtime=@1700000000", "--sort=name"]
        return try Peers.tar.run(arguments + (option.isEmpty ? [] : [option]) + ["-c", "."]).output
    }
}
