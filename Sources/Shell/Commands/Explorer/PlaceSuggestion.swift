import Basics
import Explorer

/// Finds a correction for a word that should be a place but names no image or container.
struct PlaceSuggestion {
    private let shell: ShellContext
    private let finder: PlaceFinder

    init(_ shell: ShellContext, _ finder: PlaceFinder) {
        self.shell = shell
        self.finder = finder
    }

    /// The line to suggest: with the missing slash, or the host's own command when the word is a file of the host.
    func hint(for word: String) -> String? {
        let words = shell.wordsUnderWay
        if let meant = place(meantBy: word) {
            return words.map { $0 == word ? meant : $0 }.map(\.shellQuoted).joined(separator: " ")
        }
        guard HostPath.exists(word), words.contains(word) else { return nil }
        return "!" + words.map(\.shellQuoted).joined(separator: " ") + "   (\(word.visible) is a file of the host's)"
    }

    /// `busybox:/etc` for `busybox:etc` and `busybox/etc`; `nil` where no image or container begins the word so.
    ///
    /// What follows the name may be a tag just as well: it is a path only where one is there, or where it holds a
    /// slash, which no tag does.
    func place(meantBy word: String) -> String? {
        if word.contains("//") { return nil }
        // The longest name first: of `ubuntu:22.04:etc` that is `ubuntu:22.04`.
        for mark in word.indices.reversed() where word[mark] == ":" || word[mark] == "/" {
            let name = String(word[..<mark])
            let path = "/" + word[word.index(after: mark)...]
            guard !name.isEmpty, let subject = try? Place(parsing: name),
                let layers = try? finder.layers(subject.subject)
            else { continue }
            let isSurePath = word[mark] == ":" && (path.dropFirst().contains("/") || path == "/")
            guard isSurePath || isThere(path, in: layers, subject) else { continue }
            return "\(name):\(path)"
        }
        return nil
    }

    private func isThere(_ path: String, in layers: ImageLayers, _ place: Place) -> Bool {
        guard let view = try? PlaceView(layers, layer: place.layer, label: place.label) else { return false }
        return (try? view.entry(path, followingLinks: true)) != nil
    }
}
