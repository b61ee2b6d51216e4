import Basics

/// A page of HTML in which `{{name}}` stands for a file beside it or for a text.
///
/// The files are part of the program (SwiftPM writes them into `PackageResources`).
package struct PageTemplate {
    private let frame: [UInt8]
    private let parts: [String: [UInt8]]

    /// `parts` are the files that the page is made of besides its frame, by their names there.
    package init(frame: [UInt8], parts: [String: [UInt8]]) {
        self.frame = frame
        self.parts = parts
    }

    /// The page with its files and texts inserted.
    ///
    /// Inserted text is not searched for `{{` again.
    package func page(_ texts: [String: String]) -> String {
        let pieces = Self.text(frame).split(separator: "{{", omittingEmptySubsequences: false)
        var page = ""
        for (index, piece) in pieces.enumerated() {
            guard index > 0, let end = piece.firstRange(of: "}}") else {
                page += piece
                continue
            }
            let name = String(piece[..<end.lowerBound])
            page += texts[name] ?? parts[name].map { Self.text($0).droppingFinalNewline } ?? ""
            page += piece[end.upperBound...]
        }
        return page
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// A text as it stands between tags and in attributes.
    package static func escaped(_ text: String) -> String {
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

    /// JSON as it may stand in a script element: nothing in it can end the element or begin a comment.
    package static func inScript(_ json: String) -> String {
        json.replacing("<", with: "\\u003c").replacing(">", with: "\\u003e").replacing("&", with: "\\u0026")
    }
}
