import Basics
import Rendering

/// A table of the explorer's: cells for people, documents with plain numbers for `--format json` and templates.
struct Rows {
    struct Column {
        var key: String
        var header: String
        var shrinks = false
    }

    private let columns: [Column]
    private var documents: [JSONDocument] = []
    private var cells: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [String], _ document: JSONDocument) {
        self.cells.append(cells)
        documents.append(document)
    }

    /// The table, one document a line, or a template filled in for each.
    func outcome(format: String?, width: Int?, status: Int32 = 0) -> Outcome {
        switch Listing.Format(format) {
        case .table(template: nil):
            let table = Table(
                headers: columns.map(\.header), rows: cells,
                shrinkable: Set(columns.indices.filter { columns[$0].shrinks }))
            return Outcome(.table(table), status: status)
        case .json: return Outcome(.lines(documents.map { $0.text() }), status: status)
        default:
            let listing = Listing(columns: columns.map { Listing.Column($0.key, $0.header) }, rows: documents)
            var outcome = Outcome.listing(listing, format: format)
            outcome.status = status
            return outcome
        }
    }
}
