import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The other forms of a recipe make the same files: tidied, as a script of steps, as a script for a root file system.
@Suite("recipe forms", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecipeFormTests {
    private static let session = """
        FROM busybox AS tools
        RUN mkdir /out && echo tool > /out/tool
        FROM busybox
        ENV GREETING="hello world"
        ENV NAME=shale
        WORKDIR /app
        WORKDIR inner
        COPY tree /tree/
        COPY --chown=3:4 run.sh /bin/run.sh
        COPY --from=tools /out/tool /bin/tool
        RUN cd /tree; echo here > here
        RUN echo "$GREETING $NAME" > greeting
        RUN rm /etc/group || true
        USER 1000:1000
        CMD ["sh"]
        tag @ made

        """

    private func home() throws -> (home: ShaleHome, work: ContextFolder) {
        let home = ShaleHome()
        let work = try ContextFolder(["tree/a b": "a\n", "tree/sub/c": "c\n"])
        try work.write(Array("#!/bin/sh\n".utf8), to: "run.sh", mode: 0o755)
        symlink("a b", work.path + "/tree/link")
        try home.run([], input: Array(Self.session.utf8), in: work.path)
        return (home, work)
    }

    private func files(of name: String, _ home: ShaleHome) throws -> WholeImage {
        let path = home.work + "/export.tar"
        try home.run(["export", "-o", path, name])
        return WholeImage(tar: try Data(contentsOf: URL(filePath: path)))
    }

    @Test func tidiedItMakesTheSame() throws {
        let (home, _) = try home()
        let tidy = try home.run(["recipe", "--tidy", "made"]).text
        #expect(tidy.contains("ENV GREETING=\"hello world\" NAME=shale\nWORKDIR /app/inner\n"), "\(tidy)")
        #expect(tidy.contains("RUN ( cd /tree; echo here > here ) && \\\n    echo"), "\(tidy)")
        let verified = try home.run(["recipe", "verify", "--tidy", "made"], expecting: nil)
        #expect(verified.status == 0, "\(verified.text)\(verified.errors)")
    }

    @Test func aScriptOfStepsMakesTheSame() throws {
        let (home, _) = try home()
        let folder = home.work + "/saved"
        try home.run(["recipe", "save", folder, "made", "--to", "shale"])
        try home.run(["-c", "source recipe.shale\ntag @ again"], in: folder)
        #expect(try files(of: "made", home).differences(from: files(of: "again", home), attributes: true) == [])
    }

    @Test func aScriptForARootFileSystemMakesTheSame() throws {
        let (home, _) = try home()
        let folder = home.work + "/saved"
        try home.run(["recipe", "save", folder, "made", "--to", "sh"])
        let run = ["run", "--name", "by-hand", "-v", "\(folder):/mnt/recipe", "busybox", "sh", "/mnt/recipe/recipe.sh"]
        try home.run(run)
        let found = try files(of: "made", home).differences(from: files(of: "by-hand", home), attributes: true) {
            path in
            path.hasPrefix("/mnt") || BuildDockerTests.isDockers(path)
        }
        #expect(found == [])
    }

    @Test func aHandoutHasEveryInstruction() throws {
        let (home, _) = try home()
        let folder = home.work + "/saved"
        try home.run(["recipe", "save", folder, "made", "--to", "md"])
        let text = try String(contentsOfFile: folder + "/recipe.md", encoding: .utf8)
        for line in try home.run(["recipe", "made"]).lines where !line.hasPrefix("#") { #expect(text.contains(line)) }
        #expect(text.contains("## 1. Begin with busybox AS tools"))
    }
}
