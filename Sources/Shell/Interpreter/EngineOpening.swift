import Basics
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
        let runtime = ContainerRuntime(runnerPath: ProgramFiles.runner(environment), cachePath: store.cache.folder)
        var values = EngineSettings()
        values.offline = options.isOffline || settings["offline"] == "on"
        values.modernBuildWording = settings["build.wording"] == "moby"
        values.hasFirstImage = true
        values.warn = warn
        values.sourceDateEpoch = try Self.sourceDate(environment)
        return Opened(
            engine: Engine(store: store, registry: registry, runtime: runtime, settings: values),
            sessions: SessionStore(store))
    }

    /// The moment that `SOURCE_DATE_EPOCH` says; `nil` where it is not set.
    static func sourceDate(_ environment: [String: String]) throws(ShaleError) -> Timestamp? {
        guard let text = environment["SOURCE_DATE_EPOCH"] else { return nil }
        guard let seconds = Int64(text), seconds >= 0 else {
            throw ShaleError(.usage, "SOURCE_DATE_EPOCH is \"\(text.visible)\", not a number of seconds")
        }
        return Timestamp(seconds: seconds)
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
}
