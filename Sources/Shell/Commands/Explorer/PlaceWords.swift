package import ArgumentParser
import Basics
import Building
import Containers
import Explorer
import Images
import OCI
import Recipes
import Rendering
import Stores

/// `--remote`: where an image is looked into.
package struct RemoteOptions: ParsableArguments {
    @Flag(name: .customLong("remote"), help: "Look at the image in its registry; only what is needed is fetched.")
    package var isRemote = false
    @Option(help: "The platform of an image of several, here or with --remote.") package var platform: String?

    package init() {}
}

/// Turns the words of a command line into places and views.
struct PlaceWords {
    private let shell: ShellContext
    private let finder: PlaceFinder
    private let remote: RemoteImages?

    /// `isQuiet` tells nothing on the way, as for Tab.
    init(
        _ shell: ShellContext, _ options: RemoteOptions? = nil, platform: Platform? = nil, isQuiet: Bool = false
    ) throws(ShaleError) {
        var platform = platform
        if let options { platform = try Platform.option(options.platform) }
        self.shell = shell
        let engine = try shell.engine()
        let console = shell.console
        let wanted = platform
        finder = PlaceFinder(
            images: engine.images,
            container: { text throws(ShaleError) in try engine.containers.container(meantBy: text) },
            image: { text throws(ShaleError) in
                let known = try WorkingImageNames.image(text, shell)
                let image =
                    if let known {
                        try engine.images.image(id: known)
                    } else {
                        try engine.images.image(named: text, platform: wanted)
                    }
                // Another tool may have added the image to the OCI layout.
                try engine.images.unpackMissingLayers(of: image, OperationContext(cancellation: shell.cancellation))
                return image
            }, own: { record throws(ShaleError) in try ContainerLayer(record, engine: engine.containers) },
            written: { image in
                do throws(ShaleError) {
                    return try engine.images.writtenInstructions(of: image)
                } catch {
                    if !isQuiet { console.warning("\(error)") }
                    return [:]
                }
            }, note: { if !isQuiet { console.note($0) } })
        remote = options.flatMap { options in
            options.isRemote ? RemoteImages(shell, engine, platform: wanted) : nil
        }
    }

    /// The place a word names.
    ///
    /// Inside an image (after `cd IMAGE:/path`) a word without `:/` is a path there, and no word means the current
    /// directory.
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

    /// The place that a word without its slash means: `busybox:/etc` for `busybox:etc`.
    func meant(by word: String) -> String? { PlaceSuggestion(shell, finder).place(meantBy: word) }

    func view(_ place: Place) throws(ShaleError) -> PlaceView {
        try PlaceView(layers(named: place.subject), layer: place.layer, label: place.label)
    }

    private func layers(named subject: String) throws(ShaleError) -> ImageLayers {
        if let remote { return try remote.layers(subject) }
        do throws(ShaleError) {
            return try finder.layers(subject)
        } catch {
            guard error.code == .notFound || error.code == .invalid || error.code == .usage,
                let hint = PlaceSuggestion(shell, finder).hint(for: subject)
            else { throw error }
            var hinted = error
            hinted.hint = hint
            throw hinted
        }
    }

    // MARK: Commands about a whole image, container or layer

    /// The image, container or layer that a word names; without a word, the one that the shell is in.
    ///
    /// A path inside is refused, because `verb` is about the whole.
    func thing(_ word: String?, for verb: String) throws(ShaleError) -> Place {
        guard let word else {
            if shell.place == nil {
                throw ShaleError(
                    .usage, "\(verb): which image or container? its name, its id, or @",
                    hint: "images and ps -a list what is here")
            }
            var here = try place(nil)
            here.path = "/"
            return here
        }
        let place = word == "." ? try place(nil) : try Place(parsing: word)
        if place.hasPath, place.path.cleanPath != "/", word != "." {
            throw ShaleError(
                .usage, "\(verb): \(word.visible) is a place inside of \(place.label.visible)",
                hint: "\(verb)\(flag) \(place.label); du\(flag) \(word) and ls\(flag) \(word) tell of the place")
        }
        return place
    }

    /// The layers of an image, with a container's own on top, and the one of them that a word names.
    func stack(_ word: String?, for verb: String) throws(ShaleError) -> (layers: ImageLayers, only: Int?) {
        let thing = try thing(word, for: verb)
        let layers = try layers(named: thing.subject)
        if let number = thing.layer { _ = try layers.layer(number) }
        return (layers, thing.layer)
    }

    /// The layers of an image, with a container's own on top; one of them by itself is refused.
    func whole(_ word: String?, for verb: String) throws(ShaleError) -> ImageLayers {
        let (layers, only) = try stack(word, for: verb)
        guard let only else { return layers }
        throw Self.oneLayer(Place(subject: layers.subject, layer: only), verb)
    }

    static func oneLayer(_ place: Place, _ verb: String) -> ShaleError {
        ShaleError(
            .usage, "\(verb): \(place.label.visible) is one layer: \(verb) is of a whole image or container",
            hint: "\(verb) \(place.subject)")
    }

    private var flag: String { remote == nil ? "" : " --remote" }

    /// Images, containers or layers; the same one twice has one view.
    func things(_ words: [String], for verb: String) throws(ShaleError) -> [PlaceView] {
        var places: [Place] = []
        for word in words { places.append(try thing(word, for: verb)) }
        return try views(of: places).map(\.view)
    }

    /// Words that name the same image share one view of it; without a word, it is the current place.
    func views(_ words: [String]) throws(ShaleError) -> [(place: Place, view: PlaceView)] {
        var places: [Place] = []
        for word in words.isEmpty ? [nil] : words.map(Optional.some) { places.append(try place(word)) }
        return try views(of: places)
    }

    private func views(of places: [Place]) throws(ShaleError) -> [(place: Place, view: PlaceView)] {
        var known: [String: PlaceView] = [:]
        var found: [(place: Place, view: PlaceView)] = []
        for place in places {
            let view = if let view = known[place.label] { view } else { try view(place) }
            known[place.label] = view
            found.append((place, view))
        }
        return found
    }
}
