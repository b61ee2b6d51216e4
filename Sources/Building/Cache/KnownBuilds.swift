package import Basics
import Stores

// The cache that earlier builds filled, and the context of a step at the prompt.
extension BuildEngine {
    /// The cache of steps.
    package var cache: BuildCache { BuildCache(store: store.cache) }

    /// How many steps are cached.
    package var cachedStepCount: Int { store.cache.all(.build).count }

    /// The steps of a session's last build, in order; none where it made none.
    package func lastBuild(of session: String) -> [BuildTrace.Step] { BuildTrace.last(named: session, in: store.cache) }

    /// A folder of the host as the context of single steps.
    ///
    /// Throws the file system's error when the folder cannot be opened, and the error of a `.dockerignore` that cannot
    /// be parsed.
    package func context(of directory: String) throws(ShaleError) -> BuildContext {
        try BuildContext(directory: directory, cache: store.cache)
    }
}
