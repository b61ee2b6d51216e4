import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

/// Recipes that hang on images in a registry: with the referrers API, and by the tag where there is none.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RemoteRecipeTests {
    private static func pushed(to name: String, _ more: [String] = []) throws -> ShaleHome {
        let shale = ShaleHome()
        try Data("copied\n".utf8).write(to: URL(filePath: shale.work + "/file"))
        try shale.run(["-c", "FROM busybox\nRUN echo one > /one\nCOPY file /file\nENV A=b\ntag @ \(name)"])
        try shale.run(["push"] + more + [name])
        return shale
    }

    private static func knowsAndProves(_ name: String, _ shale: ShaleHome) throws {
        let digest = try shale.run(["referrers", "-q", name]).text
        #expect(digest.hasPrefix("sha256:") && digest.split(separator: "\n").count == 1, "\(digest)")
        #expect(try shale.run(["push", name]).errors.contains("recipe: \(digest.dropLast())"))
        #expect(try shale.run(["referrers", "-q", name]).text == digest)
        let other = ShaleHome()
        #expect(
            try other.run(["recipe", name, "--remote"]).text
                == "FROM busybox\nRUN echo one > /one\nCOPY file /file\nENV A=b\n")
        let before = try other.run(["images", "-aq"]).text
        let proof = try other.run(["recipe", "verify", name, "--remote"])
        #expect(proof.text.hasSuffix(" again: same files, same config\n"), "\(proof.text)\(proof.errors)")
        #expect(proof.errors.contains("Step 3/4 : COPY file /file\n"), "\(proof.errors)")
        // Nothing is left behind.
        #expect(try other.run(["images", "-aq"]).text == before || before.isEmpty)
        #expect(try other.run(["images", "-q", "--digests"]).text.split(separator: "\n").count == 1)
        #expect(try other.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
        // A recipe's own digest is a name of it, too, and no image.
        let own = "\(name.prefix { $0 != ":" }):\(name.split(separator: ":")[1])@\(digest.dropLast())"
        #expect(try other.run(["recipe", own, "--remote"]).text.hasPrefix("FROM busybox\n"))
        #expect(try other.run(["pull", own], expecting: 1).errors.contains("this is a recipe, and no image"))
    }

    @Test func aRecipeHangsOnAnImage() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/app"
        let shale = try Self.pushed(to: name)
        try Self.knowsAndProves(name, shale)
        let json = try shale.run(["referrers", "--format", "json", "--filter", "type=\(ArtifactType.recipe)", name])
            .text
        #expect(json.contains(#""Type":"application/vnd.shale.recipe.v1""#))
        #expect(try shale.run(["referrers", "-q", "--filter", "type=application/x", name]).text.isEmpty)
        let wrong = try shale.run(["referrers", "--filter", "kind=x", name], expecting: 1).errors
        #expect(wrong == "shale: Invalid filter 'kind'\nhint: filters: type, annotation\n")
    }

    @Test(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
    func debiansRegistryHasItByTheTag() throws {
        let server = try RegistryServer()
        let name = "\(server.host)/a/app"
        let shale = try Self.pushed(to: name)
        try Self.knowsAndProves(name, shale)
        let digest = try Peers.skopeo.run(
            ["inspect", "--format", "{{.Digest}}", "--tls-verify=false", "docker://\(name):latest"]
        ).text.dropLast()
        let tags = try Peers.skopeo.run(["list-tags", "--tls-verify=false", "docker://\(name)"]).text
        #expect(tags.contains("\"sha256-\(digest.dropFirst(7))\""))
        let recipe = try shale.run(["referrers", "-q", name]).text.dropLast()
        let raw = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", "docker://\(name)@\(recipe)"]).output
        let manifest = try OCIDocument.read(Manifest.self, from: raw, naming: "manifest")
        #expect(manifest.artifactType == ArtifactType.recipe && manifest.subject?.digest.description == String(digest))
        #expect(manifest.layers.first?.annotations?["org.opencontainers.image.title"] == "Dockerfile")
    }

    /// Each platform of an index has a recipe of its own.
    @Test func everyPlatformOfAnIndexHasItsRecipe() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/multi"
        let shale = ShaleHome()
        let context = shale.work + "/context"
        try FileManager.default.createDirectory(atPath: context, withIntermediateDirectories: true)
        let text = "FROM scratch\nARG TARGETARCH\nENV ARCH=$TARGETARCH\nCOPY Dockerfile /said-$TARGETARCH\n"
        try Data(text.utf8).write(to: URL(filePath: context + "/Dockerfile"))
        try shale.run(["build", "-q", "--platform", "linux/amd64,linux/arm64", "-t", name, context])
        let pushed = try shale.run(["push", name]).errors
        let other = ShaleHome()
        for platform in ["linux/amd64", "linux/arm64"] {
            #expect(pushed.contains("(recipe \(name):latest --remote --platform \(platform))"), "\(pushed)")
            let listed = try other.run(["referrers", "-q", "--platform", platform, name]).lines
            #expect(listed.count == 1 && pushed.contains("recipe: \(listed.first ?? "?")"), "\(listed)")
            let told = try other.run(["recipe", name, "--remote", "--platform", platform]).text
            #expect(told.contains(" /said-$TARGETARCH"), "\(told)")
            let proof = try other.run(["recipe", "verify", name, "--remote", "--platform", platform])
            #expect(proof.text.hasSuffix(" again: same files, same config\n"), "\(proof.text)\(proof.errors)")
        }
        // Sent again it is the same, and nothing of it is new.
        #expect(try shale.run(["push", name]).errors == pushed)
        #expect(try other.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
    }

    /// What only a stage behind `COPY --from` had is nobody else's business.
    @Test func filesOfOtherStagesStayHere() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/app"
        let shale = ShaleHome()
        let context = shale.work + "/context"
        try FileManager.default.createDirectory(atPath: context, withIntermediateDirectories: true)
        try Data("nobody else's\n".utf8).write(to: URL(filePath: context + "/private"))
        let lines = [
            "FROM busybox AS builder", "COPY private /private", "RUN wc -c < /private > /size", "FROM busybox",
            "COPY --from=builder /size /size",
        ]
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: context + "/Dockerfile"))
        try shale.run(["build", "-q", "-t", name, context])
        try shale.run(["push", name])
        let other = ShaleHome()
        let told = try other.run(["recipe", name, "--remote"]).text
        #expect(!told.contains("private") && told.contains("/size"), "\(told)")
        let proof = try other.run(["recipe", "verify", name, "--remote"])
        #expect(proof.text.hasSuffix(" again: same files, same config\n"), "\(proof.text)\(proof.errors)")
    }

    /// What a squash took out of an image does not go out with its recipe.
    @Test func filesThatASquashRemovedStayHere() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/app"
        let shale = ShaleHome()
        try shale.write("nobody else's\n", to: "private")
        try shale.run([
            "-c", "FROM busybox\nCOPY private /private\nRUN wc -c < /private > /size && rm /private\ntag @ whole",
        ])
        try shale.run(["squash", "whole", "--from", "2", "-t", name])
        try shale.run(["push", name])
        let digest = try shale.run(["referrers", "-q", name]).text.dropLast()
        let manifest = try OCIDocument.read(
            Manifest.self, from: Array(try #require(registry.manifest("a/app", String(digest)))), naming: "manifest")
        for blob in manifest.layers {
            let bytes = try #require(registry.blob(blob.digest.description))
            #expect(!String(decoding: bytes, as: UTF8.self).contains("nobody else's"))
        }
        let other = ShaleHome()
        let proof = try other.run(["recipe", "verify", name, "--remote"])
        #expect(proof.text.hasSuffix(" again: same files, same config\n"), "\(proof.text)\(proof.errors)")
    }

    /// A recipe of a stranger's sees none of what this home's builds keep between them, and leaves nothing there.
    @Test func aVerifiedRecipeSharesNoCacheMounts() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/app"
        let dockerfile = "FROM busybox\nRUN --mount=type=cache,id=kept,target=/kept ls /kept > /list; touch /kept/x\n"
        func context(_ shale: ShaleHome, _ text: String) throws -> String {
            let folder = shale.folder.path + "/context\(text.count)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(filePath: folder + "/Dockerfile"))
            return folder
        }
        let teacher = ShaleHome()
        try teacher.run(["build", "-q", "-t", name, context(teacher, dockerfile)])
        try teacher.run(["push", name])
        let student = ShaleHome()
        let fill = "FROM busybox\nRUN --mount=type=cache,id=kept,target=/kept touch /kept/mine\n"
        try student.run(["build", "-q", context(student, fill)])
        let proof = try student.run(["recipe", "verify", name, "--remote"], expecting: nil)
        #expect(proof.text.hasSuffix(" again: same files, same config\n"), "\(proof.text)\(proof.errors)")
        let look = "FROM busybox\nRUN --mount=type=cache,id=kept,target=/kept ls /kept\n"
        let seen = try student.run(["build", "--no-cache", context(student, look)]).text
        let shown = seen.split(separator: "\n")
        #expect(shown.contains("mine") && !shown.contains("x"), "\(seen)")
    }

    @Test func noneIsPushedWhereNoneIsWantedOrKnown() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/app"
        let shale = try Self.pushed(to: name, ["--no-recipe"])
        #expect(try shale.run(["referrers", "-q", name]).text.isEmpty)
        let missing = try shale.run(["recipe", name, "--remote"], expecting: 1).errors
        #expect(missing.hasPrefix("shale: no recipe hangs on \(name):latest\nhint: referrers \(name)"), "\(missing)")
        // What was pulled was not made here.
        let other = ShaleHome()
        try other.run(["-c", "pull -q \(name)\ntag \(name) \(registry.host)/b/app\npush \(registry.host)/b/app"])
        #expect(try other.run(["referrers", "-q", "\(registry.host)/b/app"]).text.isEmpty)
    }

    @Test func aRecipeFromOutsideIsTextUntilItIsVerified() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/app"
        let shale = try Self.pushed(to: name, ["--no-recipe"])
        let image = Array(try #require(registry.manifest("a/app", "latest")))
        let subject = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of(image), size: Int64(image.count))
        let outside = "\(shale.work)/outside"
        func hang(_ dockerfile: String, _ files: [SmallImage.File], at year: Int) throws {
            let tar = SmallImage.tar(files)
            let texts = [Array(dockerfile.utf8), tar].map { bytes in
                Descriptor(mediaType: "", digest: Digest.of(bytes), size: Int64(bytes.count))
            }
            _ = try registry.put(blob: Array(dockerfile.utf8))
            _ = try registry.put(blob: tar)
            var blobs = texts
            blobs[0].mediaType = "application/vnd.shale.recipe.v1.dockerfile"
            blobs[1].mediaType = "application/vnd.shale.recipe.v1.files.tar"
            let artifact = Artifact(
                type: ArtifactType.recipe, blobs: blobs, subject: subject,
                annotations: ["org.opencontainers.image.created": "\(year)-01-01T00:00:00Z"])
            let bytes = Array(artifact.manifest.document.text().utf8)
            var entry = Descriptor(
                mediaType: MediaType.ociManifest, digest: Digest.of(bytes), size: Int64(bytes.count),
                annotations: artifact.annotations)
            entry.artifactType = ArtifactType.recipe
            registry.put(bytes, type: MediaType.ociManifest, in: "a/app", as: [entry.digest.description])
            registry.hang(entry.document.text(), type: ArtifactType.recipe, on: subject.digest.description)
        }
        try hang("FROM busybox\nRUN echo \u{1b}]0;mine\u{7} > /one\n", [], at: 2001)
        let shown = try shale.run(["recipe", name, "--remote"]).text
        #expect(shown == "FROM busybox\nRUN echo \\e]0;mine\\x07 > /one\n", "\(shown)")

        // Links that lead out, names that lead out, the host's files by any spelling, and more rights than others have.
        let files: [SmallImage.File] = [
            .link("out", to: "/etc"), .init("out/\(outside)", "x"), .init("../../\(outside)", "x"),
            .link("passwd", to: "/etc/passwd"),
        ]
        try hang("FROM busybox\nCOPY passwd /file\n", files, at: 2002)
        let copied = try shale.run(["recipe", "verify", name, "--remote"], expecting: nil)
        #expect(copied.status == 1 && !copied.text.contains("root:"), "\(copied.text)\(copied.errors)")
        try hang("FROM busybox\nRUN --security=insecure touch \(outside)\n", [], at: 2003)
        let refused = try shale.run(["recipe", "verify", name, "--remote"], expecting: nil)
        #expect(refused.status != 0 && refused.errors.contains("security.insecure"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: outside))
        try hang("FROM busybox\nRUN echo two > /one\n", [], at: 2004)
        let differs = try shale.run(["recipe", "verify", name, "--remote"], expecting: 1).text
        #expect(differs.contains("/one: content (line 2: RUN echo two > /one)\n"), "\(differs)")
        #expect(differs.contains("/file: not made by the recipe"), "\(differs)")
        #expect(try shale.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
    }
}
