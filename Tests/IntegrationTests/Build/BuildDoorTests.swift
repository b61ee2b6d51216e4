import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Every way out of a context or a stage by a path, a link or an id: what lies beside it never gets into an image.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildDoorTests {
    private static let secret = "canary-beside-the-context"
    private let home = ShaleHome()
    private let host = TemporaryDirectory()
    private let git = "git -c user.name=a -c user.email=a@b -c protocol.file.allow=always"

    /// A context in a folder, beside a file that nobody gave: `out` leads to the folder, `link` to the file.
    private func context(_ lines: String) throws -> String {
        let text = lines.replacing("HOST", with: host.path)
        try Peer("sh").run(
            [
                "-ec",
                """
                echo \(Self.secret) > secret; mkdir -p context; cd context; ln -s .. out; ln -s \(host.path)/secret link
                printf '%s\\n' "$1" > Dockerfile
                """, "sh", text,
            ], in: host.path)
        return host.path + "/context"
    }

    /// Builds, and looks for the secret in what was said and in the image's files.
    private func expectClosed(_ words: [String]) throws {
        let run = try home.run(["build", "--no-cache", "-t", "made:1"] + words, expecting: nil)
        #expect(run.status >= 0 && run.status < 128, "\(run)")
        #expect(!(run.text + run.errors).contains(Self.secret), "\(run)")
        guard run.status == 0 else { return }
        let found = try home.sh("shale export made:1 | grep -ac \(Self.secret)")
        #expect(found.text == "0\n", "\(words): \(found)")
    }

    @Test(arguments: [
        "COPY ../secret /x", "ADD ../secret /x", "COPY /../secret /x", "COPY link /x", "ADD link /x",
        "COPY out/secret /x",
        "COPY out/sec* /x/", "COPY out /x/", "ADD out /x/", "COPY . /x/",
        "RUN --mount=type=bind,source=out,target=/m cat /m/secret >/x || true",
        "RUN --mount=type=bind,source=link,target=/m cat /m >/x || true",
        "RUN --mount=type=bind,source=../,target=/m cat /m/secret >/x || true",
        "RUN --mount=type=cache,id=../../../..,target=/m find /m -name secret -exec cat {} + >/x",
        "RUN --mount=type=cache,id=HOST,target=/m cat /m/secret >/x || true",
        "RUN --mount=type=cache,target=/m,source=out cat /m/secret >/x || true",
        "RUN --mount=type=secret,id=../secret cat /run/secrets/../secret >/x || true",
        "RUN --security=insecure cat HOST/secret >/x || true",
        "RUN --mount=type=bind,source=.,target=/proc/self/fd cat /proc/self/fd/out/secret >/x || true",
    ]) func outOfTheContext(_ line: String) throws {
        try expectClosed([context("FROM busybox\n\(line)")])
    }

    @Test(arguments: [
        "COPY --from=a /l/secret /x", "COPY --from=a /f /x", "COPY --from=a /l /x/", "COPY --from=a /../HOST/secret /x",
        "RUN --mount=type=bind,from=a,source=/l,target=/m cat /m/secret >/x || true",
        "RUN --mount=type=bind,from=a,source=/f,target=/m cat /m >/x || true",
    ]) func outOfAStage(_ line: String) throws {
        try expectClosed([
            context("FROM busybox AS a\nRUN ln -s HOST /l; ln -s HOST/secret /f\nFROM busybox\n\(line)")
        ])
    }

    /// A repository's own links: its Dockerfile, its subfolder, and paths that climb.
    @Test(arguments: [
        ("rm Dockerfile; ln -s HOST/secret Dockerfile", "", []), ("ln -s HOST sub", "#main:sub", []),
        ("ln -s .. up", "#main:up", []), ("true", "#main:../..", []), ("true", "", ["-f", "../secret"]),
        ("true", "", ["-f", "HOST/secret"]), ("ln -s HOST/secret other", "", ["-f", "other"]),
        ("rm -f .dockerignore; ln -s HOST/secret .dockerignore", "", []),
    ]) func outOfARepository(_ change: String, _ place: String, _ options: [String]) throws {
        let path = try context("FROM busybox\nCOPY . /all/")
        let script = "\(git) init -q -b main . && \(change) && \(git) add -A . && \(git) commit -qm 1"
        try Peer("sh").run(["-ec", script.replacing("HOST", with: host.path)], in: path)
        try expectClosed(options.map { $0.replacing("HOST", with: host.path) } + ["file://\(path)\(place)"])
    }

    /// An address that git would take for an option runs nothing.
    @Test(arguments: ["ssh://-oProxyCommand=touch${IFS}HOST/ran/x.git", "git@-oProxyCommand=touch\tHOST/ran:x.git"])
    func anAddressIsNoOption(_ address: String) throws {
        let run = try home.run(["build", address.replacing("HOST", with: host.path)], expecting: nil, within: 60)
        #expect(run.status != 0 && run.status < 128, "\(run)")
        #expect(access(host.path + "/ran", F_OK) != 0)
    }
}
