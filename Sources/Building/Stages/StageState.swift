import Basics
import Images
package import OCI
package import Stores

/// The state of a stage, or of the prompt's working image, between two instructions.
package struct StageState: Sendable {
    /// The image that the last instruction made; `nil` after `FROM scratch` before the first instruction.
    package var image: Image?
    /// The config of the next image, with history and diff IDs.
    package var config: ImageConfig
    /// The descriptors of the layers, lowest first.
    package var layers: [Descriptor]
    package var arguments: BuildArguments
    /// The base image's name as written in `FROM`.
    package var baseName: String?
    /// Whether this stage set a `CMD`.
    ///
    /// An inherited `CMD` is removed by a new `ENTRYPOINT`.
    package var hasOwnCommand = false
    /// Whether the last step was carried out and not found in the cache.
    var isFresh = false

    /// A stage that begins with an image.
    package init(from image: Image, arguments: BuildArguments) {
        self.image = image
        config = image.config
        layers = image.manifest.layers
        self.arguments = arguments
        setDefaultPath()
    }

    /// A stage that begins with `FROM scratch`.
    package init(scratchFor platform: Platform, arguments: BuildArguments) {
        config = ImageConfig(platform: platform)
        config.config = ContainerConfig()
        layers = []
        self.arguments = arguments
        setDefaultPath()
    }

    /// Sets docker's default `PATH` when the base sets none.
    private mutating func setDefaultPath() {
        let isSet = (settings.env ?? []).contains { $0 == "PATH" || $0.hasPrefix("PATH=") }
        guard !isSet, config.platform.os != "windows" else { return }
        settings.env = (settings.env ?? []) + [DefaultPath.entry]
    }

    /// The part of the config that instructions change.
    package var settings: ContainerConfig {
        get { config.config ?? ContainerConfig() }
        set { config.config = newValue }
    }

    /// The shell for the shell form of RUN, CMD and ENTRYPOINT.
    package var shell: [String] { settings.commandShell }

    /// The working directory of the stage's commands: absolute and cleaned.
    ///
    /// The config's own field need not be.
    package var workingDirectory: String { ImagePath.clean(settings.workingDir ?? "") }

    /// The variables that words of an instruction may use: build arguments, overridden by the image's environment.
    package var variables: [String: String] {
        var values = arguments.values
        for assignment in settings.env ?? [] {
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first else { continue }
            values[String(name)] = parts.count > 1 ? String(parts[1]) : ""
        }
        return values
    }
}
