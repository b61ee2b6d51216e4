package import Basics
import FoundationEssentials
package import Images
import Linux
package import OCI
package import Stores

/// The build cache: for each parent image, the steps that were carried out on it and the images they made.
///
/// The key is built as docker builds it: the parent, the instruction as it is written into the history (with build
/// arguments), and for files their content, mode, owner, attributes and hard links. Times of files are not part of it.
package struct BuildCache: Sendable {
    let store: CacheStore

    /// How many steps of one parent are remembered, to explain why a later step was not found.
    private static let remembered = 16

    /// One step that was carried out.
    package struct Record: Codable, Sendable {
        package var image: Digest
        package var parent: Digest?
        /// The instruction as written.
        ///
        /// It finds the step again when its inputs differ.
        package var instruction: String
        /// The instruction as it is written into the history.
        package var createdBy: String
        /// The build arguments in force in a `RUN`, which are part of `createdBy`; `nil` for none.
        package var arguments: [String: String]?
        /// What the step read beside its parent and its files, such as mounts.
        package var inputs: String?
        package var hasFiles: Bool?
        package var summary: StepSummary
        package var made: Timestamp
    }

    package init(store: CacheStore) { self.store = store }

    /// The parent in the key of a linked copy (`COPY --link`), which does not depend on a parent.
    package static let anyParent = Digest.of("any image".utf8)

    static func key(parent: Digest?, step: String) -> Digest {
        Digest.of("\(parent?.description ?? "scratch")\n\(step)".utf8)
    }

    package func find(_ key: Digest) -> Record? {
        store.value(.build, key).flatMap { try? JSONDecoder().decode(Record.self, from: Data($0)) }
    }

    /// The files that `COPY` or `ADD` read in a step: path to `kind mode owner digest`.
    package func files(of key: Digest) -> PathLines? {
        store.value(.build, Self.filesKey(key)).flatMap {
            try? JSONDecoder().decode(PathLines.self, from: Data($0))
        }
    }

    /// The key of the step that made an image.
    package func key(thatMade image: Digest) -> Digest? {
        store.value(.build, Self.madeKey(image)).flatMap { try? Digest(parsing: String(decoding: $0, as: UTF8.self)) }
    }

    func keep(_ record: Record, files: PathLines?, key: Digest) throws(ShaleError) {
        // The files are written first, so that a record that exists is complete.
        if let files { try store.set(.build, Self.filesKey(key), to: Array(OCIDocument.encode(files))) }
        try store.set(.build, Self.madeKey(record.image), to: Array(key.description.utf8))
        try store.set(.build, key, to: Array(OCIDocument.encode(record)))
        let keys = [key] + self.keys(on: record.parent).filter { $0 != key }
        let text = keys.prefix(Self.remembered).map { "\($0)\n" }.joined()
        try store.set(.build, Self.listKey(record.parent), to: Array(text.utf8))
    }

    /// Notes that a build took a step from the cache.
    ///
    /// Throws what writing the note throws.
    func addUse(of key: Digest) throws(SystemCallError) { try store.addUse(.build, Self.usesKey(key)) }

    /// How often builds used a step, and when the last one did, as BuildKit counts: the build that carried the step out
    /// is the first use.
    package func uses(of record: Record, _ key: Digest) -> (count: Int64, last: Timestamp) {
        guard let later = store.uses(.build, Self.usesKey(key)) else { return (1, record.made) }
        return (later.count.addingClamped(1), max(later.last, record.made))
    }

    private static func usesKey(_ key: Digest) -> Digest { Digest.of("uses of \(key)".utf8) }

    private static func listKey(_ parent: Digest?) -> Digest {
        Digest.of("steps on \(parent?.description ?? "scratch")".utf8)
    }

    private static func filesKey(_ key: Digest) -> Digest { Digest.of("files of \(key)".utf8) }

    private static func madeKey(_ image: Digest) -> Digest { Digest.of("step that made \(image)".utf8) }

    /// The keys of the steps on a parent, the last one first.
    private func keys(on parent: Digest?) -> [Digest] {
        let text = String(decoding: store.value(.build, Self.listKey(parent)) ?? [], as: UTF8.self)
        return text.split(separator: "\n").compactMap { try? Digest(parsing: String($0)) }
    }

    /// Explains why a step is not in the cache: compares it with the most similar step on the same parent.
    func miss(
        parent: Digest?, isParentNew: Bool, instruction: String, createdBy: String, arguments: [String: String],
        inputs: String, files: PathLines?
    ) -> CacheMiss {
        let earlier = keys(on: parent).compactMap { key in find(key).map { (key: key, record: $0) } }
        if let same = earlier.first(where: { $0.record.instruction == instruction }) {
            return CacheMiss(
                from: same.record, key: same.key, createdBy: createdBy, arguments: arguments, inputs: inputs,
                before: same.record.hasFiles == true ? self.files(of: same.key) : nil, now: files)
        }
        if isParentNew { return CacheMiss(reason: "the step before it was carried out anew") }
        let keyword = instruction.prefix { $0 != " " }
        if let other = earlier.first(where: { $0.record.instruction.hasPrefix("\(keyword) ") }) {
            return CacheMiss(
                reason: "instruction changed, it was: \(other.record.instruction)", earlier: other.key)
        }
        return CacheMiss(reason: "it was not carried out on this image before")
    }
}

