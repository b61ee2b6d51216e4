package import Basics

/// A place inside an image, a layer or a container, as it is typed: `IMAGE:/path`, `IMAGE#N:/path`, `CONTAINER:/path`.
///
/// The text is split at the first `:/`, which no reference holds; without one the place is the root. `#N` names a
/// layer, 1 the lowest.
package struct Place: Sendable, Hashable {
    /// An image or a container, as it was given; `@` and `@~N` are the working image.
    package var subject: String
    /// The layer, counted from 1; not checked against the image.
    package var layer: Int?
    /// Absolute; `/` when none was given.
    package var path: String
    /// Whether a path was given.
    package var hasPath: Bool

    package init(subject: String, layer: Int? = nil, path: String = "/") {
        self.subject = subject
        self.layer = layer
        self.path = path
        hasPath = true
    }

    /// Throws `usage` for an empty subject and for a `#` that no number follows.
    package init(parsing text: String) throws(ShaleError) {
        var name = Substring(text)
        path = "/"
        hasPath = false
        if let split = text.utf8.firstRange(of: ":/") {
            name = text[..<split]
            path = String(text[text.utf8.index(after: split)...])
            hasPath = true
        }
        if let hash = name.lastIndex(of: "#") {
            let digits = name[name.index(after: hash)...]
            guard let number = Int(digits), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                // `app#1:etc` lacks the slash of a path.
                let pieces = digits.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                let isNumber = pieces.count == 2 && !pieces[0].isEmpty && pieces[0].allSatisfy { $0.isWholeNumber }
                let place = isNumber ? "\(name[..<hash])#\(pieces[0]):/\(pieces[1])" : nil
                throw ShaleError(
                    .usage, "\(text.visible): a layer is IMAGE#N, N a number, 1 the lowest",
                    hint: place.map { "did you mean \($0.visible)?" }
                        ?? "layers \(name[..<hash].isEmpty ? "IMAGE" : String(name[..<hash]).visible)")
            }
            layer = number
            name = name[..<hash]
        }
        guard !name.isEmpty else {
            throw ShaleError(
                .usage, "'\(text.visible)' names no image or container", hint: "a place is IMAGE:/path, as in @:/etc")
        }
        subject = String(name)
    }

    /// `IMAGE` or `IMAGE#N`, without the path.
    package var label: String { layer.map { "\(subject)#\($0)" } ?? subject }

    /// The place as it is typed.
    package var text: String { "\(label):\(path)" }

    /// The place that a word names seen from this one, as `cd` leaves one: absolute or relative to the path.
    package func resolving(_ word: String) -> Place {
        var place = self
        place.hasPath = true
        if word.isEmpty { return place }
        place.path = word.hasPrefix("/") ? word : (path == "/" ? "" : path) + "/" + word
        return place
    }
}

extension String.UTF8View {
    /// Where a piece of ASCII first begins.
    fileprivate func firstRange(of piece: String) -> String.Index? {
        let bytes = Array(piece.utf8)
        var start = startIndex
        while start != endIndex {
            if self[start...].starts(with: bytes) { return start }
            formIndex(after: &start)
        }
        return nil
    }
}
