import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Recorded sessions of every kind, each turned into a recipe that shale and Debian's dockerd build: the same files and
/// the same config as the original, path by path.
@Suite("recorded sessions", .serialized, .enabled(if: BuildProgram.path != nil, "\(BuildProgram.absent)"))
struct RecordedSessionTests {
    @Test func eachYieldsARecipeThatMakesItAgain() async throws {
        let sessions = try RecordedSession.all()
        #expect(sessions.count >= 50)
        setenv("DOCKER_BUILDKIT", "0", 1)
        let bench = try SessionBench()
        // Two at a time: most of each is waiting.
        await withTaskGroup(of: Void.self) { group in
            var rest = sessions[...]
            for session in rest.prefix(3) { group.addTask { bench.check(session) } }
            rest = rest.dropFirst(3)
            while await group.next() != nil {
                guard let session = rest.popFirst() else { continue }
                group.addTask { bench.check(session) }
            }
        }
        print("recorded sessions: \(sessions.count), built by shale\(bench.docker == nil ? "" : " and by dockerd")")
    }
}

/// What all sessions begin with: a home with its base image, and a docker daemon that has it, too.
private final class SessionBench: Sendable {
    let docker: DockerDaemon?
    private let base = BuildHome()

    init() throws {
        try base.run(["images"], expecting: 0)
        docker =
            if DockerDaemon.isPossible {
                try (try? DockerDaemon(storage: "overlay2")) ?? DockerDaemon()
            } else {
                nil
            }
        let archive = base.folder.path + "/busybox.tar"
        try base.run(["save", "-o", archive, "busybox"], expecting: 0)
        try docker?.docker(["load", "-q", "-i", archive])
    }

    /// Replays one session in a home of its own and follows its recipe.
    func check(_ session: RecordedSession) {
        do {
            try follow(session)
        } catch {
            Issue.record("\(session.name): \(error)")
        }
    }

    private func follow(_ session: RecordedSession) throws {
        let home = BuildHome()
        let folder = home.folder.path + "/work"
        try Peer("cp").run(["-a", base.path, home.path])
        try Peer("sh").run(["-c", "umask 022; mkdir \(folder) && cd \(folder) && . \(RecordedSession.folder)/files.sh"])
        func shale(_ arguments: [String]) throws -> BuildHome.Run {
            try home.run(arguments, in: folder, expecting: 0)
        }
        defer { _ = try? home.run(["-c", "rm -f $(ps -aq)"], in: folder) }
        _ = try shale([session.script])
        let recipe = try shale(["recipe", session.subject]).output
        let instructions = recipe.split(separator: "\n").filter { !$0.hasPrefix("#") }
        for line in session.contains { #expect(recipe.contains(line), "\(session.name): \(recipe)") }
        for line in session.lacks {
            #expect(!instructions.contains { $0.contains(line) }, "\(session.name): \(recipe)")
        }
        _ = try shale(["recipe", "save", "../saved", session.subject])
        let original = try image(session.subject, home, folder)
        _ = try shale(["build", "--no-cache", "-t", "again", "../saved"])
        let ours = try image("again", home, folder)
        // What a container sees of its host's /etc and /dev is not its own.
        let isContainer =
            (try? home.run(["inspect", "-f", "{{.State.Status}}", session.subject], in: folder))?.status == 0
        let found = original.differences(from: ours, attributes: true) { isContainer && BuildDockerTests.isDockers($0) }
        #expect(found == [], "\(session.name), built by shale:\n\(recipe)")
        for archive in ["made.tar", "parent.tar"] where access("\(folder)/\(archive)", F_OK) == 0 {
            try docker?.docker(["load", "-q", "-i", "\(folder)/\(archive)"])
        }
        guard let theirs = try dockersImage(session.name, of: "\(home.folder.path)/saved") else { return }
        // docker's export tells no attributes but capabilities.
        let others = original.differences(from: theirs, attributes: false, ignoring: BuildDockerTests.isDockers)
        #expect(others == [], "\(session.name), built by docker:\n\(recipe)")
    }

    private func image(_ name: String, _ home: BuildHome, _ folder: String) throws -> WholeImage {
        let path = "\(home.folder.path)/export.tar"
        try home.run(["export", "-o", path, name], in: folder, expecting: 0)
        var image = WholeImage(tar: try Data(contentsOf: URL(filePath: path)))
        func config(_ name: String) throws -> JSONValue {
            let text = try home.run(["inspect", "-f", "{{json .Config}}", name], in: folder, expecting: 0).output
            return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        }
        image.take(config: try config(name))
        // A container's recipe keeps its image's own command.
        let parent = try home.run(["inspect", "-f", "{{.Image}}", name], in: folder)
        if parent.status == 0, parent.output.hasPrefix("sha256:") {
            var base = WholeImage(tar: Data())
            base.take(config: try config(String(parent.output.dropLast())))
            for field in ["Cmd", "Entrypoint"] { image.config[field] = base.config[field] }
        }
        return image
    }

    /// What docker builds of a recipe's folder; `nil` where there is no docker.
    private func dockersImage(_ name: String, of folder: String) throws -> WholeImage? {
        guard let docker else { return nil }
        let tag = "again-\(name)"
        try docker.docker(["build", "-q", "--network", "host", "--no-cache", "-t", tag, folder])
        let text = try docker.docker(["create", "--network", "host", tag, "x"]).text
        let container = String(text.split(separator: "\n").first ?? "")
        var image = WholeImage(tar: Data(try docker.docker(["export", container]).output))
        let config = try docker.docker(["inspect", "-f", "{{json .Config}}", tag]).output
        image.take(config: try JSONDecoder().decode(JSONValue.self, from: Data(config)))
        try docker.docker(["rm", container])
        try docker.docker(["rmi", tag])
        return image
    }
}
