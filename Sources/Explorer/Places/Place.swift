package import Basics

/// A place in an image, a layer or a container, as the user types it: `IMAGE:/path`, `IMAGE#N:/path`,
/// `CONTAINER:/path`.
///
/// The text is split at the first `:/`, which no reference contains. Without one the place is the root. `#N` is a
/// layer;
/// 1 is the lowest.
package struct Place: Sendable, Hashable {
    /// The image or container as typed; `@` and `@~N` are the working image.
    package var subject: String
    /// The layer, from 1.
    ///
    /// It is not checked against the image.
    package var layer: Int?
    /// The absolute path; `/` when none was given.
    package var path: String
    /// Whether a path was given.
    package var hasPath: Bool

    package init(subject: String, layer: Int? = nil, path: String = "/") {
        self.subject = subject
        self.layer = layer
        self.path = path
        hasPath = true
    }

    /// Throws `usage` for an empty subject and for a `#` without a number.
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
                // In `app#1:etc` the slash of the path is missing.
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

    /// The place as the user types it.
    package var text: String { "\(label):\(path)" }

    /// The place of a path relative to this one, as `cd` goes there.
    package func resolving(_ word: String) -> Place {
        var place = self
        place.hasPath = true
        if word.isEmpty { return place }
        place.path = word.hasPrefix("/") ? word : (path == "/" ? "" : path) + "/" + word
        return place
    }
}

extension String.UTF8View {
    /// The index at which an ASCII text first occurs.
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
