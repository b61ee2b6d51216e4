package import Basics
package import Stores

/// One page, whole in itself, that shows the layers of an image or a container: stack, bytes, files, search; for any browser, no network.
package struct LayerPage {
    package let text: String

    /// Draws the page; `store` tells which images share its layers.
    package init(_ layers: ImageLayers, store: Store, _ cancellation: Cancellation) throws(ShaleError) {
        let owners = try LayerTable.owners(in: store, besides: layers.image.id)
        let shared = try layers.stack().map { $0.chain.flatMap { owners[$0] } ?? [] }
        let data = try PageData(layers, sharedWith: shared, cancellation)
            .text(waste: DiveEfficiency(layers, cancellation))
        text = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
            script-src 'unsafe-inline'; img-src data:">
            <meta name="color-scheme" content="light dark">
            <title>\(Self.escaped(layers.title.visible)) · layers</title>
            <style>
            \(PageStyle.text)
            </style>
            </head>
            <body>
            \(PageMarkup.text)
            <script type="application/json" id="data">
            \(data)
            </script>
            <script>
            "use strict";
            \(PageScript.model)
            \(PageScript.stack)
            \(PageScript.treemap)
            \(PageScript.files)
            \(PageScript.start)
            </script>
            </body>
            </html>

            """
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
