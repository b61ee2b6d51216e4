import Basics

/// Explains why a path does not exist: a similar name in its directory, or the layer that deleted it.
struct MissingPath {
    let view: PlaceView
    let path: String

    func error() throws(ShaleError) -> ShaleError {
        let place = "\(view.label):\(path)"
        var here = "/"
        for part in path.pathParts {
            if part == "." { continue }
            let next = part == ".." ? here.parentPath : here.appendingPath(part)
            guard let found = try view.entry(next, followingLinks: true) else {
                return try missing(String(part), at: next, in: here, place)
            }
            if found.kind == .whiteout { return ShaleError(.notFound, "\(place): deleted by this layer") }
            if found.kind != .directory, !PathIdentity.isEnd(next, of: path) {
                return ShaleError(.invalid, "\(place): not a directory", cause: "\(found.path) is a \(found.kind.noun)")
            }
            here = found.path
        }
        return ShaleError(.notFound, "\(place): no such file or directory")
    }

    private func missing(
        _ name: String, at next: String, in here: String, _ place: String
    ) throws(ShaleError) -> ShaleError {
        if let link = try view.entry(next, followingLinks: false), link.kind == .symlink {
            return ShaleError(
                .notFound, "\(place): no such file or directory",
                cause: "\(link.path) is a link to \(link.link.visible), which is not there")
        }
        let error = ShaleError(.notFound, "\(place): no such file or directory")
        if case .image(let layers) = view.source, let hint = deletedHint(layers, next) { return error.hinting(hint) }
        if case .container(_, let layers) = view.source, let image = try? PlaceView(.image(layers), label: layers.name),
            (try? image.entry(path, followingLinks: true)) ?? nil != nil
        {
            return error.hinting("the container deleted it; \(layers.name):\(path.cleanPath) still has it")
        }
        guard let directory = try view.entry(here, followingLinks: true) else { return error }
        let names = try view.children(of: directory).filter { $0.kind != .whiteout }.map(\.name)
        guard let near = Suggestion.nearest(to: name, among: names).first else {
            return error.hinting("ls \(view.label):\(here)")
        }
        return error.hinting("did you mean \(view.label):\(here.appendingPath(near))?")
    }

    /// A hint with the layer that deleted the path, and a lower layer where it can still be read.
    private func deletedHint(_ layers: ImageLayers, _ next: String) -> String? {
        // Nothing is downloaded only for a hint.
        if layers.isRemote { return remoteHint(layers) }
        guard let story = try? Blame(layers: layers).story(of: path.cleanPath), let end = story.last,
            end.event == .removed, let before = story.dropLast().last(where: { $0.event != .removed })
        else { return nil }
        return "layer \(end.layer) deletes it; \(layers.name)#\(before.layer):\(path.cleanPath) still has it"
    }
}

extension MissingPath {
    private func remoteHint(_ layers: ImageLayers) -> String? {
        for layer in layers.layers.reversed() {
            guard let index = (try? layers.knownIndex(layer.number)).flatMap(\.self) else { return nil }
            guard Blame.remover(of: path.cleanPath, in: index) != nil else { continue }
            return layer.number == 1
                ? nil
                : "layer \(layer.number) deletes it; a layer below it may still have it: \(layers.name)#N:\(path.cleanPath)"
        }
        return nil
    }
}

private enum PathIdentity {
    /// Whether a part of a path is its end.
    ///
    /// A slash at the end requires a directory, so it is then not the end.
    static func isEnd(_ reached: String, of path: String) -> Bool {
        !path.hasSuffix("/")
            && path.pathParts.filter { $0 != "." }.last.map(String.init) == reached.lastPathComponent
            && path.cleanPath.utf8.count <= reached.utf8.count
    }
}
