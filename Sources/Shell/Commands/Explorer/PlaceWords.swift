package import ArgumentParser
import Basics
import Engine
import Explorer
import OCI
import Stores

/// `--remote`: where an image is looked into.
package struct RemoteOptions: ParsableArguments {
    @Flag(name: .customLong("remote"), help: "Look at the image in its registry; only what is needed is fetched.")
    package var isRemote = false
    @Option(help: "With --remote: the platform of an image of several.") package var platform: String?

    package init() {}
}

/// Turns the words of a command line into places and views.
struct PlaceWords {
    private let shell: ShellContext
    private let finder: PlaceFinder
    private let remote: RemoteImages?

    init(_ shell: ShellContext, _ options: RemoteOptions? = nil) throws(ShaleError) {
        self.shell = shell
        let engine = try shell.engine()
        let console = shell.console
        finder = PlaceFinder(
            store: engine.store,
            image: { text throws(ShaleError) in
                let known = try WorkingImageNames.image(text, shell)
                let image =
                    if let known { try engine.store.images.image(known) } else { try engine.image(named: text) }
                // Another tool may have put it into the layout.
                try engine.unpackMissingLayers(of: image, Conversation(cancellation: shell.cancellation))
                return image
            }, written: { engine.writtenInstructions(of: $0) }, note: { console.note($0) })
        if options?.platform != nil, options?.isRemote != true {
            throw ShaleError(.usage, "--platform is for --remote: an image here has one platform")
        }
        remote = try options.flatMap { options throws(ShaleError) in
            options.isRemote ? RemoteImages(shell, engine, platform: try Platform.option(options.platform)) : nil
        }
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

    func view(_ place: Place) throws(ShaleError) -> PlaceView {
        guard let remote else { return try finder.view(place) }
        let layers = try remote.layers(place.subject)
        if let number = place.layer { return try PlaceView(.layer(layers, number), label: place.label) }
        return try PlaceView(.image(layers), label: place.label)
    }

    /// The layers of an image, named by a word, or of the image one is in.
    func layers(_ word: String?) throws(ShaleError) -> ImageLayers {
        let subject = try subject(word)
        let layers = if let remote { try remote.layers(subject) } else { try finder.layers(subject) }
        if let number = try layerNumber(word) { _ = try layers.layer(number) }
        return layers
    }

    /// The layer that a word names, not checked against the image.
    func layerNumber(_ word: String?) throws(ShaleError) -> Int? {
        guard let word else { return nil }
        return try place(word).layer
    }

    /// The image a word names, whatever place in it; without a word the one that one is in.
    private func subject(_ word: String?) throws(ShaleError) -> String {
        if word == nil, shell.place == nil {
            throw ShaleError(.usage, "an image is missing: its name, its id, or @", hint: "images lists what is here")
        }
        return try place(word).subject
    }

    /// The layers of an image, or those below a container and the container itself.
    func stack(_ word: String?) throws(ShaleError) -> (layers: ImageLayers, container: ContainerRecord?) {
        if remote != nil { return (try layers(word), nil) }
        let view = try finder.view(Place(subject: subject(word)))
        if case .container(let record, let layers) = view.source { return (layers, record) }
        return (view.layers, nil)
    }

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
