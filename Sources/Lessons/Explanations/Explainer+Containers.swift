import Basics
import Containers
import Images
import OCI
import Recipes
import Sessions
import Stores

// Lines that made a container, or worked in one.
extension Explainer {
    /// What a line did in a container; `nil` where it was about none.
    func ofContainer(_ facts: LineFacts) -> [String]? {
        // A line that works in a container notes it, too.
        if Self.working.contains(facts.verb) { return touched(facts) }
        // An image that came out of it is more news than the container.
        let isAboutImages = facts.changes.contains { if case .name(_, _, _) = $0 { true } else { false } }
        if let id = facts.made.last(where: { (try? engine.containers.find($0)) != nil }),
            !isAboutImages || facts.verb == "run"
        {
            return made(id)
        }
        switch facts.verb {
        case "run" where facts.made.contains(where: { $0.utf8.count == 64 }): return goneAgain(facts)
        default: return nil
        }
    }

    /// Commands that work in a container, and make none.
    private static let working: Set<String> = [
        "exec", "enter", "attach", "debug", "start", "stop", "restart", "kill", "pause", "unpause", "cp",
    ]

    private func made(_ id: String) -> [String]? {
        guard let record = try? engine.containers.find(id), let own = try? ContainerFacts(record, engine) else {
            return nil
        }
        let image = try? ImageFacts(engine.images.image(manifest: record.manifest), engine)
        let stack = image.map { "\($0.count) of \($0.name) (\(Words.size($0.bytes)))" } ?? "the layers of its image"
        let lines: [String?] = [
            "It made the container \(own.title). Its state: \(own.view.statusWords()).",
            "It stands on the \(stack). They were not copied, and no container can write to them.",
            "What it writes goes into a layer of its own on top, with \(own.written) in it now"
                + (own.paths.isEmpty ? "." : ": \(Words.list(own.paths.map { String($0.dropFirst(2)) }))."),
            own.volumes.isEmpty
                ? nil
                : "\(Words.list(own.volumes)) \(verb(own.volumes, "is a volume", "are volumes")): what it writes there is in no layer, and rm leaves it.",
            "diff \(own.name) lists its layer, commit \(own.name) NAME makes an image of it, rm \(own.name) takes it away.",
            "undo does not take a container away: rm does, and undo brings back what rm took.",
        ]
        return lines.compactMap(\.self)
    }

    private func goneAgain(_ facts: LineFacts) -> [String] {
        [
            "It made a container and took it away again when its program had ended (--rm).",
            "What it wrote in a layer of its own went with it; its image was not changed.",
            "Volumes with a name stay: volume ls lists them.",
        ]
    }

    private func touched(_ facts: LineFacts) -> [String]? {
        let names = facts.words.map { word in word.firstIndex(of: ":").map { String(word[..<$0]) } ?? word }
        guard let record = names.compactMap({ (try? engine.containers.container(meantBy: $0))?.record }).first,
            let own = try? ContainerFacts(record, engine)
        else { return nil }
        let hasImage = (try? engine.images.image(manifest: record.manifest)) != nil
        let lines: [String?] = [
            "It worked on the container \(own.title). Its state: \(own.view.statusWords()).",
            "The container's own layer has \(own.written) in it now"
                + (own.paths.isEmpty ? "." : ": \(Words.list(own.paths.map { String($0.dropFirst(2)) }))."),
            hasImage
                ? "Its image \(record.imageName) was not changed, and other containers of it see nothing of this."
                : nil,
            own.volumes.isEmpty
                ? nil
                : "Files in \(Words.list(own.volumes)) (\(verb(own.volumes, "a volume", "volumes"))) are in no layer.",
            facts.verb == "cp"
                ? "undo cannot take back what was copied over: what stood there before is not kept."
                : "undo does not take back what a program wrote; commit \(own.name) NAME would keep it as an image.",
        ]
        return lines.compactMap(\.self)
    }

    func removed(_ id: String, _ name: String) -> [String] {
        let images = (try? engine.images.all().count { !$0.isIntermediate }) ?? 0
        return [
            "The container \(name.visible) (\(Identifier.short(id))) is not in the lists any more, and its name is free.",
            "Its own layer, with all that it wrote, lies aside on this disk until prune --history.",
            "Its image keeps its layers: \(Words.count(images, "image")) are here, as before.",
            "undo brings the container back, with its files.",
        ]
    }
}
