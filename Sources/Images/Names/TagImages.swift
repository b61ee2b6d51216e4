package import Basics
package import OCI
import Stores

/// A change of one name, for the notes of a command.
package struct NameChange: Sendable {
    package let reference: Reference
    /// The image that the name stood for before; `nil` when the name did not exist.
    package let before: Digest?
    /// The image that the name stands for now; `nil` when the name was removed.
    package let after: Digest?
}

extension ImageEngine {
    /// Gives an image, or the index that a name stands for, one more name.
    ///
    /// Another image loses that name.
    ///
    /// Throws `invalid` when `target` cannot be a tag's name, what ``image(named:platform:)`` throws, and what writing the names
    /// throws.
    package func tag(_ source: String, as target: Reference) throws(ShaleError) -> NameChange {
        let reference = try target.asTarget()
        let image = try image(named: source)
        let before = try imageID(of: reference)
        try Observer.measure(.image, "tag \(reference.familiar)") { () throws(ShaleError) in
            _ = try store.images.tag(image, as: reference)
        }
        return NameChange(reference: reference, before: before, after: image.id)
    }

    /// Removes a name.
    ///
    /// The image stays, without a name if that was its last one.
    ///
    /// Throws `notFound` when there is no such name, and what writing the names throws.
    package func untag(_ reference: Reference) throws(ShaleError) -> NameChange {
        let reference = reference.withDefaultTag
        let entry = try store.removeName(reference)
        guard let entry else { throw ShaleError(.notFound, "No such image: \(reference.familiar)") }
        return NameChange(reference: reference, before: entry.image, after: nil)
    }

    /// Reads a name for an image.
    ///
    /// Errors have docker's wording.
    ///
    /// Throws `invalid` when the text cannot be a tag's name.
    package static func target(_ text: String) throws(ShaleError) -> Reference {
        try Reference(parsing: text).asTarget()
    }

    private func imageID(of reference: Reference) throws(ShaleError) -> Digest? {
        try store.names.table().entry(named: reference)?.image
    }
}
