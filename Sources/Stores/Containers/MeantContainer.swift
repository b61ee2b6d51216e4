package import Basics
import Glibc
import OCI

/// The container that a word means, where the word could also mean an image.
package struct MeantContainer: Sendable {
    package var record: ContainerRecord
    /// A name for the image that the same word could mean; `nil` when there is none.
    package var image: String?

    /// A note for the user when the word could also mean an image; `nil` otherwise.
    package func note(_ text: String) -> String? {
        image.map { "\(text.visible) is the container \(record.name) here; \($0.visible) is the image" }
    }
}

extension Store {
    /// The container that a word means where an image or a container is possible; `nil` when the word means an image or
    /// nothing.
    ///
    /// All commands use this order: a container's full ID or name, an image's full name or ID, the beginning of a
    /// container's
    /// ID, the beginning of an image's ID. Throws `conflict` when several container IDs begin with the word.
    package func container(meantBy text: String) throws(ShaleError) -> MeantContainer? {
        // `@`, a path and a digest cannot be a container.
        guard !text.isEmpty, !text.contains("@") else { return nil }
        if let id = containers.wholeName(text) {
            return MeantContainer(
                record: try containers.record(id), image: images.isWholeName(text) ? tagged(text) : nil)
        }
        if images.isWholeName(text) { return nil }
        let id: String
        do throws(ShaleError) {
            id = try containers.id(of: text)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        var other: String?
        do throws(ShaleError) {
            other = "sha256:" + (try images.id(of: text)).short
        } catch {
            if error.code == .conflict { other = "more of sha256:\(text)…" }
        }
        return MeantContainer(record: try containers.record(id), image: other)
    }

    private func tagged(_ text: String) -> String {
        guard !Reference.isIdentifier(text), let reference = try? Reference(parsing: text) else {
            return "sha256:\(text)"
        }
        return reference.withDefaultTag.familiar
    }
}
