import Basics
import FoundationEssentials
import OCI
import Stores

/// What was built before: for each parent image, each step taken on it and the image that came of it.
///
/// The key is docker's: parent, instruction as it goes into history (build arguments included), and for files their
/// content, mode and owner, never their times.
struct BuildCache: Sendable {
    let store: CacheStore

    /// How many steps on one parent are remembered for telling why a later one differs.
    private static let remembered = 16

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

    func find(_ key: Digest) -> Record? {
        store.value(.build, key).flatMap { try? JSONDecoder().decode(Record.self, from: Data($0)) }
    }

    func keep(_ record: Record, parent: Digest?, key: Digest) throws(ShaleError) {
        try store.set(.build, key, to: Array(OCIDocument.encode(record)))
        let keys = [key] + self.keys(on: parent).filter { $0 != key }
        let text = keys.prefix(Self.remembered).map { "\($0)\n" }.joined()
        try store.set(.build, Self.listKey(parent), to: Array(text.utf8))
    }

    private static func listKey(_ parent: Digest?) -> Digest {
        Digest.of("steps on \(parent?.description ?? "scratch")".utf8)
    }

    /// The keys of the steps taken on a parent, the last one first.
    private func keys(on parent: Digest?) -> [Digest] {
        let text = String(decoding: store.value(.build, Self.listKey(parent)) ?? [], as: UTF8.self)
        return text.split(separator: "\n").compactMap { try? Digest(parsing: String($0)) }
    }

    /// Why a step that was taken on this parent before is not the same now; `nil` where none was.
    func reasonForMiss(parent: Digest?, instruction: String, files: [String: String]?) -> String? {
        let records = keys(on: parent).compactMap { find($0) }
        if let earlier = records.first(where: { $0.instruction == instruction }) {
            if let before = earlier.files, let now = files { return Self.difference(before, now) }
            return "build arguments changed"
        }
        let keyword = instruction.prefix { $0 != " " }
        guard let earlier = records.first(where: { $0.instruction.hasPrefix("\(keyword) ") }) else { return nil }
        return "instruction changed, it was: \(earlier.instruction)"
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
        let pairs = zip(names, zip(old.split(separator: " "), new.split(separator: " ")))
        return pairs.filter { $0.1.0 != $0.1.1 }.map(\.0).joined(separator: ", ")
    }
}
