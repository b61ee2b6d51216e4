import Basics
import Engine
import Explorer
import Stores

/// Turns the words of a command line into places and views.
struct PlaceWords {
    private let shell: ShellContext
    private let finder: PlaceFinder

    init(_ shell: ShellContext) throws(ShaleError) {
        self.shell = shell
        let engine = try shell.engine()
        finder = PlaceFinder(
            store: engine.store,
            image: { text throws(ShaleError) in
                guard let image = try WorkingImageNames.image(text, shell) else {
                    return try engine.image(named: text)
                }
                return try engine.store.images.image(image)
            }, written: { engine.writtenInstructions(of: $0) })
    }

    /// The place a word names.
    ///
    /// Inside an image (after `cd IMAGE:/path`) a word without `:/` is a path there, and no word is where one is.
    func place(_ word: String?) throws(ShaleError) -> Place {
        if let here = shell.place.flatMap({ try? Place(parsing: $0) }) {
            guard let word else { return here }
            let isPlace = word.contains(":/") || word.contains("#") || word.hasPrefix("@")
            return isPlace ? try Place(parsing: word) : here.resolving(word)
        }
        guard let word else {
            throw ShaleError(
                .usage, "a place is missing: IMAGE:/path, IMAGE#N:/path or CONTAINER:/path", hint: "ls @:/")
        }
        if word.hasPrefix("/") || word.hasPrefix("./") || word.hasPrefix("../") {
            throw ShaleError(
                .usage, "\(word.visible): of which image or container? a place is IMAGE:/path",
                hint: "ls @:/ looks into the working image, !ls \(word.visible) at the host")
        }
        return try Place(parsing: word)
    }

    func view(_ place: Place) throws(ShaleError) -> PlaceView { try finder.view(place) }

    /// The layers of an image, named by a word, or of the image one is in.
    func layers(_ word: String?) throws(ShaleError) -> ImageLayers { try finder.layers(place(word).subject) }

    /// Words that share an image share one view of it.
    func views(_ words: [String]) throws(ShaleError) -> [(place: Place, view: PlaceView)] {
        var known: [String: PlaceView] = [:]
        var found: [(place: Place, view: PlaceView)] = []
        for word in words.isEmpty ? [nil] : words.map(Optional.some) {
            let place = try place(word)
            if known[place.label] == nil { known[place.label] = try view(place) }
            if let view = known[place.label] { found.append((place, view)) }
        }
        return found
    }
}
