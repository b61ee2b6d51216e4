import Basics

/// `Resources/page.html`, in which `{{name}}` stands for a file beside it or for a text of the image's.
///
/// The files are part of the program (SwiftPM writes them into `PackageResources`).
enum PageTemplate {
    /// The files that the page is made of besides its frame, by their names there.
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

    /// The page with its files and these texts in their places; what stands in a text is no place itself.
    static func page(_ texts: [String: String]) -> String {
        let parts = parts
        let pieces = text(PackageResources.page_html).split(separator: "{{", omittingEmptySubsequences: false)
        var page = ""
        for (index, piece) in pieces.enumerated() {
            guard index > 0, let end = piece.firstRange(of: "}}") else {
                page += piece
                continue
            }
            let name = String(piece[..<end.lowerBound])
            page += texts[name] ?? parts[name].map { text($0).droppingFinalNewline } ?? ""
            page += piece[end.upperBound...]
        }
        return page
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
