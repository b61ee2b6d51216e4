import Basics
import Explorer
import Images
import OCI
import Recipes
import Sessions
import Stores

// Lines that moved names, or brought images.
extension Explainer {
    /// What a line did to names and images; `nil` where it did nothing to them.
    func ofNames(_ facts: LineFacts) -> [String]? {
        let moves = facts.changes.compactMap { change -> (Reference, ImageEntry?, ImageEntry?)? in
            if case .name(let name, let before, let after) = change { (name, before, after) } else { nil }
        }
        var arrived: [Digest] = []
        var departed: [Digest] = []
        for case .images(let came, let went) in facts.changes {
            arrived += came
            departed += went
        }
        guard !moves.isEmpty || !arrived.isEmpty || !departed.isEmpty else { return nil }
        if arrived.isEmpty { return moved(moves, departed) }
        return came(arrived, moves, facts)
    }

    private func came(
        _ arrived: [Digest], _ moves: [(Reference, ImageEntry?, ImageEntry?)], _ facts: LineFacts
    ) -> [String] {
        // Of a build with many steps, the one that got the name.
        let named = moves.compactMap { $0.2?.image }.last
        guard let id = named ?? arrived.last, let made = try? ImageFacts(id, engine) else {
            return ["The images that it brought are not here any more."]
        }
        let fresh = Set(arrived.map(\.short)).union(moves.map { $0.0.familiar })
        let shared = made.shared(besides: fresh)
        let own = made.bytes &- shared.bytes
        var lines: [String] = []
        let also = arrived.count > 1 ? ", and \(Words.count(arrived.count - 1, "image")) of the steps on the way" : ""
        lines.append("New here: \(made.name)\(also). It has \(made.count) with \(Words.size(made.bytes)) of files.")
        if shared.layers > 0 {
            lines.append(
                "\(shared.layers == made.rows.count ? "All" : "\(shared.layers)") of its layers (\(Words.size(shared.bytes))) "
                    + "were here already: \(Words.list(shared.names)) \(verb(shared.names, "has", "have")) them too.")
        }
        lines.append("So it takes \(Words.size(own)) more of this disk, and a few kB for its manifest and its config.")
        if let top = made.top, made.rows.count > 1 {
            lines.append(
                "The highest layer, #\(top.layer.number), comes from \"\(top.layer.headline.visible)\": "
                    + "\(Words.changes(top.count ?? ChangeCount())), \(Words.size(top.bytes)).")
            lines += hidden(made)
        }
        if let before = moves.last(where: { $0.2?.image == id && $0.1 != nil })?.1 {
            lines.append("Its name led to \(Words.id(before)) before; that image stays here, without the name.")
        }
        lines.append("undo takes the image and its names out of the lists; its files stay until prune --history.")
        return lines
    }

    private func moved(_ moves: [(Reference, ImageEntry?, ImageEntry?)], _ departed: [Digest]) -> [String] {
        var lines: [String] = []
        for (name, before, after) in moves.prefix(2) {
            switch (before, after) {
            case (nil, let after?):
                lines.append("\(name.familiar.visible) is a new name of the image \(Words.id(after)).")
            case (let before?, let after?):
                lines.append("\(name.familiar.visible) led to \(Words.id(before)) and leads to \(Words.id(after)) now.")
            case (let before?, nil):
                lines.append("\(name.familiar.visible) is no name of \(Words.id(before)) any more.")
            case (nil, nil): break
            }
        }
        if moves.count > 2 { lines.append("The same was done to \(Words.count(moves.count - 2, "name")) more.") }
        if departed.isEmpty {
            lines.append("No layer was made and no byte was copied: a name is an entry in the home's index.json.")
        } else {
            lines.append("\(Words.count(departed.count, "image")) went out of the lists with the last name.")
        }
        if let id = moves.last.flatMap({ ($0.2 ?? $0.1)?.image }), let image = try? ImageFacts(id, engine) {
            let names = image.image.references.map(Words.name)
            lines.append(
                names.isEmpty
                    ? "The image \(image.image.id.short) has no name now."
                    : "The image has \(verb(names, "the name", "the names")) \(Words.list(names)) now; it is one image with \(image.count), \(Words.size(image.bytes))."
            )
        }
        lines.append("The layers stay on this disk as long as an image, a container or undo needs them.")
        lines.append("undo makes the names lead where they led before.")
        return lines
    }
}
