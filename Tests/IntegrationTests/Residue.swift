import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What shale could leave behind.
extension ShaleHome {
    /// Fails the test unless the store is whole and the everyday commands work.
    func expectWhole(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for arguments in [["images"], ["ps", "-a"], ["system", "check"]] {
            let said = try sh("shale " + arguments.joined(separator: " "))
            #expect(said.status == 0, "\(what): \(arguments): \(said)", sourceLocation: sourceLocation)
        }
        // Whatever is listed can be looked at.
        let each = try sh("ids=$(shale images -aq --no-trunc; shale ps -aq); test -z \"$ids\" || shale inspect $ids")
        #expect(each.status == 0, "\(what): \(each)", sourceLocation: sourceLocation)
    }

    /// Mounts and processes that still have to do with this home, after a while of grace.
    func residue(within seconds: Double = 30) -> [String] {
        let deadline = Waiting.now() + seconds
        while true {
            let found = Self.mounts(below: home) + processes()
            if found.isEmpty || Waiting.now() > deadline { return found }
            usleep(50_000)
        }
    }

    /// Mounts of the tests' own mount namespace on this path or below it.
    static func mounts(below path: String) -> [String] {
        let table = (try? WholeText.read("/proc/self/mountinfo")) ?? ""
        return table.split(separator: "\n").map(String.init).filter { $0.contains(path + "/") }.map { "mount: \($0)" }
    }

    /// Processes that hold something below the home, have it in their environment, or see it mounted.
    private func processes() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { $0 != getpid() }.compactMap { pid -> String? in
            let status = (try? WholeText.read("/proc/\(pid)/stat")) ?? ""
            guard let state = status.split(separator: ")").last?.first(where: { $0 != " " }), state != "Z" else {
                return nil
            }
            let reasons = ["environ", "mountinfo"].filter { file in
                ((try? WholeText.read("/proc/\(pid)/\(file)")) ?? "").contains(home)
            }
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
            let held = files.compactMap { Self.link("/proc/\(pid)/fd/\($0)") }.filter { $0.hasPrefix(home) }
            guard !reasons.isEmpty || !held.isEmpty else { return nil }
            let name = (try? WholeText.read("/proc/\(pid)/comm")) ?? "?"
            return "process \(pid) \(name.filter { $0 != "\n" }): \(reasons + held)"
        }
    }

    static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink(path, $0.assumingMemoryBound(to: CChar.self), bytes.count) } ?? -1
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    /// Control groups with one of these ids in their names.
    static func controlGroups(of ids: [String]) throws -> [String] {
        let found = try Peer("find").run(["/sys/fs/cgroup", "-type", "d"], expecting: nil).text
        return found.split(separator: "\n").map(String.init).filter { path in
            ids.contains { path.contains($0.prefix(12)) }
        }
    }

    /// Sockets below the home.
    func sockets() throws -> [String] {
        try Peer("find").run([home, "-type", "s"], expecting: nil).text.split(separator: "\n").map(String.init)
    }
}
