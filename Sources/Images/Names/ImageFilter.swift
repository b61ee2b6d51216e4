package import Basics
package import OCI
package import Stores

/// Docker's filters of `images`, each `name=value`.
///
/// An image must pass all filters. Of several `reference` filters it must pass one.
package struct ImageFilter: Sendable {
    package var isDangling: Bool?
    /// `label=key` or `label=key=value`.
    package var labels: [(key: String, value: String?)] = []
    /// Images older than each of these images.
    package var before: [String] = []
    /// Images newer than each of these images.
    package var since: [String] = []
    /// Images made before this time.
    package var until: Timestamp?
    var references: [Glob] = []
    /// Filters that docker does not have.
    ///
    /// An image must pass all of them.
    var conditions: [ImageCondition] = []
    /// Whether a container uses the image.
    package var isUsed: Bool?

    package init() {}

    /// Reads the values of `--filter`.
    ///
    /// Throws `usage` when there is no `=`, and an error with docker's words for an unknown filter or value.
    package init(parsing texts: [String], now: Timestamp = .now()) throws(ShaleError) {
        for text in texts {
            if let comparison = try ImageCondition(comparing: text, now: now) {
                conditions.append(comparison)
                continue
            }
            guard let equals = text.firstIndex(of: "=") else {
                throw ShaleError(
                    .usage,
                    "invalid argument \"\(text)\" for \"-f, --filter\" flag: bad format of filter (expected name=value)"
                )
            }
            let name = text[..<equals].trimmed.lowercased()
            try add(name, text[text.index(after: equals)...].trimmed, now: now)
        }
    }

    /// Adds a `reference` filter, as for `images PATTERN`.
    ///
    /// Throws what reading the pattern throws.
    package mutating func add(reference pattern: String) throws(ShaleError) {
        references.append(try Glob(parsing: pattern))
    }

    private mutating func add(_ name: String, _ value: String, now: Timestamp) throws(ShaleError) {
        switch name {
        case "dangling": isDangling = try Self.flag(name, value)
        case "unused": isUsed = try !Self.flag(name, value)
        case "in-use": isUsed = try Self.flag(name, value)
        case "label":
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            labels.append((parts[0], parts.count == 2 ? parts[1] : nil))
        case "before": before.append(value)
        case "since": since.append(value)
        case "until":
            until = try Timestamp(typed: value, now: now)
        case "reference": references.append(try Glob(parsing: value))
        case "layer": conditions.append(.layer(value))
        case "base": conditions.append(.base(value))
        default:
            throw ShaleError(
                .invalid, "Invalid filter '\(name)'",
                hint: FilterKey.hint(Self.known) + ", and size>100MB, created<7d")
        }
    }

    /// All filters.
    package static let known: [FilterKey] = [
        FilterKey("dangling", ["true", "false"]), FilterKey("label"), FilterKey("before"), FilterKey("since"),
        FilterKey("until"), FilterKey("reference"), FilterKey("in-use", ["true", "false"]),
        FilterKey("unused", ["true", "false"]), FilterKey("layer"), FilterKey("base"),
    ]

    private static func flag(_ name: String, _ value: String) throws(ShaleError) -> Bool {
        switch value.lowercased() {
        case "1", "true", "t": return true
        case "0", "false", "f": return false
        default: throw ShaleError(.invalid, "Invalid filter '\(name)=[\(value)]'", hint: "--filter \(name)=true|false")
        }
    }
}

