import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `--cache-to` and `--cache-from`: steps made in one home are found in another.
@Suite("a shared cache", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SharedCacheTests {
    private static let dockerfile = """
        FROM busybox AS tools
        RUN date >/tool && ln -s /tool /link
        FROM busybox
        ARG VERSION=1
        WORKDIR /srv
        COPY f.txt sub/ ./
        RUN cat f.txt >copy && od -An -N8 -tx8 /dev/urandom >number
        COPY --from=tools --link /tool /app/tool
        USER nobody
        HEALTHCHECK CMD true
        CMD ["cat", "/srv/number"]
        """

    private func context() throws -> ContextFolder {
        try ContextFolder(["Dockerfile": Self.dockerfile, "f.txt": "data\n", "sub/g": "g\n"])
    }

    /// The lines that say a step ran.
    private func runs(_ run: Peer.Outcome) -> Int {
        run.text.split(separator: "\n").count { $0.contains("Running in") }
    }

    private func id(_ home: ShaleHome, _ name: String) throws -> String {
        try home.run(["inspect", "-f", "{{.Id}}", name]).text
    }

    private func manifest(_ home: ShaleHome) throws -> String {
        let index = try Data(contentsOf: URL(filePath: home.home + "/index.json"))
        let words = String(decoding: index, as: UTF8.self).split(separator: "{").filter {
            $0.contains("library/one:latest")
        }
        return words.map(String.init).joined()
    }

    /// `--cache-to` and `--cache-from` for the kind of place, below a folder or in a registry.
    @Test("the second home carries nothing out, and makes the same image", arguments: ["local", "registry", "name"])
    func secondHome(_ kind: String) throws {
        let registry = kind == "local" ? nil : try RegistryServer()
        let (one, two, files) = (ShaleHome(), ShaleHome(), try context())
        let folder = TemporaryDirectory()
        let name = registry.map { "\($0.host)/class/cache:v1" } ?? ""
        let (to, from) =
            switch kind {
            case "local": ("type=local,dest=\(folder.path)/c,mode=max", "type=local,src=\(folder.path)/c")
            case "registry": ("type=registry,ref=\(name),mode=max", "type=registry,ref=\(name)")
            default: ("type=registry,ref=\(name),mode=max", name)
            }
        let made = try one.run(["build", "-t", "one", "--cache-to", to, files.path])
        #expect(made.errors.contains("9 steps written"), "\(made)")
        let found = try two.run(["build", "-t", "one", "--cache-from", from, files.path])
        #expect(runs(found) == 0, "\(found)")
        #expect(try id(one, "one") == id(two, "one"))
        #expect(
            try two.run(["run", "--rm", "one"], expecting: nil).text
                == one.run(["run", "--rm", "one"], expecting: nil).text)
        #expect(
            try two.run(["recipe", "one"], expecting: nil).text == one.run(["recipe", "one"], expecting: nil).text)
        try two.run(["system", "check"])
        // What was found is a step of this home's from then on.
        let again = try two.run(["build", files.path])
        #expect(runs(again) == 0, "\(again)")
    }

    @Test("what changed is carried out, what stands above it is found")
    func changed() throws {
        let (one, two, files) = (ShaleHome(), ShaleHome(), try context())
        let folder = TemporaryDirectory()
        try one.run(["build", "--cache-to", "type=local,dest=\(folder.path)/c,mode=max", files.path])
        try files.write(Array("other\n".utf8), to: "f.txt")
        let built = try two.run(
            ["build", "-t", "x", "--cache-from", "type=local,src=\(folder.path)/c", files.path])
        let hits = built.text.split(separator: "\n").count { $0.contains("Using cache") }
        // RUN of the first stage, ARG and WORKDIR; and the linked copy, which is the same on every base.
        #expect(hits == 4, "\(built)")
        #expect(try two.run(["run", "--rm", "x", "cat", "/srv/copy"], expecting: nil).text == "other\n")
    }

    @Test("mode=min keeps the steps of the image alone")
    func smallest() throws {
        let (one, two, files) = (ShaleHome(), ShaleHome(), try context())
        let folder = TemporaryDirectory()
        let made = try one.run(["build", "--cache-to", "type=local,dest=\(folder.path)/c", files.path])
        #expect(made.errors.contains("8 steps written"), "\(made)")
        let built = try two.run(["build", "--cache-from", "type=local,src=\(folder.path)/c", files.path])
        #expect(built.text.contains("Running in"), "\(built)")
    }

    @Test(
        "a cache that is missing or broken is a warning",
        arguments: [
            ("rm -rf c", "there is none yet"),
            ("echo '{' >c/index.json", "index.json"),
            ("rm c/blobs/sha256/*", "it is not there"),
            ("for f in c/blobs/sha256/*; do echo x >$f; done", "bytes announced"),
            (
                "for f in c/blobs/sha256/*; do printf X | dd of=$f conv=notrunc 2>/dev/null; done",
                "do not match its digest"
            ),
            ("rm -rf c; mkfifo c", "Not a directory"),
            ("rm c/index.json; mkfifo c/index.json", "Invalid argument"),
            ("rm c/index.json; ln -s /etc/passwd c/index.json", "there is none yet"),
        ])
    func broken(_ row: (script: String, words: String)) throws {
        let (one, two, files) = (ShaleHome(), ShaleHome(), try context())
        let folder = TemporaryDirectory()
        try one.run(["build", "--cache-to", "type=local,dest=\(folder.path)/c,mode=max", files.path])
        try Peer("sh").run(["-c", row.script], in: folder.path)
        let built = try two.run(["build", "--cache-from", "type=local,src=\(folder.path)/c", files.path])
        #expect(built.errors.lowercased().contains(row.words.lowercased()), "\(built)")
        #expect(built.errors.split(separator: "\n").count { $0.hasPrefix("cache ") } == 1, "\(built)")
        #expect(!built.text.contains("Using cache"), "\(built)")
        try two.run(["system", "check"])
    }

    /// Each row changes the list of steps, as Python code on `steps`; digests are made to fit again.
    @Test(
        "an entry that leads elsewhere puts nothing into an image",
        arguments: [
            // The layer of another step.
            "a, b = [s for s in steps if s.get('layer')][1:3]; a['layer'] = b['layer']",
            // The result of another step.
            "a, b = [s for s in steps if s.get('layer')][1:3]; a['layer'], a['image'] = b['layer'], b['image']",
            // Another blob for a diff ID.
            "a, b = [s for s in steps if s.get('layer')][1:3]; a['layer']['blob'] = b['layer']['blob']",
            "[s for s in steps if s.get('layer')][1]['layer']['blob']['size'] = -1",
            "[s for s in steps if s.get('layer')][1]['layer']['blob']['size'] = 1 << 62",
            "[s for s in steps if s.get('layer')][1]['layer']['blob']['digest'] = 'sha256:../../../etc/passwd'",
            "[s for s in steps if s.get('layer')][1]['created'] = '9999-99-99T00:00:00Z'",
            "steps[:] = steps * 3000",
            "[s.update(summary=dict(added=2**63-1, changed=2**63-1, deleted=2**63-1, bytes=2**63-1, firstPaths=['x']*99)) for s in steps]; steps[1]['image'] = steps[0]['image']",
        ])
    func hostile(_ change: String) throws {
        let (one, two, files) = (ShaleHome(), ShaleHome(), try context())
        let folder = TemporaryDirectory()
        try one.run(
            ["build", "-t", "one", "--cache-to", "type=local,dest=\(folder.path)/c,mode=max", files.path])
        let script = """
            import json, hashlib
            def put(data):
                digest = hashlib.sha256(data).hexdigest()
                open('c/blobs/sha256/' + digest, 'wb').write(data)
                return 'sha256:' + digest, len(data)
            def get(d): return open('c/blobs/sha256/' + d['digest'][7:], 'rb').read()
            index = json.load(open('c/index.json'))
            entry = index['manifests'][0]
            manifest = json.loads(get(entry))
            document = json.loads(get(manifest['config']))
            steps = document['steps']
            \(change)
            manifest['config']['digest'], manifest['config']['size'] = put(json.dumps(document).encode())
            entry['digest'], entry['size'] = put(json.dumps(manifest).encode())
            json.dump(index, open('c/index.json', 'w'))
            """
        try Peer("python3").run(["-c", script], in: folder.path)
        let built = try two.run(
            ["build", "-t", "two", "--cache-from", "type=local,src=\(folder.path)/c", files.path])
        #expect(built.errors.contains("building without it") || !change.contains("image"), "\(built)")
        try two.run(["system", "check"])
        let seen = try two.run(["run", "--rm", "two", "cat", "/srv/copy", "/app/tool"]).text
        #expect(seen.hasPrefix("data\n"), "\(seen)")
    }

    @Test("a cache that cannot be written is a warning, and what is there stays")
    func unwritable() throws {
        let (home, files) = (ShaleHome(), try context())
        let folder = TemporaryDirectory()
        try Peer("sh").run(["-c", "mkdir d; echo mine >d/file; echo x >f"], in: folder.path)
        for place in ["d", "f"] {
            let built = try home.run(
                ["build", "--cache-to", "type=local,dest=\(folder.path)/\(place)", files.path])
            #expect(built.errors.contains("not written"), "\(built)")
        }
        #expect(try Peer("sh").run(["-c", "ls -A d; cat d/file f"], in: folder.path).text == "file\nmine\nx\n")
        let gone = try home.run(
            ["build", "--cache-to", "127.0.0.1:1/x/y", "--cache-from", "127.0.0.1:1/x/y", files.path])
        #expect(gone.errors.split(separator: "\n").count { $0.hasPrefix("cache 127.0.0.1:1/x/y") } == 2, "\(gone)")
    }

    @Test("an image is no cache")
    func image() throws {
        let registry = try RegistryServer()
        let (home, files) = (ShaleHome(), try context())
        try home.run(["build", "-t", "one", files.path])
        try registry.fill("oci:\(home.home):docker.io/library/one:latest", as: "class/image:v1")
        let other = ShaleHome()
        let built = try other.run(
            ["build", "--cache-from", "\(registry.host)/class/image:v1", files.path])
        #expect(built.errors.contains("is an image, and not a build cache"), "\(built)")
    }
}
