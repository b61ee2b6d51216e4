import Basics
import Explorer
import Images
import OCI
import Recipes
import Rendering
import Stores

/// Images of registries, looked into for one command.
final class RemoteImages {
    private let engine: Engine
    private let platform: Platform?
    private let operation: OperationContext
    private let view: ProgressView
    private var known: [String: ImageLayers] = [:]

    init(_ shell: ShellContext, _ engine: Engine, platform: Platform?) {
        self.engine = engine
        self.platform = platform
        // Results may go into a file, so fetches are reported on the error stream, and only when that is a terminal.
        (operation, view) = shell.operation(lines: .errors, isQuiet: !shell.console.isTerminal(.errors))
    }

    deinit { view.finish() }

    /// An image's layers, none of them fetched.
    func layers(_ name: String) throws(ShaleError) -> ImageLayers {
        if let layers = known[name] { return layers }
        let reference = try Reference(parsing: name)
        let remote = try engine.images.remoteImage(reference, platform: platform, keeping: true, operation)
        let image = Image(
            id: remote.manifest.config.digest, manifestDescriptor: remote.descriptor, manifest: remote.manifest,
            config: remote.config, size: 0, references: [remote.reference])
        let layers = ImageLayers(
            image, name: name, images: engine.images, remote: RemoteLayers(engine.images, remote, operation))
        known[name] = layers
        return layers
    }
}
