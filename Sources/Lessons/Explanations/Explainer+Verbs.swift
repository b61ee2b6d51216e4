import Basics
import Containers
import Images
import OCI
import Recipes
import Stores

// Lines of which nothing but their words is known, and those that failed.
extension Explainer {
    func ofVerb(_ facts: LineFacts) -> [String] {
        let name = facts.words.last { !$0.hasPrefix("-") } ?? ""
        switch facts.verb {
        case "volume create", "volume": return volume(name)
        case "push": return pushed(facts)
        case "save", "export", "session export", "copy":
            return [
                "It wrote a copy for outside of this home. Nothing changed here: images, names and layers are as before.",
                "An archive has each layer once, however many images in it share it.",
            ]
        case "commit", "build", "pull", "load", "import":
            return [
                "It made nothing new: the same image is here already, with the same layers.",
                "An image's id is the digest of its config, so the same content has the same id.",
            ]
        case "set", "unset", "alias", "cd", "login", "logout":
            return ["It changed a setting of this shell. No image, layer or container was touched."]
        case "": return host(facts)
        default: break
        }
        return [
            "\(facts.shortLine.visible) changed nothing on this disk: it only looked.",
            (try? StoreFacts(engine, session).summary) ?? "",
        ].filter { !$0.isEmpty }
    }

    private func host(_ facts: LineFacts) -> [String] {
        facts.line.hasPrefix("!")
            ? ["It was a command of the host's: shale's images, layers and containers were not touched by shale."]
            : ["It changed nothing of shale's images, layers and containers."]
    }

    private func volume(_ name: String) -> [String] {
        guard let volume = try? engine.containers.volume(named: name) else {
            return ["It changed volumes; \(name.isEmpty ? "none of that name" : name.visible) is not here now."]
        }
        return [
            "The volume \(volume.name) is a folder of its own in this home, with \(Words.size(volume.bytes)) in it now.",
            "It is in no image and in no layer: a container that mounts it (-v \(volume.name):/data) writes there directly.",
            volume.users.isEmpty
                ? "No container has it." : "\(Words.count(volume.users.count, "container has", "containers have")) it.",
            "rm of a container leaves it; undo does not touch it; volume rm \(volume.name) removes it for good.",
        ]
    }

    private func pushed(_ facts: LineFacts) -> [String] {
        let name = facts.words.first { !$0.hasPrefix("-") } ?? ""
        guard let image = try? engine.images.find(name), let made = try? ImageFacts(image, engine) else {
            return ["It sent an image to a registry. Nothing changed here."]
        }
        let packed = image.manifest.layers.reduce(Int64(0)) { $0 &+ $1.size }
        return [
            "It sent \(made.name) to the registry: \(made.count), \(Words.size(packed)), its config, and its manifest last.",
            "The registry keeps every layer once, by its digest: layers that it had already were not sent.",
            "Anyone may ask for it by its digest, \(image.manifestDescriptor.digest.short)…, and gets exactly these bytes.",
            "Nothing changed here, so undo has nothing to do; delete --remote takes a name away there.",
        ]
    }

    // MARK: Failures

    func failed(_ facts: LineFacts) -> [String] {
        var lines: [String] = []
        if let failure = facts.failure {
            lines.append("\(facts.shortLine.visible) failed: \(failure.description.visible).")
            lines += reason(failure)
        } else {
            lines.append("\(facts.shortLine.visible) ended with the status \(facts.status). \(status(facts.status))")
        }
        if facts.changes.isEmpty {
            lines.append("It left nothing on this disk: no image, no name, no layer was changed by it.")
        } else {
            lines.append(
                "What it had done before it failed stays: \(Words.count(facts.changes.count, "change")) in this session."
            )
            lines.append("undo takes that back.")
        }
        if let id = facts.made.last, let record = try? engine.containers.find(id) {
            lines.append("The container \(record.name.visible) is still here: logs, diff and rm work on it.")
        }
        if let hint = facts.failure?.hint { lines.append("Try: \(hint.visible)") }
        return lines
    }

    private func reason(_ failure: ShaleError) -> [String] {
        switch failure.code {
        case .usage: ["The line itself was not right, so nothing was begun."]
        case .notFound: ["A name in the line leads to nothing here. images, ps -a and volume ls list what there is."]
        case .conflict: ["Something that is here already stands in the way."]
        case .inUse: ["Something still uses it: shale removes nothing that is in use."]
        case .unavailable, .timeout: ["A server, or a part of the host, did not answer."]
        case .unauthorized: ["The registry wants another name or password: login HOST."]
        case .denied: ["The host or a server does not allow it."]
        case .corrupt: ["Bytes did not match their digest, and shale kept nothing of them."]
        case .noSpace: ["The disk is full. df and prune say what can go."]
        case .commandNotFound: ["The program is not in the image: ls IMAGE:/bin shows what is."]
        case .notExecutable:
            ["The file is there and is not a program: its right to run is missing, or its first line is wrong."]
        default: []
        }
    }

    private func status(_ status: Int32) -> String {
        switch status {
        case 64: "That means that the line itself was not right; nothing was begun."
        case 125: "That is shale's own failure: no program was started."
        case 126: "That means that the program is there and cannot be run."
        case 127: "That means that the program is not in the image."
        case 130: "That is Ctrl-C: it was stopped."
        case 137: "That is 128 + 9: its program was killed."
        case 143: "That is 128 + 15: its program was asked to end."
        default: "That is what its program, or the command, gave back; 0 would be success."
        }
    }
}
