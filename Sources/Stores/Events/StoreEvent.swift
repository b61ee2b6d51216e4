package import Basics
import OCI

/// An event in a home, in the form of `docker events`: kind, action, subject and attributes.
package struct StoreEvent: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case builder
        case container
        case image
        case volume
    }

    package let kind: Kind
    /// The action, such as `pull`, `create`, `die` or `health_status: healthy`.
    package let action: String
    /// The ID of the container or image, the name of the volume, or the reference that was pulled.
    package let subject: String
    package let attributes: [String: String]
    package let time: Timestamp

    /// An event at this moment.
    ///
    /// Values of attributes that look secret are masked.
    package init(
        _ kind: Kind, _ action: String, of subject: String, _ attributes: [String: String] = [:],
        at time: Timestamp = .now()
    ) {
        self.kind = kind
        self.action = action
        self.subject = subject
        self.attributes = attributes.reduce(into: [:]) { all, pair in
            all[pair.key] = Secrets.isNamed(pair.key) ? Secrets.mask : Secrets.masked(pair.value).text
        }
        self.time = time
    }

    /// A container's event.
    ///
    /// As in docker, the image's name, the container's name and its labels are attributes.
    package init(_ action: String, of container: ContainerRecord, _ more: [String: String] = [:]) {
        self.init(.container, action, of: container.id, Self.attributes(of: container).merging(more) { $1 })
    }

    package static func attributes(of container: ContainerRecord) -> [String: String] {
        container.labels.merging(["image": container.imageName, "name": container.name]) { $1 }
    }

    /// The event as it is stored, and as `--format json` prints it.
    package var document: JSONDocument {
        EventLine.document(kind.rawValue, action, of: subject, attributes: attributes, at: time)
    }

    /// Reads a line of the log; `nil` when it is no event.
    init?(parsing line: some Collection<UInt8>) {
        guard let document = try? JSONDocument(parsing: line, naming: "event"),
            let kind = document["Type"]?.string.flatMap(Kind.init(rawValue:)),
            let action = document["Action"]?.string, let subject = document["Actor"]?["ID"]?.string,
            case .integer(let nanoseconds)? = document["timeNano"], nanoseconds >= 0
        else { return nil }
        self.kind = kind
        self.action = action
        self.subject = subject
        var attributes: [String: String] = [:]
        if case .object(let members)? = document["Actor"]?["Attributes"] {
            for member in members { attributes[member.key] = member.value.string }
        }
        self.attributes = attributes
        time = Timestamp(
            seconds: nanoseconds / 1_000_000_000, nanoseconds: Int32(nanoseconds % 1_000_000_000))
    }
}

extension StoreEvent {
    /// The events for a change of the image table: removed names, removed images, new names.
    static func changes(from old: ImageTable, to new: ImageTable) -> [StoreEvent] {
        let (before, after) = (named(old), named(new))
        var events: [StoreEvent] = []
        for (text, entry) in before.sorted(by: { $0.key < $1.key }) where after[text] == nil {
            events.append(StoreEvent(.image, "untag", of: id(entry), ["name": familiar(entry)]))
        }
        let gone = Set(old.entries.compactMap(\.image)).subtracting(new.entries.compactMap(\.image))
            .subtracting(TableChanges.chosenAnew(old, new))
        for image in gone.sorted() {
            events.append(StoreEvent(.image, "delete", of: image.description, ["name": image.description]))
        }
        for (text, entry) in after.sorted(by: { $0.key < $1.key }) where before[text]?.image != entry.image {
            events.append(StoreEvent(.image, "tag", of: id(entry), ["name": familiar(entry)]))
        }
        return events
    }

    private static func named(_ table: ImageTable) -> [String: ImageEntry] {
        table.entries.reduce(into: [:]) { all, entry in
            if let text = entry.refName, entry.image != nil { all[text] = entry }
        }
    }

    private static func id(_ entry: ImageEntry) -> String { (entry.image ?? entry.manifest.digest).description }

    private static func familiar(_ entry: ImageEntry) -> String { entry.name?.familiar ?? entry.refName ?? "" }
}
