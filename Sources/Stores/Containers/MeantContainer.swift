package import Basics
import Glibc
import OCI

/// A container that a word names where an image could be named as well.
package struct MeantContainer: Sendable {
    package var record: ContainerRecord
    /// How to name the image that the same word would name, were the container not there.
    package var image: String?

    /// What to tell a person when the word fits both; `nil` when it fits the container alone.
    package func note(_ text: String) -> String? {
        image.map { "\(text.visible) is the container \(record.name) here; \($0.visible) is the image" }
    }
}

extension Store {
    /// The container that a word means where an image or a container may stand; `nil` where an image is meant, or
    /// nothing has the name.
    ///
    /// The one order for every command: a container's whole id or name, an image's whole name or id, the beginning of a
    /// container's id, the beginning of an image's. Throws `conflict` for a beginning that fits several containers.
    package func container(meantBy text: String) throws(ShaleError) -> MeantContainer? {
        // `@`, and a path or a digest can be no container's.
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
