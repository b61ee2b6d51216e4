package import Basics
import Stores

/// One page, whole in itself, that shows the layers of an image or a container: stack, bytes, files, search; for any
/// browser, no network.
package struct LayerPage {
    package let text: String

    /// Draws the page, and which images here share the layers.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the images here and the layers' indexes throws.
    package init(_ layers: ImageLayers, _ cancellation: Cancellation) throws(ShaleError) {
        let owners = try LayerTable.owners(in: layers.images, besides: layers.image.id)
        let shared = try layers.stack().map { $0.chain.flatMap { owners[$0] } ?? [] }
        let data = try PageData(layers, sharedWith: shared, cancellation)
            .text(waste: DiveEfficiency(layers, cancellation))
        text = PageTemplate.page(["title": Self.escaped(layers.title.visible), "data": data])
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { out, character in
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
    }
}
