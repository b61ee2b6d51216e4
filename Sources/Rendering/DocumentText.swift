package import Basics
import GoTemplates

/// What `inspect` prints: a JSON array with four spaces a level, or a template filled in for each document.
package enum DocumentText {
    /// The text that is printed.
    ///
    /// Throws what reading the template and filling it in throws.
    package static func text(of documents: [JSONDocument], template: String?) throws(ShaleError) -> String {
        guard let template, !template.isEmpty else {
            return JSONDocument.array(documents).text(indent: 4) + "\n"
        }
        if template == "json" { return documents.map { $0.text() + "\n" }.joined() }
        let parsed = try Template(parsing: template, expandingEscapes: true)
        var text = ""
        for document in documents { text += try parsed.text(of: document, missing: .noEntry) + "\n" }
        return text
    }
}
