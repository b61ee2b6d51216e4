package import Basics
import Layers
import Linux
import OCI
package import Stores

extension ImageEngine {
    /// Makes layers `first` to `last` of an image one; `nil` for a trial.
    ///
    /// Layers are counted from 1, the lowest; `nil` stands for the lowest, and for the topmost. What is merged and
    /// saved is printed as notes before anything is made. The layers above stay as they are. The history keeps the
    /// instructions of the merged layers as the comment of the new one. The image gets the source's time of creation,
    /// so that the same layers give the same image.
    ///
    /// Throws `notFound` for an image that is not here, `usage` for a range it does not have, `cancelled` when the
    /// operation is stopped, and what reading the layers or writing to the store throws.
    package func squash(
        _ name: String, from first: Int? = nil, to last: Int? = nil, _ options: EditOptions,
        _ operation: OperationContext
    ) throws(ShaleError) -> Image? {
        let image = try editedImage(name)
        let name = Self.shownName(of: image, called: name)
        let range = try Self.range(from: first, to: last, of: image, named: name)
        let squashed = try squashedLayers(range, of: image, operation.cancellation)
        try tell(squashed, range, of: image, named: name, operation)
        if options.isTrial { return nil }
        let layer = squashed.isEmpty ? nil : try store(squashed, operation)
        let squash = Squash(range: range, layer: layer)
        return try add(squash, of: image, named: name, options, operation)
    }

    /// Positions of the layers, 0 the lowest.
    private static func range(
        from first: Int?, to last: Int?, of image: Image, named name: String
    ) throws(ShaleError) -> Range<Int> {
        let count = image.config.rootfs.diffIDs.count
        guard count > 0 else { throw ShaleError(.invalid, "\(name): the image has no layers") }
        let (from, to) = (first ?? 1, last ?? count)
        for (option, number) in [("--from", from), ("--to", to)] where !(1...count).contains(number) {
            throw ShaleError(
                .usage, "\(option) \(number): \(name) has layers 1 to \(count)", hint: "layers \(name)")
        }
        guard from <= to else {
            throw ShaleError(
                .usage, "--from \(from) is above --to \(to)", hint: "squash \(name) --from \(to) --to \(from)")
        }
        return (from - 1)..<to
    }

    func squashedLayers(
        _ range: Range<Int>, of image: Image, _ cancellation: Cancellation
    ) throws(ShaleError) -> SquashedLayers {
        let paths = try unpackedPaths(image.config, image.manifest.layers)
        let diffIDs = image.config.rootfs.diffIDs
        let blobs = image.manifest.layers
        var sources: [SquashedLayers.Source] = []
        for position in range {
            sources.append(
                .init(
                    index: try LayerIndexes.index(position, of: diffIDs, blob: blobs[position], in: store),
                    root: try open(paths[position])))
        }
        let below =
            range.lowerBound == 0
            ? nil : MergedTree(layers: try directories(paths[..<range.lowerBound].reversed()), form: form)
        return try SquashedLayers(sources, below: below, cancellation: cancellation)
    }

    /// Says which layers become one, and what that saves.
    func tell(
        _ squashed: SquashedLayers, _ range: Range<Int>, of image: Image, named name: String,
        _ operation: OperationContext
    ) throws(ShaleError) {
        let stack = LayerStore.stack(of: image.config)
        let sizes = stack.map { store.layers.size($0.diffID, on: $0.parentChain)?.content ?? 0 }
        let makers = image.config.layerHistory
        let verb = range.count == 1 ? "is written anew" : "become one"
        operation.note("\(name): \(Self.words(range)) of \(stack.count) \(verb):")
        for position in range {
            let maker = InstructionText.instruction(makers[position]?.createdBy ?? "")
            operation.note("  #\(position + 1)  \(HumanUnits.size(sizes[position]))  \(maker.visible)")
        }
        let before = sizes.reduce(0 as Int64) { $0.addingClamped($1) }
        let merged = range.reduce(0 as Int64) { $0.addingClamped(sizes[$1]) }
        let after = before.addingClamped(squashed.contentBytes).subtractingClamped(merged)
        let saved = before.subtractingClamped(after)
        operation.note(
            "before \(HumanUnits.size(before)), after \(HumanUnits.size(after)): \(HumanUnits.size(max(0, saved))) saved"
        )
    }

    private static func words(_ range: Range<Int>) -> String {
        range.count == 1
            ? "layer \(range.lowerBound + 1)" : "layers \(range.lowerBound + 1) to \(range.upperBound)"
    }

