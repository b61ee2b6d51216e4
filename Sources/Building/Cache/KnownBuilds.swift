package import Basics
package import OCI
import Stores

// The cache that earlier builds filled, and the build context of a step at the prompt.
extension BuildEngine {
    package var cache: BuildCache { BuildCache(store: store.cache) }

    /// All cached steps, the oldest first.
    package var cachedSteps: [(key: Digest, record: BuildCache.Record)] {
        store.cache.all(.build).compactMap { entry in cache.find(entry.key).map { (entry.key, $0) } }
            .sorted { ($0.record.made, $0.key) < ($1.record.made, $1.key) }
    }

    /// The cached step of a key; `nil` when there is none, or when the key is that of another record of the cache.
    package func cachedStep(_ key: Digest) -> BuildCache.Record? { cache.find(key) }

    /// The steps of a session's last build, in order; empty when the session made no build.
    package func lastBuild(of session: String) -> [BuildTrace.Step] { BuildTrace.last(named: session, in: store.cache) }

    /// Opens a folder of the host as the build context of single steps.
    ///
    /// Throws the file system's error when the folder cannot be opened, and `invalid` for a `.dockerignore` that cannot
    /// be
    /// parsed.
    package func context(of directory: String) throws(ShaleError) -> BuildContext {
        try BuildContext(directory: directory, cache: store.cache)
    }
}
