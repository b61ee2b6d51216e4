package import Basics
package import GoTemplates

/// What every listing command returns: named columns, and a row an object.
///
/// One description feeds the table, `--format json`, `--format raw`, Go templates and `-q`.
package struct Listing: Sendable {
    /// A column, by the name that templates and `--format json` use.
    package struct Column: Sendable, Equatable {
        /// Docker's name for the field: `ID`, `CreatedSince`.
        package var key: String
        /// The header in a table: `CONTAINER ID`.
        package var header: String
        /// Whether the table without a template shows it.
        package var isShown: Bool
        /// Whether a narrow terminal may cut it.
        package var shrinks: Bool

        package init(_ key: String, _ header: String, isShown: Bool = true, shrinks: Bool = false) {
            self.key = key
            self.header = header
            self.isShown = isShown
            self.shrinks = shrinks
        }
    }

    /// `--format`.
    package enum Format: Sendable, Equatable {
        /// Columns under headers; with a template, its columns.
        case table(template: String?)
        /// One JSON object a line, keys sorted.
        case json
        /// `key: value` blocks.
        case raw
        case template(String)

        /// Reads the value of `--format`; no value means a table.
        package init(_ text: String?) {
            guard let text, !text.isEmpty else {
                self = .table(template: nil)
                return
            }
            switch text {
            case "table": self = .table(template: nil)
            case "json": self = .json
            case "raw": self = .raw
            case _ where text.hasPrefix("table "): self = .table(template: String(text.dropFirst("table ".count)))
            default: self = .template(text)
            }
        }
    }

    package var columns: [Column]
    /// Objects whose values are texts, as docker has them (`"true"`, `"0B"`), by the columns' keys.
    package var rows: [JSONDocument]
    /// The key that `-q` prints; `nil` where there is no `-q`.
    package var quietKey: String?
    /// The lines of `--format raw`, as label and key.
    ///
    /// Empty where docker has no such format; all columns then.
    package var rawLines: [(label: String, key: String)]
    /// The type's name in messages about unknown fields.
    package var goType: String
    /// Fields that take arguments, besides `.Label "name"`.
    package var methods: [String: Template.Method]

    package init(
        columns: [Column], rows: [JSONDocument] = [], quietKey: String? = nil,
        rawLines: [(label: String, key: String)] = [], goType: String = "*formatter.Context",
        methods: [String: Template.Method] = [:]
    ) {
        self.columns = columns
        self.rows = rows
        self.quietKey = quietKey
        self.rawLines = rawLines
        self.goType = goType
        self.methods = methods
    }

    /// The listing as text.
    ///
    /// - Parameters:
    ///   - format: What was asked for.
    ///   - quiet: `-q`: wins over a table and `raw`, and over a template only if `quietWins` (docker's `ps`).
    ///   - quietWins: See `quiet`.
    ///   - width: The terminal's columns, when it goes to one.
    ///   - isTall: Whether a table without a template has a field a line.
    /// - Returns: Whole lines; nothing for no rows, but for a table's header.
    /// - Throws: `invalid` for a template that cannot be read or filled in.
    package func text(
        format: Format, quiet: Bool = false, quietWins: Bool = false, width: Int? = nil, isTall: Bool = false
    ) throws(ShaleError) -> String {
        switch format {
        case .table(let template):
            if quiet, let quietKey, template == nil || quietWins { return lines(of: quietKey) }
            return try template.map { template throws(ShaleError) in try table(template) }
                ?? (isTall ? table.tallText : table.text(width: width))
        case .raw:
            if quiet, let quietKey { return raw([(rawLabel(quietKey), quietKey)], separated: false) }
            let all = rawLines.isEmpty ? columns.map { ($0.key.snakeCase, $0.key) } : rawLines
            return raw(all, separated: true)
        case .json:
            return rows.map { $0.sortedByKey.text() + "\n" }.joined()
        case .template(let text):
            if quiet, quietWins, let quietKey { return lines(of: quietKey) }
            let template = try Template(parsing: text, expandingEscapes: true)
            var out = ""
            for row in rows { out += try filled(template, row.sortedByKey).visibleLines + "\n" }
            return out
        }
    }

    // MARK: Table

    private var table: Table {
        let shown = columns.filter(\.isShown)
        return Table(
            headers: shown.map(\.header),
            rows: rows.map { row in shown.map { cell(row, $0.key) } },
            shrinkable: Set(shown.indices.filter { shown[$0].shrinks }))
    }

    private func table(_ text: String) throws(ShaleError) -> String {
        let template = try Template(parsing: text, expandingEscapes: true)
        let headers = JSONDocument.object(columns.map { JSONDocument.Member($0.key, .string($0.header)) })
        var all = try template.header(headers, methods: ["Label": Self.labelHeader]) + "\n"
        for row in rows { all += try filled(template, row).visibleLines + "\n" }
        return ElasticTabs.text(tabbed: all)
    }

    private func filled(_ template: Template, _ row: JSONDocument) throws(ShaleError) -> String {
        let all = methods.merging(["Label": Self.label]) { own, _ in own }
        return try template.text(of: row, missing: .noField(type: goType), methods: all)
    }

    // MARK: Raw and quiet

    private func raw(_ lines: [(label: String, key: String)], separated: Bool) -> String {
        rows.map { row in
            let block = lines.map { line in
                let value = cell(row, line.key).singleLine
                return value.isEmpty ? "\(line.label):\n" : "\(line.label): \(value)\n"
            }
            return block.joined() + (separated ? "\n" : "")
        }.joined()
    }

    private func rawLabel(_ key: String) -> String { rawLines.first { $0.key == key }?.label ?? key.snakeCase }

    private func lines(of key: String) -> String { rows.map { cell($0, key).visible + "\n" }.joined() }

    private func cell(_ row: JSONDocument, _ key: String) -> String {
        switch row[key] {
        case nil, .null: ""
        case .string(let text): text
        case .some(let document): GoText.text(document)
        }
    }

    // MARK: Labels

    /// `.Label "name"`: from a `Labels` field that is a map or docker's `a=b,c=d`.
    private static let label: Template.Method = { row, arguments in
        guard case .string(let name)? = arguments.first else { return .string("") }
        switch row["Labels"] {
        case .object(let members): return members.first { $0.key == name }?.value ?? .string("")
        case .string(let text):
            for pair in text.split(separator: ",") where pair.hasPrefix(name + "=") {
                return .string(String(pair.dropFirst(name.count + 1)))
            }
            return .string("")
        default: return .string("")
        }
    }

    /// The header of a label's column: its name's last part, in words.
    private static let labelHeader: Template.Method = { _, arguments in
        guard case .string(let name)? = arguments.first else { return .string("") }
        let last = name.split(separator: ".").last.map(String.init) ?? name
        return .string(String(last.map { $0 == "-" || $0 == "_" ? " " : $0 }))
    }
}

extension JSONDocument {
    /// The same with an object's members sorted by key, as Go prints a map.
    package var sortedByKey: JSONDocument {
        guard case .object(let members) = self else { return self }
        return .object(members.sorted { $0.key < $1.key })
    }
}

extension String {
    /// `ContainerID` as `container_id`.
    fileprivate var snakeCase: String {
        var out = ""
        var wasLower = false
        for character in self {
            if character.isUppercase, wasLower { out += "_" }
            out += character.lowercased()
            wasLower = character.isLowercase
        }
        return out
    }
}