    /// Writes the merged layer as a blob, and unpacks it.
    func store(
        _ squashed: SquashedLayers, _ operation: OperationContext
    ) throws(ShaleError) -> MergedLayer {
        let ingest = try store.blobs.newIngest()
        do throws(ShaleError) {
            let written = try squashed.write(cancellation: operation.cancellation) {
                (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                try ingest.append(bytes)
            }
            if try !store.layers.claim(written.diffID, on: nil) {
                try unpackLayer(
                    FDSource(ingest.openForReading(), subject: "the merged layer"), as: written.diffID, above: nil,
                    blob: written.diffID, lower: { () throws(ShaleError) in [] }, cancellation: operation.cancellation)
            }
            var blob = try ingest.commit()
            blob.mediaType = MediaType.ociLayer
            return MergedLayer(blob: blob, diffID: written.diffID)
        } catch {
            ingest.abandon(keepingPartial: false)
            throw error
        }
    }

    /// Adds the image, and below it those it was made of above the merged layer, as far as they are known.
    private func add(
        _ squash: Squash, of image: Image, named name: String, _ options: EditOptions,
        _ operation: OperationContext
    ) throws(ShaleError) -> Image {
        let chain = try ancestry(of: image)
        let (range, text) = (squash.range, "squashed \(Self.words(squash.range)) of \(name)")
        let merged = chain.firstIndex { $0.layersBelow < range.upperBound && $0.layers >= range.upperBound }
        // What the merged layers stand on, where that is an image.
        let start = chain.first { $0.layersBelow == range.lowerBound && $0.layers > range.lowerBound }
        let rest = merged.map { Array(chain[$0...]) } ?? []
        var provenance = Provenance(
            parent: start?.parent?.id, base: start?.parent == nil ? nil : start?.provenance.base,
            origin: .edited(.squash, text: text))
        provenance.from = (rest.first?.image ?? image).id
        // A layer above that has hard links to files below is stored under the chain ID of the layers below it.
        try unpackMissingLayers(
            of: squash.applied(to: image.config), blobs: squash.applied(to: image.manifest.layers), operation)
        let images = rest.isEmpty ? [image] : rest.map(\.image)
        var parent = start?.parent?.id
        for (position, old) in images.dropLast().enumerated() {
            if position > 0 { provenance = rest[position].provenance.standing(on: parent) }
            parent = try addEdited(
                squash.applied(to: old.config), squash.applied(to: old.manifest.layers), parent: parent,
                made: provenance
            ).id
        }
        if images.count > 1, let last = rest.last { provenance = last.provenance.standing(on: parent) }
        var config = squash.applied(to: image.config)
        if let time = settings.sourceDateEpoch { config.created = time }
        return try addEdited(
            config, squash.applied(to: image.manifest.layers), parent: parent, named: options.reference,
            made: provenance)
    }
}

extension Provenance {
    /// The same of an image that stands on another.
    fileprivate func standing(on parent: Digest?) -> Provenance {
        var provenance = self
        provenance.parent = parent
        return provenance
    }
}

/// The layer that several layers became.
struct MergedLayer {
    var blob: Descriptor
    var diffID: Digest
}

/// Some layers of an image, and the one they became.
private struct Squash {
    /// Positions, 0 the lowest.
    var range: Range<Int>
    /// `nil` where nothing was left.
    var layer: MergedLayer?

    func applied(to layers: [Descriptor]) -> [Descriptor] {
        Array(layers[..<range.lowerBound]) + (layer.map { [$0.blob] } ?? []) + Array(layers[range.upperBound...])
    }

    func applied(to old: ImageConfig) -> ImageConfig {
        var config = old
        let diffIDs = old.rootfs.diffIDs
        config.rootfs.diffIDs =
            Array(diffIDs[..<range.lowerBound]) + (layer.map { [$0.diffID] } ?? [])
            + Array(diffIDs[range.upperBound...])
        var merged: [String] = []
        var history: [History] = []
        for step in old.steps {
            var entry = step.history ?? History(created: old.created, createdBy: nil)
            entry.emptyLayer = step.layer == nil ? true : nil
            if let position = step.layer, range.contains(position) {
                merged += [InstructionText.instruction(entry.createdBy ?? ""), entry.comment ?? ""].filter {
                    !$0.isEmpty
                }
                guard position == range.upperBound - 1 else { continue }
                entry.createdBy = "squash --from \(range.lowerBound + 1) --to \(range.upperBound)"
                entry.comment = merged.joined(separator: "; ")
                entry.author = nil
                entry.emptyLayer = layer == nil ? true : nil
            }
            history.append(entry)
        }
        config.history = history
        return config
    }
}
