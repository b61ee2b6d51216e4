package import Basics
import Images
import OCI
import Stores

/// Words that were typed and led to lines of a recipe.
package struct TypedWords: Sendable, Hashable {
    package var at: Timestamp?
    /// The words, with secrets masked.
    package var words: String
    /// The container in which they ran; `nil` for the prompt.
    package var container: String?

    package init(at: Timestamp?, words: String, container: String? = nil) {
        self.at = at
        self.words = words
        self.container = container
    }
}

extension RecipeEngine {
    /// What was typed in a container, or for an image, as far as the records of the store have it.
    ///
    /// Throws `corrupt` when the record of the image cannot be read, and the store's error for a missing container.
    package func typedWords(of source: Recipe.LayerOwner) throws(ShaleError) -> [TypedWords] {
        switch source {
        case .container(let id):
            let record = try store.containers.record(id)
            return Self.words(store.containers.events(of: id), in: record.name)
        case .image(let id):
            let made = try? store.images.image(id).config.created
            switch try images.provenance(of: id)?.origin {
            case .commit(_, let name, _, _, let events)?: return Self.words(events, in: name)
            case .typed(let line)?: return [TypedWords(at: made, words: Secrets.masked(line).text)]
            case .edited(_, let text)?: return [TypedWords(at: made, words: Secrets.masked(text).text)]
            case .step(let instruction, _)?: return [TypedWords(at: made, words: Secrets.masked(instruction).text)]
            case .imported?, .lost?, nil: return []
            }
        }
    }

    private static func words(_ events: [ContainerEvent], in container: String) -> [TypedWords] {
        events.compactMap { event in
            let verb: String
            switch event.kind {
            case .run, .exec: verb = ""
            case .copyIn: verb = "cp "
            case .edit: verb = "edit "
            case .copyOut, .commit: return nil
            }
            let words = (event.arguments + [event.destination].compactMap(\.self)).map(\.shellQuoted)
            let text = Secrets.masked(verb + words.joined(separator: " ")).text
            return TypedWords(at: event.began ?? event.at, words: text, container: container)
        }
    }
}
