package import Basics
package import OCI

/// What a container of an image runs: docker's rules for `ENTRYPOINT`, `CMD` and what the user gave.
package struct ContainerCommand: Sendable, Equatable {
    /// `Config.Entrypoint` and `Config.Cmd` of the container.
    package var entrypoint: [String]?
    package var cmd: [String]?
    /// The first process's words.
    package var arguments: [String] { (entrypoint ?? []) + (cmd ?? []) }

    /// Makes one of the image's config, `--entrypoint` (an empty text clears the image's) and the words after the
    /// image.
    ///
    /// Throws `engine` when nothing is left to run.
    package init(image: ContainerConfig?, entrypoint: String?, command: [String]) throws(ShaleError) {
        // An entrypoint of the user's hides the image's command; a command of the user's keeps the image's entrypoint.
        if let entrypoint {
            self.entrypoint = entrypoint.isEmpty ? nil : [entrypoint]
            cmd = command.isEmpty ? nil : command
        } else {
            self.entrypoint = image?.entrypoint.flatMap { $0.isEmpty ? nil : $0 }
            cmd = command.isEmpty ? image?.cmd : command
        }
        guard !arguments.isEmpty else { throw ShaleError(.engine, "No command specified") }
    }
}
