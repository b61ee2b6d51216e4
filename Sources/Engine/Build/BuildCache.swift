import Basics
import FoundationEssentials
import Glibc
import Linux
package import OCI
import Stores

/// What was built before: for each parent image, each step taken on it and the image that came of it.
///
/// One small file a step, `cache/build/<parent>/<key>.json`. The key is docker's: parent, instruction as it goes into
/// history (build arguments included), and for files their content, mode and owner, never their times.
struct BuildCache: Sendable {
    let folder: String

    /// One step taken before.
    struct Record: Codable, Sendable {
        var image: Digest
        /// The instruction as written, to find the step again when its inputs differ.
        var instruction: String
        /// The instruction as it stands in the history.
        var createdBy: String
        /// What COPY and ADD read: path to digest of content, mode and owner.
        var files: [String: String]?
        var summary: StepSummary
        var made: Timestamp
    }

    static func key(parent: Digest?, step: String) -> Digest {
        Digest.of("\(parent?.description ?? "scratch")\n\(step)".utf8)
    }

    func find(parent: Digest?, key: Digest) -> Record? {
        guard let bytes = try? WholeFile.read(path(parent, key)) else { return nil }
        return try? JSONDecoder().decode(Record.self, from: Data(bytes))
    }

    func keep(_ record: Record, parent: Digest?, key: Digest) throws(ShaleError) {
        do throws(SystemCallError) {
            for folder in [self.folder, folder(of: parent)] where mkdir(folder, 0o700) == -1 && errno != EEXIST {
                throw SystemCallError("mkdir", path: folder)
            }
            try WholeFile.replace(path(parent, key), with: Array(OCIDocument.encode(record)), durable: false)
        } catch let error as SystemCallError {
            throw error.shaleError("build cache")
        }
    }

    /// Why a step that was taken on this parent before is not the same now; `nil` where none was.
    func reasonForMiss(parent: Digest?, instruction: String, files: [String: String]?) -> String? {
        let records = records(of: parent)
        if let earlier = records.first(where: { $0.instruction == instruction }) {
            if let before = earlier.files, let now = files { return Self.difference(before, now) }
            return "build arguments changed"
        }
        let keyword = instruction.prefix { $0 != " " }
        guard let earlier = records.first(where: { $0.instruction.hasPrefix("\(keyword) ") }) else { return nil }
        return "instruction changed, it was: \(earlier.instruction)"
    }

    /// The steps taken on a parent, the last one first.
    private func records(of parent: Digest?) -> [Record] {
        guard let root = try? RootDirectory(hostPath: folder(of: parent)), let names = try? root.names(in: "/") else {
            return []
        }
        return names.compactMap { name in
            (try? root.contents(of: name)).flatMap { try? JSONDecoder().decode(Record.self, from: Data($0)) }
        }
        .sorted { $0.made > $1.made }
    }

    private static func difference(_ before: [String: String], _ now: [String: String]) -> String {
        for path in now.keys.sorted() where before[path] != now[path] {
            guard let old = before[path] else { return "\(path) is new" }
            return "\(path) changed (\(attribute(old, now[path] ?? "")))"
        }
        let gone = before.keys.filter { now[$0] == nil }.sorted()
        return gone.first.map { "\($0) is gone" } ?? "the files are the same, their destination or owner changed"
    }

    /// Entries read `kind mode owner content`.
    private static func attribute(_ old: String, _ new: String) -> String {
        let names = ["type", "mode", "owner", "content"]
        let pairs = zip(old.split(separator: " "), new.split(separator: " "))
        let position = pairs.enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 3
        return names[min(position, names.count - 1)]
    }

    private func folder(of parent: Digest?) -> String { "\(folder)/\(parent?.hex ?? "scratch")" }
    private func path(_ parent: Digest?, _ key: Digest) -> String { "\(folder(of: parent))/\(key.hex).json" }
}