/// Why a step was not found in the cache.
package struct CacheMiss: Codable, Sendable, Hashable {
    /// A path that differs: `kind mode owner digest` before and now, as in the cache key.
    ///
    /// `nil` where the path is missing.
    package struct Difference: Codable, Sendable, Hashable {
        package var path: String
        package var before: String?
        package var now: String?

        /// The attributes that differ: `content`, `mode`, `owner`, `type`, `extended attributes`, `hard link`.
        package var attributes: [String] {
            let names = ["type", "mode", "owner", "content", "extended attributes", "hard link"]
            // The last two fields exist only for a file that has extended attributes or hard links.
            func fields(_ text: String?) -> [Substring] {
                let own = (text ?? "").split(separator: " ")
                return own + Array(repeating: "-", count: max(0, names.count - own.count))
            }
            return zip(names, zip(fields(before), fields(now))).filter { $0.1.0 != $0.1.1 }.map(\.0)
        }
    }

    /// The reason in one line, such as `content of hello.sh changed`.
    package var reason: String
    /// The key of the step that was compared.
    package var earlier: Digest?
    /// The first few paths that differ.
    package var differences: [Difference] = []

    private static let kept = 20

    init(reason: String, earlier: Digest? = nil) {
        self.reason = reason
        self.earlier = earlier
    }

    init(
        from record: BuildCache.Record, key: Digest, createdBy: String, arguments: [String: String], inputs: String,
        before: PathLines?, now: PathLines?
    ) {
        earlier = key
        let old = before ?? PathLines()
        let new = now ?? PathLines()
        let paths = new.differences(from: old)
        differences = paths.prefix(Self.kept).map { Difference(path: $0, before: old[$0], now: new[$0]) }
        if let first = differences.first {
            let more = paths.count > 1 ? " (and \(paths.count - 1) more)" : ""
            if first.before == nil {
                reason = "\(first.path) is new\(more)"
            } else if first.now == nil {
                reason = "\(first.path) is gone\(more)"
            } else {
                reason = "\(first.attributes.joined(separator: " and ")) of \(first.path) changed\(more)"
            }
        } else if (record.inputs ?? "") != inputs {
            reason = "what it mounts changed"
        } else if record.createdBy != createdBy {
            reason =
                Self.argumentChange(record.arguments ?? [:], arguments)
                ?? "instruction changed, it was: \(record.createdBy)"
        } else {
            reason = "the image it made is not here any more"
        }
    }

    /// Names the build arguments that came, went or changed; `nil` when all are the same.
    static func argumentChange(_ old: [String: String], _ new: [String: String]) -> String? {
        let names = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
        guard !names.isEmpty else { return nil }
        return "build argument\(names.count == 1 ? "" : "s") \(names.joined(separator: ", ")) changed"
    }
}
