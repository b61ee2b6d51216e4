import Basics
import Images
import OCI
import Rendering

/// The history of an image or container as a listing; `history IMAGE|CONTAINER`.
struct ImageHistory {
    /// Sizes and ages in words, or plain bytes and dates.
    var isHuman = true
    var noTrunc = false
    /// `--layers`: each row also describes its layer.
    var showsLayers = false

    func listing(_ rows: [HistoryRow], now: Timestamp = .now()) -> Listing {
        var columns = [
            Listing.Column("ID", "IMAGE"),
            Listing.Column("CreatedSince", isHuman ? "CREATED" : "CREATED AT"),
            Listing.Column("CreatedAt", "CREATED AT", isShown: false),
            Listing.Column("CreatedBy", "CREATED BY", shrinks: true),
            Listing.Column("Size", "SIZE"), Listing.Column("Comment", "COMMENT", shrinks: true),
        ]
        if showsLayers {
            columns[0].isShown = false
            columns.insert(Listing.Column("Layer", "#"), at: 0)
            columns.insert(
                contentsOf: [
                    Listing.Column("DiffID", "DIFF ID"), Listing.Column("Blob", "BLOB"),
                    Listing.Column("Packed", "PACKED"), Listing.Column("Unpacked", "UNPACKED"),
                    Listing.Column("Files", "FILES"),
                ], at: 4)
            columns.removeAll { $0.key == "Size" || $0.key == "Comment" }
        }
        return Listing(columns: columns, rows: rows.map { row($0, now: now) }, quietKey: "ID")
    }

    private func row(_ row: HistoryRow, now: Timestamp) -> JSONDocument {
        let by = row.createdBy.map { $0 == "\t" ? " " : $0 }
        let id =
            row.container.map { noTrunc ? $0 : Identifier.short($0) }
            ?? row.image.map { noTrunc ? $0.description : $0.short } ?? "<missing>"
        var members: [JSONDocument.Member] = [
            .init("Comment", .string(row.comment)),
            .init("CreatedAt", .string(Self.date(row.created))),
            .init("CreatedBy", .string(noTrunc ? String(by) : String(by).ellipsis(45))),
            .init("CreatedSince", .string(isHuman ? Self.since(row.created, now: now) : Self.date(row.created))),
            .init("ID", .string(id)),
            .init("Size", .string(isHuman ? HumanUnits.size(row.size) : String(row.size))),
        ]
        if showsLayers { members += layerMembers(row) }
        return .object(members)
    }

    private func layerMembers(_ row: HistoryRow) -> [JSONDocument.Member] {
        let size = { (bytes: Int64) in isHuman ? HumanUnits.size(bytes) : String(bytes) }
        guard let layer = row.layer else {
            return ["Layer", "DiffID", "Blob", "Packed", "Unpacked", "Files"].map { .init($0, "") }
        }
        return [
            .init("Layer", .string(String(layer.number))),
            .init("DiffID", digest(layer.diffID)), .init("Blob", digest(layer.blob?.digest)),
            .init("Packed", .string(layer.blob.map { size($0.size) } ?? "")),
            .init("Unpacked", .string(size(layer.unpackedSize))),
            .init("Files", .string(layer.whiteouts == 0 ? "+\(layer.files)" : "+\(layer.files) -\(layer.whiteouts)")),
        ]
    }

    private func digest(_ digest: Digest?) -> JSONDocument {
        .string(digest.map { noTrunc ? $0.description : $0.short } ?? "")
    }

    /// Docker prints N/A for a time before 2000, because reproducible builds write 1970.
    private static func since(_ time: Timestamp?, now: Timestamp) -> String {
        guard let time, time.seconds > 946_684_800 else { return "N/A" }
        return HumanUnits.duration(seconds: now.seconds(since: time)) + " ago"
    }

    private static func date(_ time: Timestamp?) -> String {
        guard let time else { return "N/A" }
        return Timestamp(seconds: time.seconds).description
    }
}
