package import Basics

/// Index, manifest and descriptor as documents in the specification's order of members, without `JSONEncoder`.
extension Descriptor {
    package var document: JSONDocument {
        var members: [JSONDocument.Member] = [
            .init("mediaType", .string(mediaType)), .init("digest", .string(digest.description)),
            .init("size", .integer(size)),
        ]
        members.add("urls", urls.map { .array($0.map { .string($0) }) })
        members.add("annotations", annotations.map(JSONDocument.sorted))
        members.add("platform", platform.map(\.document))
        members.add("artifactType", artifactType.map { .string($0) })
        return .object(members)
    }
}

extension Platform {
    package var document: JSONDocument {
        var members: [JSONDocument.Member] = [
            .init("architecture", .string(architecture)), .init("os", .string(os)),
        ]
        members.add("os.version", osVersion.map { .string($0) })
        members.add("os.features", osFeatures.map { .array($0.map { .string($0) }) })
        members.add("variant", variant.map { .string($0) })
        return .object(members)
    }
}

extension Index {
    package var document: JSONDocument {
        var members: [JSONDocument.Member] = [.init("schemaVersion", .integer(Int64(schemaVersion)))]
        members.add("mediaType", mediaType.map { .string($0) })
        members.append(.init("manifests", .array(manifests.map(\.document))))
        members.add("annotations", annotations.map(JSONDocument.sorted))
        return .object(members)
    }
}

extension Manifest {
    package var document: JSONDocument {
        var members: [JSONDocument.Member] = [.init("schemaVersion", .integer(Int64(schemaVersion)))]
        members.add("mediaType", mediaType.map { .string($0) })
        members.add("artifactType", artifactType.map { .string($0) })
        members.append(.init("config", config.document))
        members.append(.init("layers", .array(layers.map(\.document))))
        members.add("subject", subject.map(\.document))
        members.add("annotations", annotations.map(JSONDocument.sorted))
        return .object(members)
    }
}

extension [JSONDocument.Member] {
    fileprivate mutating func add(_ key: String, _ value: JSONDocument?) {
        if let value { append(.init(key, value)) }
    }
}

extension JSONDocument {
    fileprivate static func sorted(_ table: [String: String]) -> JSONDocument {
        .object(table.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }
}
