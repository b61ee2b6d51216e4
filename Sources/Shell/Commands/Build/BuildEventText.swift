import Basics
import Building
import Images
import OCI

/// `build --progress json`: an object an event, on a line of its own.
enum BuildEventText {
    static func line(_ event: BuildEvent) -> String { JSONDocument.object(members(event)).text() }

    private static func members(_ event: BuildEvent) -> [JSONDocument.Member] {
        switch event {
        case .context(let bytes): return [name("context"), .init("bytes", .integer(bytes))]
        case .began(let place): return [name("step")] + place.members
        case .missed(let place, let reason):
            return [name("cacheMiss")] + place.members + [.init("reason", .string(reason))]
        case .output(let place, let text, let isError):
            return [
                name("output"), .init("step", .integer(Int64(place.number))),
                .init("stream", .string(isError ? "stderr" : "stdout")), .init("text", .string(text)),
            ]
        case .ended(let place, let image, let isCached, let summary):
            return [
                name("stepDone"), .init("step", .integer(Int64(place.number))),
                .init("image", image.map { .string($0.description) } ?? .null), .init("cached", .bool(isCached)),
                .init("added", .integer(Int64(summary.added))), .init("changed", .integer(Int64(summary.changed))),
                .init("deleted", .integer(Int64(summary.deleted))), .init("bytes", .integer(summary.bytes)),
            ]
        case .failed(let place, let message, let status, let container):
            return [name("error")] + place.members + [
                .init("message", .string(message)), .init("status", status.map { .integer(Int64($0)) } ?? .null),
                .init("container", container.map { .string($0) } ?? .null),
            ]
        case .note(let text): return [name("note"), .init("text", .string(text))]
        case .skipped(let stage): return [name("skipped"), .init("stage", .string(stage))]
        case .built(let image): return [name("built"), .init("image", .string(image.description))]
        case .tagged(let tag): return [name("tagged"), .init("name", .string(tag))]
        }
    }

    private static func name(_ event: String) -> JSONDocument.Member { .init("event", .string(event)) }
}

extension BuildEvent.Position {
    fileprivate var members: [JSONDocument.Member] {
        [
            .init("step", .integer(Int64(number))), .init("of", .integer(Int64(count))),
            .init("stage", .string(stage)), .init("line", .integer(Int64(line))),
            .init("instruction", .string(instruction)),
        ]
    }
}
