package import Basics
import Images
import Layers
import Linux
import OCI
package import Stores

/// A Dockerfile reconstructed from an image's history.
///
/// Guesses are marked `# ?`. A container's changes come last.
package struct ReverseDockerfile {
    package enum Line: Sendable, Hashable {
        case instruction(String)
        case comment(String)
        /// A comment about what is uncertain in the following instruction.
        case guess(String)
    }

    package private(set) var lines: [Line] = []
    /// Layers that the Dockerfile adds as a whole, with the file name for each.
    package private(set) var payloads: [(file: String, layer: Int)] = []
    private let layers: ImageLayers
    private let extracts: Bool

    /// `base` is the image with the lowest layers, when it is in the store.
    ///
    /// With `extracting` the files of copies are written beside the Dockerfile.
    ///
    /// Throws what reading the container's changes throws.
    package init(
        _ layers: ImageLayers, base: (name: String, image: Image)?, extracting: Bool
    ) throws(ShaleError) {
        self.layers = layers
        extracts = extracting
        lines.append(.instruction("FROM \(base?.name ?? "scratch")"))
        let below = base?.image.config.rootfs.diffIDs.count ?? 0
        let known = base?.image.containerConfig ?? ContainerConfig()
        let steps = Self.above(layers.image, below: below, base: base?.image)
        for step in steps {
            add(step.history ?? History(created: nil, createdBy: nil), layer: step.layer.map { layers.layers[$0] })
        }
        if !steps.contains(where: { $0.layer == nil }) {
            addSettings(from: known, to: layers.image.containerConfig)
        }
        guard let own = layers.own else { return }
        addSettings(from: layers.image.containerConfig, to: layers.settings)
        if try !own.changes().isEmpty {
            try addWhole(
                layers.layer(layers.count), why: "what the container changed; recipe \(own.record.name) knows how")
        }
    }

    private mutating func addSettings(from old: ContainerConfig, to new: ContainerConfig) {
        lines += ConfigInstructions.lines(from: old, to: new).map { .instruction($0) }
    }

    /// The history steps after the base's steps.
    private static func above(_ image: Image, below: Int, base: Image?) -> ArraySlice<ImageStep> {
        let steps = image.config.steps
        guard below > 0 else { return steps[...] }
        let known = base?.config.steps ?? []
        let isSame = { (one: ImageStep, other: ImageStep) in
            one.layer == other.layer && one.history?.createdBy ?? "" == other.history?.createdBy ?? ""
        }
        if known.count <= steps.count, zip(known, steps).allSatisfy(isSame) { return steps[known.count...] }
        guard let last = steps.firstIndex(where: { $0.layer == below - 1 }) else { return [] }
        return steps[(last + 1)...]
    }

    private mutating func add(_ step: History, layer: ImageLayer?) {
        let text = layer?.written ?? InstructionText.instruction(step.createdBy ?? "")
        let word = text.prefix { $0 != " " && $0 != "\t" }.uppercased()
        let rest = String(text.dropFirst(word.count)).trimmedBlanks
        switch word {
        case "COPY", "ADD":
            guard let layer else { return lines.append(.comment("nothing came of: \(text)")) }
            addCopy(layer, text: text, word: word, rest: rest)
        case "RUN":
            let hasBody = text.contains("\n") && layer?.written == nil
            lines.append(.instruction(hasBody ? "RUN <<'SHALE'\n\(rest)\nSHALE" : text))
        default:
            if let line = InstructionRewriting(config: layers.image.containerConfig).instruction(word, rest) {
                if line.isGuess { lines.append(.guess("read from the image's config")) }
                lines.append(.instruction(line.text))
            } else if let layer {
                if text.isEmpty || extracts {
                    addWhole(
                        layer,
                        why: text.isEmpty ? "how layer #\(layer.number) was made is not told" : "made by: \(text)")
                } else {
                    lines += [.guess("the history has it so, and names no instruction"), .instruction("RUN \(text)")]
                }
            } else if !text.isEmpty {
                lines.append(.guess(text))
            }
        }
    }

    /// Adds a COPY or ADD.
    ///
    /// The history contains the destination, and with BuildKit the sources, but never the contents.
    private mutating func addCopy(_ layer: ImageLayer, text: String, word: String, rest: String) {
        if extracts { return addWhole(layer, why: "it was: \(text)") }
        if layer.written != nil { return lines.append(.instruction(text)) }
        guard let split = rest.firstRange(of: " in "),
            rest.hasPrefix("file:") || rest.hasPrefix("dir:") || rest.hasPrefix("multi:")
        else {
            lines += [.guess("what it copied is in layer #\(layer.number)"), .instruction(text)]
            return
        }
        let destination = String(rest[split.upperBound...]).trimmedBlanks
        let name = destination.lastPathComponent
        let isFile = rest.hasPrefix("file:") && !destination.hasSuffix("/") && !name.isEmpty
        lines.append(.guess("the source's name is not told; what it copied is in layer #\(layer.number)"))
        lines.append(.instruction("\(word) \(isFile ? DockerfileWord.quoted(name) : ".") \(destination)"))
    }

    private mutating func addWhole(_ layer: ImageLayer, why: String) {
        let file = "layer-\(layer.number).tar"
        lines.append(extracts ? .comment(why) : .guess(why + "; --extract DIR writes the file"))
        if extracts {
            do throws(ShaleError) {
                let removed = try layers.index(layer.number).entries.filter { $0.kind == .whiteout }.map(\.path)
                if !removed.isEmpty {
                    lines.append(.instruction("RUN \(ConfigInstructions.array(["rm", "-rf", "--"] + removed))"))
                }
            } catch {
                lines.append(.guess("what layer #\(layer.number) removes cannot be read, and is left out: \(error)"))
            }
        }
        lines.append(.instruction("ADD \(file) /"))
        payloads.append((file, layer.number))
    }

    /// The text of the Dockerfile.
    package var text: String {
        var out = ""
        for line in lines {
            switch line {
            case .instruction(let text): out += text + "\n"
            case .comment(let text): out += Self.comment("# ", text)
            case .guess(let text): out += Self.comment("# ? ", text)
            }
        }
        return out
    }

    private static func comment(_ mark: String, _ text: String) -> String {
        text.split(separator: "\n").map { mark + String($0).visible + "\n" }.joined()
    }

    /// Writes the Dockerfile and the files it adds to a folder, which is created; returns the paths.
    ///
    /// Throws `cancelled` when it is stopped, what reading a layer throws, and the file system's error when a file
    /// cannot be written.
    package func write(into folder: String, _ cancellation: Cancellation) throws(ShaleError) -> [String] {
        try translating(folder) { try makeFolder(folder) }
        var written = ["\(folder)/Dockerfile"]
        for payload in payloads {
            let path = "\(folder)/\(payload.file)"
            try writeLayer(payload.layer, to: path, cancellation)
            written.append(path)
        }
        let bytes = text.pathBytes
        try translating(folder) {
            try UnnamedFile.write(bytes, to: "\(folder)/Dockerfile", mode: CallersUmask.applied(to: 0o644))
        }
        return written
    }

    private func writeLayer(_ number: Int, to path: String, _ cancellation: Cancellation) throws(ShaleError) {
        let directory = try layers.directory(number)
        let index = try layers.index(number)
        try translating(path) {
            var changes: [Change] = []
            for entry in index.entries where entry.kind != .whiteout && !entry.isCopiedUp {
                changes.append(
                    Change(kind: .added, path: entry.path, status: try directory.status(entry.path), link: entry.link))
            }
            let file = try UnnamedFile(for: path, mode: CallersUmask.applied(to: 0o644))
            _ = try LayerWriter.write(changes: changes, upper: directory, cancellation: cancellation) {
                (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                try translating(path) { try file.descriptor.write(bytes) }
            }
            try file.put(syncing: false)
        }
    }
}
