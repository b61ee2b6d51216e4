import Basics
package import OCI
import Stores

/// The edits of an image that are no instruction.
package enum ImageEdit: String, Sendable, Codable {
    /// Layers became one.
    case squash
    /// Settings were given, changed or taken away.
    case config
    /// A tree was put on top.
    case append
    /// A layer was put upon another base.
    case rebase
}

/// What all edits of an image take.
package struct EditOptions: Sendable {
    /// The name the new image gets, if any.
    package var reference: Reference?
    /// Prints what would change, and makes nothing.
    package var isTrial = false

    package init(reference: Reference? = nil, isTrial: Bool = false) {
        self.reference = reference
        self.isTrial = isTrial
    }
}

extension ImageEngine {
    /// The image an edit is about, its layers and blobs leased while the line is under way.
    func editedImage(_ name: String) throws(ShaleError) -> Image {
        let image = try image(named: name)
        try store.hold(image)
        return image
    }

    /// The moment an edit writes into what it makes: `SOURCE_DATE_EPOCH` where set, else the image's own.
    ///
    /// So the same edit of the same image is the same image again.
    func editTime(of image: Image) -> Timestamp? { settings.sourceDateEpoch ?? image.config.created }

    /// What `FROM` calls the image that the stage of an edited image begins with.
    func calledBase(of image: Image, named name: String) throws(ShaleError) -> String? {
        if let known = try provenance(of: image.id) { return known.base }
        return Self.name(of: image, called: name)
    }

    /// What an image is called, by preference with the word that it was asked for.
    static func name(of image: Image, called word: String) -> String? {
        let asked = (try? Reference(parsing: word))?.withDefaultTag
        return (image.references.first { $0 == asked } ?? image.references.first)?.familiar
    }

    /// What messages and records call an image: its name, else its short id.
    static func shownName(of image: Image, called word: String) -> String {
        name(of: image, called: word) ?? image.id.short
    }

    /// Adds an image that an edit made of another.
    func addEdited(
        _ config: ImageConfig, _ layers: [Descriptor], parent: Digest?, named reference: Reference? = nil,
        made provenance: Provenance
    ) throws(ShaleError) -> Image {
        let image = try store.images.add(
            config: config, layers: layers, parent: parent, references: reference.map { [$0] } ?? []
        ) { id throws(ShaleError) in try keepProvenance(provenance, of: id) }
        store.events.append(
            StoreEvent(.image, "create", of: "\(image.id)", ["name": reference?.familiar ?? "\(image.id)"]))
        return image
    }

    /// The images that one was made of here, lowest first and itself last, each with the record of how it was made.
    ///
    /// It ends above the first image that was not made here, or is not here any more.
    func ancestry(of image: Image) throws(ShaleError) -> [AncestorImage] {
        var found: [AncestorImage] = []
        var next: Image? = image
        var seen: Set<Digest> = []
        while let current = next, let provenance = try provenance(of: current.id) {
            let parent = provenance.parent.flatMap { try? store.images.image($0) }
            guard seen.insert(current.id).inserted else { throw provenance.turnsBack(current.id) }
            found.append(AncestorImage(image: current, parent: parent, provenance: provenance))
            next = parent
        }
        return found.reversed()
    }
}

/// An image that was made here, and what it was made of.
struct AncestorImage {
    var image: Image
    /// `nil` for one made from nothing, or from what is not here any more.
    var parent: Image?
    var provenance: Provenance

    /// Its layers, and those of what it was made of.
    var layers: Int { image.config.rootfs.diffIDs.count }
    var layersBelow: Int { parent?.config.rootfs.diffIDs.count ?? 0 }
}
