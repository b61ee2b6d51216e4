import FoundationEssentials
import Glibc
import TestSupport

/// What sessions begin with: a home with its base image, and a docker daemon that has it, too.
final class SessionBench: Sendable {
    let docker: DockerDaemon?
    let base = ShaleHome()

    init() throws {
        try base.run(["images"])
        docker =
            if DockerDaemon.isPossible {
                try (try? DockerDaemon(storage: "overlay2")) ?? DockerDaemon()
            } else {
                nil
            }
        let archive = base.work + "/busybox.tar"
        try base.run(["save", "-o", archive, "busybox"])
        try docker?.docker(["load", "-q", "-i", archive])
    }

    /// Saves the recipe of an image or container, builds it with shale and with docker, and tells what each made
    /// otherwise.
    func differences(
        of subject: String, in place: SessionPlace, as name: String, alsoByDocker: Bool = true
    ) throws -> (shale: [String], docker: [String]) {
        let saved = place.freshFolder()
        _ = try place.shale(["recipe", "save", saved, subject])
        let original = try place.image(subject)
        _ = try place.shale(["build", "--no-cache", "-t", "again", saved])
        let ours = try place.image("again")
        // What a container sees of its host's /etc and /dev is not its own.
        let isContainer = place.isContainer(subject)
        let found = original.differences(from: ours, attributes: true) { isContainer && BuildDockerTests.isDockers($0) }
        for archive in ["made.tar", "parent.tar"] where access("\(place.folder)/\(archive)", F_OK) == 0 {
            try docker?.docker(["load", "-q", "-i", "\(place.folder)/\(archive)"])
        }
        guard alsoByDocker, let theirs = try dockersImage(name, of: saved) else { return (found, []) }
        // docker's export tells no attributes but capabilities.
        let others = original.differences(from: theirs, attributes: false, ignoring: BuildDockerTests.isDockers)
        return (found, others)
    }

    /// What docker builds of a recipe's folder; `nil` where there is no docker.
    private func dockersImage(_ name: String, of folder: String) throws -> WholeImage? {
        guard let docker else { return nil }
        let tag = "again-\(name)"
        let built = try docker.docker(
            ["build", "-q", "--network", "host", "--no-cache", "-t", tag, folder], expecting: nil)
        // Docker makes the folder of a VOLUME at once, and cannot below a file; shale notes it, as BuildKit does.
        if built.status != 0, built.errors.contains("not a directory"), built.errors.contains(": VOLUME ") {
            return nil
        }
        guard built.status == 0 else { throw PeerError(text: "docker build: status \(built.status): \(built.errors)") }
        let created = try docker.docker(["create", "--network", "host", tag, "x"], expecting: nil)
        if created.status != 0, created.errors.contains("is not a directory") { return nil }
        guard created.status == 0 else { throw PeerError(text: "docker create: \(created.errors)") }
        let text = created.text
        let container = String(text.split(separator: "\n").first ?? "")
        var image = WholeImage(tar: Data(try docker.docker(["export", container]).output))
        let config = try docker.docker(["inspect", "-f", "{{json .Config}}", tag]).output
        image.take(config: try JSONDecoder().decode(JSONValue.self, from: Data(config)))
        try docker.docker(["rm", container])
        try docker.docker(["rmi", tag])
        return image
    }
}

/// A home with the base image, and a folder with the files that sessions copy.
final class SessionPlace {
    let home = ShaleHome()
    let folder: String
    private var savedCount = 0

    init(on bench: SessionBench) throws {
        folder = home.work + "/work"
        try Peer("cp").run(["-a", bench.base.home, home.home])
        try Peer("sh").run(["-c", "umask 022; mkdir \(folder) && cd \(folder) && . \(RecordedSession.folder)/files.sh"])
    }

    func shale(_ arguments: [String]) throws -> Peer.Outcome { try home.run(arguments, in: folder) }

    func removeContainers() { _ = try? home.run(["-c", "rm -f $(ps -aq)"], in: folder, expecting: nil) }

    /// A path for one saved recipe, beside the folder that sessions work in.
    func freshFolder() -> String {
        savedCount += 1
        return "\(home.work)/saved\(savedCount)"
    }

    func isContainer(_ name: String) -> Bool {
        (try? home.run(["inspect", "-f", "{{.State.Status}}", name], in: folder, expecting: nil))?.status == 0
    }

    /// The root file system and config of an image or container.
    func image(_ name: String) throws -> WholeImage {
        let path = "\(home.work)/export.tar"
        try home.run(["export", "-o", path, name], in: folder)
        var image = WholeImage(tar: try Data(contentsOf: URL(filePath: path)))
        func config(_ name: String) throws -> JSONValue {
            let text = try home.run(["inspect", "-f", "{{json .Config}}", name], in: folder).text
            return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        }
        image.take(config: try config(name))
        // A container's recipe keeps its image's own command.
        let parent = try home.run(["inspect", "-f", "{{.Image}}", name], in: folder, expecting: nil)
        if parent.status == 0, parent.text.hasPrefix("sha256:") {
            var base = WholeImage(tar: Data())
            base.take(config: try config(String(parent.text.dropLast())))
            // Nor does a container have the settings that are for builds alone.
            for field in ["Cmd", "Entrypoint", "Shell", "OnBuild"] { image.config[field] = base.config[field] }
        }
        return image
    }
}
