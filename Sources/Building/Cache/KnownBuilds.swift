package import Basics
package import OCI
import Stores

// The cache that earlier builds filled, and the context of a step at the prompt.
extension BuildEngine {
    /// The cache of steps.
    package var cache: BuildCache { BuildCache(store: store.cache) }

    /// The steps that are cached, the oldest first.
    package var cachedSteps: [(key: Digest, record: BuildCache.Record)] {
        store.cache.all(.build).compactMap { entry in cache.find(entry.key).map { (entry.key, $0) } }
            .sorted { ($0.record.made, $0.key) < ($1.record.made, $1.key) }
    }

    /// What the step of a key was and made; `nil` for a key of what is noted beside the steps.
    package func cachedStep(_ key: Digest) -> BuildCache.Record? { cache.find(key) }

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
