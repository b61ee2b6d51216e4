package import Basics

/// A Go template (`text/template`) as docker users write them for `--format`, over JSON documents.
///
/// Has what docker's templates have: fields, pipelines, `if`, `range`, `with`, `break`, `continue`, variables,
/// comments, trim markers, Go's own functions and docker's (`json join split lower upper title pad truncate`).
/// Named templates (`define`, `template`, `block`) are refused.
package struct Template: Sendable {
    /// What a field that is not there means.
    package enum Missing: Sendable, Equatable {
        /// Go's `<no value>`, as for any key of a map.
        case noValue
        /// An error that names the type, as for a field of a struct: the rows of listings.
        case noField(type: String)
        /// An error as docker's `inspect` gives it, but for members of the objects that are maps in docker's types.
        case noEntry
    }

    /// A method of the data: `.Label "name"`.
    package typealias Method = @Sendable (_ data: JSONDocument, _ arguments: [JSONDocument]) -> JSONDocument?

    let nodes: [TemplateNode]
    let bytes: [UInt8]

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - text: The template.
    ///   - expandingEscapes: Turns `\t` and `\n`, written as two characters, into what they mean, as listings do.
    /// - Throws: `invalid`, in Go's words behind docker's `template parsing error: `.
    package init(parsing text: String, expandingEscapes: Bool = false) throws(ShaleError) {
        let text = expandingEscapes ? text.expandingTabsAndNewlines : text
        bytes = Array(text.utf8)
        var parser = TemplateParser(text)
        do throws(TemplateSyntaxError) {
            nodes = try parser.parse()
        } catch {
            let line = TemplateParser.place(of: error.position, in: bytes).line
            throw Template.failure("template: :\(line): \(error.message)")
        }
    }

    /// Fills the template in.
    ///
    /// - Parameters:
    ///   - data: What `.` and `$` are.
    ///   - missing: What an absent field of `data` means.
    ///   - methods: Names that may be called with arguments on `data`.
    /// - Returns: The text.
    /// - Throws: `invalid`, worded as Go's execution errors.
    package func text(
        of data: JSONDocument, missing: Missing = .noValue, methods: [String: Method] = [:]
    ) throws(ShaleError) -> String {
        try text(of: data, missing: missing, methods: methods, isHeader: false)
    }

    /// Fills in the template with a table's headers; docker's own functions return a header unchanged.
    ///
    /// Throws `invalid`, worded as Go's execution errors.
    package func header(_ headers: JSONDocument, methods: [String: Method]) throws(ShaleError) -> String {
        try text(of: headers, missing: .noValue, methods: methods, isHeader: true)
    }

    private func text(
        of data: JSONDocument, missing: Missing, methods: [String: Method], isHeader: Bool
    ) throws(ShaleError) -> String {
        var evaluator = TemplateEvaluator(root: data, missing: missing, methods: methods, isHeader: isHeader)
        do throws(TemplateFailure) {
            return try evaluator.run(nodes)
        } catch {
            let place = TemplateParser.place(of: error.position, in: bytes)
            let context = error.source.count > 20 ? error.source.prefix(20) + "..." : error.source[...]
            throw Template.failure(
                "template: :\(place.line):\(place.column): executing \"\" at <\(context)>: \(error.message)")
        }
    }

    static func failure(_ text: String) -> ShaleError { ShaleError(.invalid, "template parsing error", cause: text) }
}

extension String {
    /// `\t` and `\n` as the characters they name, outside of actions: strings in those read them by themselves.
    fileprivate var expandingTabsAndNewlines: String {
        guard contains("\\") else { return self }
        var out = UnicodeScalarView()
        var isEscaped = false
        var actions = ActionScanner()
        for scalar in unicodeScalars {
            if actions.isInside(scalar) {
                out.append(scalar)
            } else if isEscaped {
                isEscaped = false
                switch scalar {
                case "t": out.append("\t")
                case "n": out.append("\n")
                default:
                    out.append("\\")
                    if scalar == "\\" { isEscaped = true } else { out.append(scalar) }
                }
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                out.append(scalar)
            }
        }
        if isEscaped { out.append("\\") }
        return String(out)
    }
}

/// Which of a template's characters stand between `{{` and `}}`; those in a string do not close it.
private struct ActionScanner {
    private var isOpen = false
    private var quote: Unicode.Scalar?
    private var isEscaped = false
    private var last: Unicode.Scalar = " "

    /// Takes the next character.
    mutating func isInside(_ scalar: Unicode.Scalar) -> Bool {
        defer { last = scalar }
        guard isOpen else {
            isOpen = scalar == "{" && last == "{"
            return false
        }
        if let quote {
            if isEscaped {
                isEscaped = false
            } else if scalar == "\\", quote != "`" {
                isEscaped = true
            } else if scalar == quote {
                self.quote = nil
            }
        } else if ["\"", "'", "`"].contains(scalar) {
            quote = scalar
        } else if scalar == "}", last == "}" {
            isOpen = false
        }
        return true
    }
}
