package import Basics
import Layers

/// The history of a path: every layer that made, changed or removed it, and the container when it did.
package struct PathHistory {
    private let view: PlaceView

    package init(_ view: PlaceView) { self.view = view }

    /// What a container did to a path, and its entry there.
    package struct Own: Sendable, Hashable {
        package enum Event: String, Sendable, Hashable {
            case made, changed, removed
        }

        package var event: Event
        /// `nil` when the container removed the path.
        package var entry: ViewEntry?
    }

    /// The history of a path, lowest layer first.
    ///
    /// Links in its parent directories are followed.
    ///
    /// Throws `notFound` for a path that no layer ever had.
    package func story(
        of path: String
    ) throws(ShaleError) -> (path: String, lines: [BlameLine], own: Own?) {
        if path.cleanPath == "/" {
            throw ShaleError(
                .usage, "\(view.label): of which path?",
                hint: "blame -r \(view.label):/ tells how much of all there is each layer holds")
        }
        let blame = Blame(layers: view.layers)
        for candidate in try candidates(path) {
            var lines = try blame.story(of: candidate)
            let own = try self.own(candidate, lines)
            if case .layer(_, let number) = view.source { lines.removeAll { $0.layer != number } }
            if !lines.isEmpty || own != nil { return (candidate, lines, own) }
        }
        throw try MissingPath(view: view, path: path).error()
    }

    /// The path with links followed in the current state and in each lower stack, because links may have led elsewhere.
    private func candidates(_ path: String) throws(ShaleError) -> [String] {
        var found: [String] = []
        if let here = try view.entry(path, followingLinks: false) { found.append(here.path) }
        for top in stride(from: view.layers.layers.count, to: 0, by: -1) {
            guard let here = try? view.layers.viewTree(upTo: top).entry(path, followingLinks: false) else { continue }
            if !found.contains(here.entry.path) { found.append(here.entry.path) }
        }
        return found
    }

    private func own(_ path: String, _ lines: [BlameLine]) throws(ShaleError) -> Own? {
        let layers = view.layers
        guard let own = layers.own else { return nil }
        if case .layer(_, let number) = view.source, number != layers.count { return nil }
        let wasThere = lines.last.map { $0.event != .removed } ?? false
        let stack = try PlaceView(.container(own, layers), label: view.label)
        guard let now = try stack.entry(path, followingLinks: false) else {
            return wasThere ? Own(event: .removed) : nil
        }
        if now.layer != nil { return nil }
        // overlayfs copies a directory up when an entry in it changes. This alone is not a change.
        if now.kind == .directory, wasThere { return nil }
        return Own(event: wasThere ? .changed : .made, entry: now)
    }

    /// How many files and bytes below a directory come from each layer; the layer `nil` is the container.
    ///
    /// A file with several hard links counts its bytes once.
    ///
    /// Throws `notFound` when the path is not there, `cancelled` when it is stopped, and what reading the layers
    /// throws.
    package func summary(
        below path: String, _ cancellation: Cancellation
    ) throws(ShaleError) -> [(layer: Int?, files: Int, bytes: Int64)] {
        var counts: [Int: (files: Int, bytes: Int64)] = [:]
        var seen: Set<String> = []
        let top = try view.require(path)
        try view.walk(top, cancellation) { entry throws(ShaleError) in
            guard entry.kind != .directory, entry.kind != .whiteout else { return true }
            let key = entry.layer ?? 0
            let known = counts[key] ?? (0, 0)
            var bytes = entry.storedSize
            if let identity = entry.identity, !seen.insert(identity).inserted { bytes = 0 }
            counts[key] = (known.files + 1, known.bytes &+ bytes)
            return true
        }
        return counts.sorted { ($0.key == 0 ? Int.max : $0.key) < ($1.key == 0 ? Int.max : $1.key) }
            .map { ($0.key == 0 ? nil : $0.key, $0.value.files, $0.value.bytes) }
    }
}
