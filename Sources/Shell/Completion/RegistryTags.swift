import Basics
import Glibc
import Images
import Linux
import OCI

/// The tags that a repository has in its registry, for Tab: asked for once, and for a second at most.
///
/// A registry that does not answer in time has no tags here, as long as the prompt lasts.
final class RegistryTags {
    /// Nanoseconds that a person waits for them.
    private static let patience: UInt64 = 1_000_000_000
    /// More are no help.
    private static let most = 500

    private var known: [String: [String]] = [:]

    /// Behind `ubuntu:`, what is typed up to its colon with each tag; none for what has no colon yet.
    func values(for prefix: String, from images: ImageEngine) -> [CompletionValue] {
        let name = prefix.lastIndex(of: "/").map { prefix.index(after: $0) } ?? prefix.startIndex
        guard !prefix[name...].contains("@"), let colon = prefix[name...].firstIndex(of: ":"),
            let repository = try? Reference(parsing: String(prefix[..<colon])).repository
        else { return [] }
        let key = repository.description
        let tags = known[key] ?? Self.asked(repository, images)
        known[key] = tags
        return tags.map { CompletionValue("\(prefix[..<colon]):\($0)", "in its registry") }
    }

    private static func asked(_ repository: Reference, _ images: ImageEngine) -> [String] {
        let (late, answered) = (Cancellation(), Cancellation())
        let end = SteadyTime.now() &+ patience
        let clock = try? WorkerThread {
            while SteadyTime.now() < end, !answered.isCancelled { usleep(10_000) }
            late.cancel()
        }
        guard let clock else { return [] }
        let tags = try? images.remoteTags(
            of: repository, matching: nil, order: .semver, OperationContext(cancellation: late))
        answered.cancel()
        clock.join()
        return Array((tags ?? []).prefix(most))
    }
}