extension ImageEngine {
    /// The images in the store that pass a filter, newest first.
    ///
    /// With a `reference` filter, only with the names that match.
    ///
    /// Throws what ``image(named:platform:)`` throws for an image named by `since` or `before`, and what reading the store
    /// throws.
    package func list(
        _ filter: ImageFilter = ImageFilter(), includingIntermediate: Bool = false
    ) throws(ShaleError) -> [ImageSummary] {
        var bounds: (after: Timestamp?, before: Timestamp?) = (nil, nil)
        for text in filter.since {
            let created = try image(named: text).config.created ?? .epoch
            bounds.after = max(bounds.after ?? created, created)
        }
        for text in filter.before {
            let created = try image(named: text).config.created ?? .epoch
            bounds.before = min(bounds.before ?? created, created)
        }
        if let until = filter.until { bounds.before = min(bounds.before ?? until, until) }
        let used = filter.isUsed == nil ? [] : try usedImages()
        let bases = try self.bases(in: filter.conditions)
        var summaries: [ImageSummary] = []
        for summary in try store.images.all(includingIntermediate: includingIntermediate) {
            let created = summary.created ?? .epoch
            if let after = bounds.after, created <= after { continue }
            if let before = bounds.before, created >= before { continue }
            if let wanted = filter.isDangling, summary.isDangling != wanted { continue }
            if let wanted = filter.isUsed, used.contains(summary.id) != wanted { continue }
            if try !hasLabels(summary, filter.labels) { continue }
            if !filter.conditions.allSatisfy({ holds($0, of: summary, bases) }) { continue }
            guard filter.references.isEmpty else {
                if let named = Self.matching(summary, filter.references) { summaries.append(named) }
                continue
            }
            summaries.append(summary)
        }
        return summaries
    }

    /// The diff IDs of the images in `base=` filters, by the text of the filter.
    private func bases(in conditions: [ImageCondition]) throws(ShaleError) -> [String: [Digest]] {
        var bases: [String: [Digest]] = [:]
        for case .base(let text) in conditions { bases[text] = try image(named: text).config.rootfs.diffIDs }
        return bases
    }

    private func holds(_ condition: ImageCondition, of summary: ImageSummary, _ bases: [String: [Digest]]) -> Bool {
        switch condition {
        case .size(let isMore, let bytes): return isMore ? summary.size > bytes : summary.size < bytes
        case .created(let isBefore, let moment):
            let created = summary.created ?? .epoch
            return isBefore ? created < moment : created > moment
        case .layer(let text):
            guard let image = try? store.images.image(summary.id), !text.isEmpty else { return false }
            return (image.config.rootfs.diffIDs + image.manifest.layers.map(\.digest)).contains {
                $0.hex.hasPrefix(text) || $0.description.hasPrefix(text)
            }
        case .base(let text):
            guard let base = bases[text], let own = try? store.images.image(summary.id).config.rootfs.diffIDs else {
                return false
            }
            return own.count > base.count && own.starts(with: base)
        }
    }

    /// The IDs of the images that containers were made from.
    ///
    /// Throws what reading the containers' folder throws.
    package func usedImages() throws(ShaleError) -> Set<Digest> {
        Set(try store.containers.all().map(\.image))
    }

    private func hasLabels(
        _ summary: ImageSummary, _ wanted: [(key: String, value: String?)]
    ) throws(ShaleError) -> Bool {
        if wanted.isEmpty { return true }
        let labels = try store.images.image(summary.id).containerConfig.labels ?? [:]
        return wanted.allSatisfy { label in
            labels[label.key].map { label.value == nil || label.value == $0 } ?? false
        }
    }

    /// The image with only those of its names that a pattern matches, as docker's `FamiliarMatch` does.
    private static func matching(_ summary: ImageSummary, _ patterns: [Glob]) -> ImageSummary? {
        let matches = { (reference: Reference) in
            patterns.contains { pattern in
                reference.matches(familiarPattern: pattern)
                    || pattern.matches(reference.description) || pattern.matches(reference.name)
            }
        }
        var result = summary
        result.references = summary.references.filter(matches)
        result.repoDigests = summary.repoDigests.filter(matches)
        return result.references.isEmpty && result.repoDigests.isEmpty ? nil : result
    }
}

extension Glob {
    /// A pattern for names.
    ///
    /// Throws an error with docker's wording for a malformed pattern.
    init(parsing text: String) throws(ShaleError) {
        do throws(Malformed) {
            try self.init(text, .path)
        } catch {
            throw ShaleError(.invalid, "syntax error in pattern")
        }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
