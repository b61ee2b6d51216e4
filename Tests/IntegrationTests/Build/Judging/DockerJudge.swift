import FoundationEssentials
import TestSupport

/// Which of docker's two builders is asked.
enum DockerJudge: String, Sendable, CaseIterable {
    case classic, buildkit

    var environment: [String: String] {
        ["DOCKER_BUILDKIT": self == .classic ? "0" : "1", "BUILDKIT_PROGRESS": "plain"]
    }

    /// What a builder of that age cannot read, each with the words it says and what must stand in the file for them.
    struct Gap: Sendable {
        let words: String
        let cause: String
        let reason: String
    }

    private static let common = [
        Gap(words: "unknown instruction: ", cause: "<<", reason: "heredocs"),
        Gap(words: "unexpected key 'env' in", cause: "env=", reason: "RUN --mount=type=secret,env="),
        Gap(words: "Unknown flag: link", cause: "--link", reason: "COPY --link"),
        Gap(words: "Unknown flag: keep-git-dir", cause: "--keep-git-dir", reason: "ADD --keep-git-dir"),
        Gap(words: "Unknown flag: unpack", cause: "--unpack", reason: "ADD --unpack"),
        Gap(words: "Unknown flag: checksum", cause: "--checksum", reason: "ADD --checksum"),
        Gap(words: "Unknown flag: parents", cause: "--parents", reason: "COPY --parents"),
        Gap(words: "Unknown flag: security", cause: "--security", reason: "RUN --security"),
        Gap(words: "unsupported modifier", cause: "${", reason: "variables cut by a pattern"),
    ]
    private static let classicOnly = [
        Gap(words: "the --mount option requires BuildKit", cause: "--mount", reason: "RUN --mount"),
        Gap(words: "the --chmod option requires BuildKit", cause: "--chmod", reason: "COPY --chmod"),
        Gap(words: "failed to parse platform", cause: "PLATFORM", reason: "the platforms' variables"),
    ]

    /// Why this builder could not read a file, by what it said; `nil` where it could.
    func gap(in text: String, said errors: String) -> String? {
        let gaps = self == .classic ? Self.common + Self.classicOnly : Self.common
        return gaps.first { errors.contains($0.words) && text.contains($0.cause) }?.reason
    }
}

/// Images taken out of a dockerd, read from the archive its `save` writes.
final class SavedImages {
    private let folder = TemporaryDirectory()
    private var images: [String: JSONValue] = [:]
    private let known: ImagesRead

    init(_ ids: [String], from docker: DockerDaemon, _ known: ImagesRead) throws {
        self.known = known
        guard !ids.isEmpty else { return }
        let archive = folder.path + "/saved.tar"
        try docker.docker(["save", "-o", archive] + Set(ids).sorted())
        try Peers.tar.run(["-xf", archive, "-C", folder.path])
        for image in try json("manifest.json").array ?? [] {
            let name = (image["Config"]?.string ?? "").split(separator: "/").last ?? ""
            images["sha256:" + name.prefix(64)] = image
        }
    }

    func image(_ id: String) throws -> BuiltImage {
        guard let image = images[id] else { throw PeerError(text: "docker saved no \(id)") }
        let config = try json(image["Config"]?.string ?? "")
        let places = image["Layers"]?.strings ?? []
        return try BuiltImage(config: config, known) { place in
            try Data(contentsOf: URL(filePath: "\(folder.path)/\(places[place])"))
        }
    }

    private func json(_ name: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")))
    }
}
