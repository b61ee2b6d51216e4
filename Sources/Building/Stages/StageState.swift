import Images
package import OCI
package import Stores

/// Where a stage, or the prompt's working image, stands between two instructions.
package struct StageState: Sendable {
    /// The image made last; `nil` on `FROM scratch` before the first instruction.
    package var image: Image?
    /// What the next image's config will say; history and diff IDs included.
    package var config: ImageConfig
    /// The blobs of the layers, lowest first.
    package var layers: [Descriptor]
    package var arguments: BuildArguments
    /// What `FROM` called the image the stage began with.
    package var baseName: String?
    /// Whether this stage set a `CMD`: an inherited one is removed by a new `ENTRYPOINT`.
    package var hasOwnCommand = false
    /// Whether the last step was carried out, not found in the cache.
    var isFresh = false

    /// A stage that begins on an image.
    package init(from image: Image, arguments: BuildArguments) {
        self.image = image
        config = image.config
        layers = image.manifest.layers
        self.arguments = arguments
        setDefaultPath()
    }

    /// A stage that begins on nothing.
    package init(scratchFor platform: Platform, arguments: BuildArguments) {
        config = ImageConfig(platform: platform)
        config.config = ContainerConfig()
        layers = []
        self.arguments = arguments
        setDefaultPath()
    }

    /// Docker's `PATH`, where a stage begins without one.
    private mutating func setDefaultPath() {
        let isSet = (settings.env ?? []).contains { $0 == "PATH" || $0.hasPrefix("PATH=") }
        guard !isSet, config.platform.os != "windows" else { return }
        settings.env = (settings.env ?? []) + ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    }

    /// The part of the config that instructions change.
    package var settings: ContainerConfig {
        get { config.config ?? ContainerConfig() }
        set { config.config = newValue }
    }

    /// What runs the shell form of RUN, CMD and ENTRYPOINT.
    package var shell: [String] {
        if let shell = settings.shell, !shell.isEmpty { return shell }
        return ["/bin/sh", "-c"]
    }

    /// Where commands of the stage run: absolute and cleaned, which the config's own field need not be.
    package var workingDirectory: String { ImagePath.clean(settings.workingDir ?? "") }

    /// The values a word of an instruction may name: the image's environment over the build arguments.
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
