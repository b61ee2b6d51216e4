import Basics
import Glibc
import Images
import Linux
import OCI
import Recipes
import Registries
import Runtime
import Sessions
import Stores

/// Opens the engine: the store on its home, the runner beside this program, registries as the user set them.
struct EngineOpening {
    /// What works on the home, and what the home keeps for sessions.
    struct Opened {
        let engine: Engine
        let sessions: SessionStore
    }

    let options: ShellOptions
    let settings: SavedSettings
    let environment: [String: String]
    /// Called with each problem that was skipped.
    let warn: @Sendable (String) -> Void

    func open() throws(ShaleError) -> Opened {
        let store = try Store(home: options.home, form: OverlayForm.current, journalHolds: Journal.holds)
        let registry = RegistryClient(try registries())
        let runtime = ContainerRuntime(runnerPath: runnerPath, cachePath: store.cache.folder)
        var values = EngineSettings()
        values.offline = options.isOffline || settings["offline"] == "on"
        values.modernBuildWording = settings["build.wording"] == "moby"
        values.recipesPath = recipesPath
        values.warn = warn
        if let epoch = environment["SOURCE_DATE_EPOCH"] {
            guard let seconds = Int64(epoch), seconds >= 0 else {
                throw ShaleError(.usage, "SOURCE_DATE_EPOCH is \"\(epoch.visible)\", not a number of seconds")
            }
            values.sourceDateEpoch = Timestamp(seconds: seconds)
        }
        return Opened(
            engine: Engine(store: store, registry: registry, runtime: runtime, settings: values),
            sessions: SessionStore(store))
    }

    private func registries() throws(ShaleError) -> RegistryConfiguration {
        var configuration = RegistryConfiguration()
        configuration.offline = options.isOffline || settings["offline"] == "on"
        configuration.asksThisMachineOffline = false
        if let own = environment["XDG_CONFIG_HOME"] ?? environment["HOME"].map({ "\($0)/.config" }) {
            configuration.certificateFolders =
                ["\(own)/docker/certs.d", "\(own)/containers/certs.d"]
                + configuration.certificateFolders
        }
        configuration.searchEndpoint = settings["search.endpoint"]
        configuration.version = Version.current
        configuration.warn = warn
        for text in settings.list(of: "registry.mirror") + [environment["SHALE_MIRROR"] ?? ""] {
            configuration.mirrors.merge(try RegistryConfiguration.mirrors(parsing: text)) { _, new in new }
        }
        configuration.insecure = Set(settings.list(of: "registry.insecure"))
        if let seconds = try seconds("SHALE_STALL_TIMEOUT") { configuration.stallTimeout = seconds }
        if let seconds = try seconds("SHALE_RETRY_WAIT") { configuration.retries.unit = seconds }
        return configuration
    }

    /// The value of a variable in seconds.
    private func seconds(_ variable: String) throws(ShaleError) -> Double? {
        guard let text = environment[variable], !text.isEmpty else { return nil }
        guard let seconds = Double(text), seconds.isFinite, seconds > 0 else {
            throw ShaleError(.usage, "\(variable) is \"\(text.visible)\", not a number of seconds")
        }
        return seconds
    }

    /// `shale-runner` beside this program, or where `SHALE_RUNNER` says.
    private var runnerPath: String { environment["SHALE_RUNNER"] ?? "\(Self.programFolder)/shale-runner" }

    /// The sample recipes: beside an installed program, or in the source tree it was built in.
    private var recipesPath: String? {
        if let path = environment["SHALE_RECIPES"] { return path }
        let folder = Self.programFolder
        let candidates = [
            "\(folder)/../share/shale/recipes", "\(folder)/../../scripts/recipes", "\(folder)/../../../scripts/recipes",
        ]
        return candidates.first { access("\($0)/busybox/Dockerfile", R_OK) == 0 }.map(Self.resolved)
    }

    /// The path without `..` and links, as messages should show it.
    private static func resolved(_ path: String) -> String {
        guard let pointer = path.withPath({ realpath($0, nil) }) else { return path }
        defer { free(pointer) }
        return String(path: pointer)
    }

    /// The folder of the program that runs.
    static let programFolder: String = {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return "." }
        let path = String(pathBytes: buffer.prefix(count).map { UInt8(bitPattern: $0) })
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }()
}
