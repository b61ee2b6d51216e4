package import Basics
package import Images
import OCI
import Stores
import Synchronization

/// A `--build-context NAME=SOURCE`: replaces the image or stage of that name.
package struct NamedContext: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// A folder of the host.
        case directory(String)
        /// `docker-image://`.
        case image(String)
        /// `oci-layout://`: a folder, and a tag or digest in it.
        case layout(String, LayoutChoice)
        case git(GitAddress)
    }

    /// The name in the form in which names are compared: familiar, without `:latest`.
    package var name: String
    package var source: Source

    /// Reads `NAME=SOURCE`.
    ///
    /// Throws `usage` for a malformed value, and `unsupported` for a kind of source that shale does not have.
    package init(parsing text: String) throws(ShaleError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty else {
            throw ShaleError(.usage, "invalid context value: \(text.visible), expected key=value")
        }
        guard let name = Self.key(of: parts[0]) else {
            throw ShaleError(.usage, "invalid context name \(parts[0].visible)")
        }
        self.name = name
        source = try Self.source(parts[1])
    }

    /// The form in which a name is compared; `nil` for text that is no valid name.
    package static func key(of text: String) -> String? {
        guard let reference = try? Reference(parsing: text) else { return nil }
        let name = reference.familiar
        let latest = ":\(Reference.defaultTag)"
        return name.hasSuffix(latest) ? String(name.dropLast(latest.count)) : name
    }

    private static func source(_ text: String) throws(ShaleError) -> Source {
        func rest(behind scheme: String) -> String? {
            text.hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : nil
        }
        if let image = rest(behind: "docker-image://") {
            guard (try? Reference(parsing: image)) != nil else {
                throw ShaleError(.usage, "--build-context: invalid image \(image.visible)")
            }
            return .image(image)
        }
        if let place = rest(behind: "oci-layout://") {
            let (path, choice) = LayoutChoice.split(place)
            return .layout(path, choice)
        }
        switch RemoteContext(text) {
        case .git(let address): return .git(address)
        case .file:
            throw ShaleError(
                .unsupported, "--build-context: a file by its address is not supported: \(text.visible)",
                hint: "a folder, docker-image://IMAGE, oci-layout://DIR, or a git repository")
        case nil: return .directory(text)
        }
    }
}

/// The named contexts of a build.
///
/// Each is opened once, when it is first needed.
final class NamedContexts: Sendable {
    private struct State {
        /// By name and platform.
        var images: [String: Image] = [:]
        var folders: [String: BuildContext] = [:]
    }

    /// An opened context.
    enum Opened {
        case image(Image)
        case folder(BuildContext)
    }

    private let contexts: [String: NamedContext]
    private let engine: BuildEngine
    private let platform: Platform?
    private let steps: StepOptions
    private let state = Mutex(State())

    init(_ contexts: [NamedContext], engine: BuildEngine, platform: Platform?, steps: StepOptions) {
        self.contexts = Dictionary(contexts.map { ($0.name, $0) }) { $1 }
        self.engine = engine
        self.platform = platform
        self.steps = steps
    }

    /// The names that are not looked up as stages or images.
    var names: Set<String> { Set(contexts.keys) }

    /// Opens the context of a name; `nil` when no option gives this name.
    ///
    /// An image is that of the wanted platform, or else of the build's platform. Throws what opening the folder or finding or
    /// fetching the image throws.
    func opened(
        _ name: String, for wanted: Platform? = nil, _ operation: OperationContext
    ) throws(ShaleError) -> Opened? {
        guard let key = NamedContext.key(of: name), let context = contexts[key] else { return nil }
        let platform = wanted ?? platform
        let imageKey = "\(key) \(platform?.description ?? "")"
        if let image = state.withLock({ $0.images[imageKey] }) { return .image(image) }
        if let folder = state.withLock({ $0.folders[key] }) { return .folder(folder) }
        let opened = try open(context, for: platform, operation)
        state.withLock { state in
            switch opened {
            case .image(let image): state.images[imageKey] = image
            case .folder(let folder): state.folders[key] = folder
            }
        }
        return opened
    }

    private func open(
        _ context: NamedContext, for platform: Platform?, _ operation: OperationContext
    ) throws(ShaleError) -> Opened {
        do throws(ShaleError) {
            switch context.source {
            case .directory(let path):
                return .folder(try BuildContext(directory: path, cache: engine.store.cache))
            case .git(let address):
                return .folder(
                    try BuildContext(
                        scratch: engine.gitContext(
                            address, GitAccess(steps, context: address), keepsGitFolder: false, operation)))
            case .image(let name):
                return .image(
                    try engine.images.ensureImage(
                        name, platform: platform, policy: .missing, announces: false, operation))
            case .layout(let path, let choice):
                return .image(
                    try engine.images.image(inLayout: path, choice, platform: platform, operation))
            }
        } catch {
            var told = error
            told.message = "build context \(context.name.visible): \(error.message)"
            throw told
        }
    }
}
