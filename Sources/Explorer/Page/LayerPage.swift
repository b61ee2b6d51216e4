package import Basics
import Stores

/// A self-contained HTML page that shows the layers of an image or a container: stack, sizes, files and search.
///
/// It needs no network.
package struct LayerPage {
    package let text: String

    /// Makes the page, with the names of images in the store that share layers.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the images here and the layers' indexes throws.
    package init(_ layers: ImageLayers, _ cancellation: Cancellation) throws(ShaleError) {
        let owners = try LayerTable.owners(in: layers.images, besides: layers.image.id)
        let shared = try layers.stack().map { $0.chain.flatMap { owners[$0] } ?? [] }
        let data = try PageData(layers, sharedWith: shared, cancellation)
            .text(waste: DiveEfficiency(layers, cancellation))
        text = Self.template.page([
            "title": PageTemplate.escaped(layers.title.visible), "data": data,
        ])
    }

    static var template: PageTemplate { PageTemplate(frame: PackageResources.page_html, parts: parts) }

    static var parts: [String: [UInt8]] {
        [
            "page.css": PackageResources.page_css,
            // The data, and what follows from it: which bytes can be seen in the end, and the tree as it is after a
            // layer.
            "model.js": PackageResources.model_js,
            // The list of layers, and the numbers above it.
            "stack.js": PackageResources.stack_js,
            // Where the bytes are: nested rectangles (Bruls, Huizing and van Wijk, "Squarified Treemaps", 2000).
            "treemap.js": PackageResources.treemap_js,
            // The files: only the rows that can be seen are in the document, however many there are.
            "files.js": PackageResources.files_js,
            // Reactions, and the first drawing.
            "start.js": PackageResources.start_js,
        ]
    }
}
