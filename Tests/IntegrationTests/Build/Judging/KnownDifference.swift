/// A line in which a trial differs, and why it stays so.
struct KnownDifference {
    /// Judge and file.
    let trial: String
    /// The line's beginning.
    let line: String
    let argument: String

    private init(_ trial: String, _ line: String, _ argument: String) {
        self.trial = trial
        self.line = line
        self.argument = argument
    }

    private static let mountPoint =
        "a mount point of RUN stays in the image with a BuildKit this old; it goes with the mount today, and in shale"
    private static let unknownOwner =
        "an owner that is not in /etc/passwd is root to BuildKit; shale says it, as the classic builder does"
    private static let modeOfParents =
        "--chmod holds for directories made on the way in today's BuildKit, and in shale; not yet in one this old"
    private static let workingDirectory =
        "BuildKit makes a WORKDIR the USER's, which nobody asked for; the classic builder makes it root's"
    private static let archiveOwner = "--chown holds for what ADD unpacks in today's BuildKit, and in shale"
    private static let platforms = "TARGETARCH and its kin are BuildKit's, and shale's"

    static let all: [Self] =
        [
            .init("classic own/archives", "/owned", archiveOwner),
            .init(
                "classic own/archives", "/with: ",
                "--chown holds for directories made on the way to a directory with BuildKit, as for those to a file with both"
            ),
            .init("classic own/settings", "history 7: ", platforms),
            .init("classic own/settings", "/values: ", platforms),
            .init("buildkit own/archives", "/owned/", archiveOwner),
            .init("buildkit own/bind", "/in: ", mountPoint),
            .init("buildkit own/bind", "/mnt", mountPoint),
            .init("buildkit own/cache", "/cache: ", mountPoint),
            .init("buildkit own/cache", "/var/cache/own: ", mountPoint),
            .init("buildkit own/secret", "/run", mountPoint),
            .init("buildkit own/secret", "/scratch: ", mountPoint),
            .init("buildkit own/chmod", "/below", modeOfParents),
            .init("buildkit own/chmod", "/sub: ", modeOfParents),
            .init(
                "buildkit own/chmod", "/owned: ", "the set-user-ID bit of --chmod=4711 is lost in a BuildKit this old"),
            .init("buildkit own/directories", "/made", workingDirectory),
            .init("buildkit files/astral-sh__uv-docker-example/multistage.Dockerfile", "status: ", unknownOwner),
            .init("buildkit files/astral-sh__uv-docker-example/standalone.Dockerfile", "status: ", unknownOwner),
            .init("buildkit files/umami-software__umami/Dockerfile", "status: ", unknownOwner),
            .init("buildkit files/jupyter__docker-stacks/binder__Dockerfile", "status: ", unknownOwner),
            .init(
                "buildkit files/jupyter__docker-stacks/images__pyspark-notebook__Dockerfile", "status: ",
                "a WORKDIR of nothing is / to BuildKit; shale refuses it, as the classic builder does"),
        ] + volumes

    private static let volumes: [Self] = ["", "-corretto", "-graal"].map { kind in
        .init(
            "buildkit files/keeganwitt__docker-gradle/jdk-lts-and-current\(kind)__Dockerfile", "/home/gradle/.gradle: ",
            "the classic builder, and shale, make the places of volumes; BuildKit does not")
    }

    /// Whether a trial may differ in this line: it is listed, or tells of a place where `RUN --mount` mounted something.
    static func explains(_ line: String, of trial: Trial) -> Bool {
        if all.contains(where: { $0.trial == trial.id && line.hasPrefix($0.line) }) { return true }
        let stub = ": docker dir 755 0:0, shale nothing"
        return trial.judge == .buildkit && trial.text.contains("--mount") && line.hasSuffix(stub)
            && trial.text.contains(line.dropLast(stub.count))
    }
}
