import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `--output`, `--metadata-file`, `--annotation` and `--build-context`.
@Suite(
    "where a build goes, and what it is given", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildOutputTests {
    private static let files = ["Dockerfile": "FROM scratch\nCOPY f d /\nCMD [\"/f\"]\n", "f": "f\n", "d/e": "e\n"]

    private func sh(_ script: String, in folder: TemporaryDirectory) throws -> String {
        try Peer("sh").run(["-c", script], in: folder.path).text
    }

    @Test("files go into a folder, beside what is there", arguments: ["-o\0out", "--output\0type=local,dest=out"])
    func folder(_ words: String) throws {
        let (home, files, place) = (ShaleHome(), try ContextFolder(Self.files), TemporaryDirectory())
        let options = words.split(separator: "\0").map(String.init)
        try home.run(["build"] + options + [files.path], in: place.path)
        #expect(try sh("cd out; find . -type f | sort; cat f e", in: place) == "./e\n./f\nf\ne\n")
        _ = try sh("echo mine >out/mine; echo old >out/f", in: place)
        try home.run(["build"] + options + [files.path], in: place.path)
        #expect(try sh("cd out; find . | sort; cat f mine", in: place) == ".\n./e\n./f\n./mine\nf\nmine\n")
        // Neither is thrown away for the other.
        _ = try sh("rm out/f; mkdir out/f; echo keep >out/f/x", in: place)
        let refused = try home.run(["build"] + options + [files.path], in: place.path, expecting: 1)
        #expect(refused.errors.contains("f: file exists"), "\(refused)")
        #expect(try sh("cd out; find . | sort", in: place) == ".\n./e\n./f\n./f/x\n./mine\n")
    }

    @Test("a link in the folder is not followed")
    func link() throws {
        let (home, place) = (ShaleHome(), TemporaryDirectory())
        let files = try ContextFolder(["Dockerfile": "FROM scratch\nCOPY d /d\n", "d/e": "e\n"])
        _ = try sh("mkdir out elsewhere; ln -s ../elsewhere out/d", in: place)
        try home.run(["build", "-o", "out", files.path], in: place.path, expecting: 1)
        #expect(try sh("find elsewhere", in: place) == "elsewhere\n")
    }

    @Test("a tar on standard output is all there is on it", arguments: ["-", "type=tar", "type=tar,dest=-"])
    func standardOutput(_ output: String) throws {
        let (home, files) = (ShaleHome(), try ContextFolder(Self.files))
        let child = try home.start(["build", "-o", output, files.path], name: "t")
        #expect(child.wait() == 0)
        #expect(try sh("tar -tf t.out | sort; grep -c 'Successfully built' t.err", in: home.folder) == "e\nf\n1\n")
    }

    @Test("archives hold the names, and the home none")
    func archives() throws {
        let (home, files, place) = (ShaleHome(), try ContextFolder(Self.files), TemporaryDirectory())
        try home.run(
            [
                "build", "-t", "a:1", "-o", "type=oci,dest=o.tar", "-o", "type=docker,dest=d.tar", "-o",
                "type=oci,dest=lay,tar=false", "--metadata-file", "m.json", files.path,
            ], in: place.path)
        #expect(try home.run(["images", "-q", "a"]).lines.isEmpty)
        let other = ShaleHome()
        for name in ["o.tar", "d.tar", "lay"] {
            #expect(
                try other.run(["load", "-i", place.path + "/" + name]).text == "Loaded image: a:1\n")
        }
        let text = try sh("cat m.json", in: place)
        let id = try other.run(["inspect", "-f", "{{.Id}}", "a:1"], expecting: nil).text.dropLast()
        #expect(text.contains("\"containerimage.config.digest\": \"\(id)\""), "\(text)")
        #expect(text.contains("\"image.name\": \"docker.io/library/a:1\""), "\(text)")
        let named = try home.run(["build", "-t", "a:1", "-o", "type=image,name=b:2", files.path])
        #expect(named.text.hasSuffix("Successfully tagged a:1\nSuccessfully tagged b:2\n"), "\(named)")
    }

    @Test(
        "what cannot be is refused before anything is built",
        arguments: [
            (["-o", "type=local"], "dest is required for local exporter"),
            (["-o", "type=local,dest=-"], "dest is required for local exporter"),
            (["-o", "dest=x,tar=true"], "type is required for output"),
            (["-o", "type=tar,x"], "invalid value x"),
            (["-o", "-", "-o", "type=oci"], "multiple outputs configured to write to stdout"),
            (["-o", "type=oci,dest=dir"], "destination file dir is a directory"),
            (["-o", "type=oci,dest=file,tar=false"], "destination directory file is a file"),
            (["-o", "type=tar,compression=zstd,dest=x"], "compression=zstd is not supported"),
            (["--annotation", "x"], "invalid annotation \"x\", expected key=value"),
            (["--build-context", "x"], "invalid context value: x, expected key=value"),
            (["--build-context", "x=https://example.com/file.tar"], "a file by its address is not supported"),
            (["--cache-to", "type=gha"], "--cache-to type=gha is not supported"),
            (["--cache-from", "src=x"], "type required for \"src=x\""),
            (["--cache-to", "type=local,dest=x,mode=most"], "mode=most is not supported"),
            (["--policy", "x"], "--policy is not supported"),
        ])
    func refused(_ row: (options: [String], words: String)) throws {
        let (home, files, place) = (ShaleHome(), try ContextFolder(Self.files), TemporaryDirectory())
        _ = try sh("mkdir dir; echo x >file", in: place)
        let run = try home.run(["build"] + row.options + [files.path], in: place.path, expecting: nil)
        #expect(run.status != 0 && run.errors.contains(row.words), "\(run)")
        #expect(!run.text.contains("Step"), "\(run)")
        #expect(try sh("find . | sort; cat file", in: place) == ".\n./dir\n./file\nx\n")
    }

    @Test("annotations stand in the manifest of the named image")
    func annotations() throws {
        let (home, files) = (ShaleHome(), try ContextFolder(Self.files))
        try home.run(
            ["build", "-t", "a:1", "--annotation", "org.x=y", "--annotation", "manifest:b=c", files.path])
        let raw = try Peers.skopeo.run(["inspect", "--raw", "oci:\(home.home):docker.io/library/a:1"]).text
        #expect(raw.contains("\"annotations\":{\"b\":\"c\",\"org.x\":\"y\"}"), "\(raw)")
        try home.run(["rmi", "a:1"])
        #expect(try home.run(["images", "-q", "a"]).lines.isEmpty)
    }

    @Test("a named context stands in the place of an image, of a stage and of a folder")
    func contexts() throws {
        let home = ShaleHome()
        let files = try ContextFolder([
            "Dockerfile": """
            FROM alpine AS base
            COPY --from=stuff . /all/
            RUN --mount=from=stuff,target=/m cat /m/n >/n
            FROM base
            COPY --from=lay /f /g
            """,
            "named/n": "named\n", "named/.dockerignore": "left\n", "named/left": "x\n",
            "other/Dockerfile": "FROM scratch\nCOPY Dockerfile /f\n",
        ])
        try home.run(
            ["build", "-t", "l:1", "-o", "type=oci,dest=l,tar=false", files.path + "/other"], in: files.path)
        try home.run(
            [
                "build", "-t", "x", "--build-context", "alpine=docker-image://busybox", "--build-context",
                "stuff=named",
                "--build-context", "lay=oci-layout://l:1", files.path,
            ], in: files.path)
        let seen = try home.run(["run", "--rm", "x", "sh", "-c", "ls -A /all; cat /n /g"], expecting: nil).text
        #expect(seen == ".dockerignore\nn\nnamed\nFROM scratch\nCOPY Dockerfile /f\n", "\(seen)")
        // The whole stage is replaced.
        let replaced = try home.run(
            [
                "build", "--build-context", "base=docker-image://busybox", "--build-context", "lay=oci-layout://l",
                files.path,
            ], in: files.path)
        #expect(replaced.errors.contains("stage base is not needed"), "\(replaced)")
    }

    @Test("--no-cache-filter carries one stage out anew, --force-rm leaves no failed container")
    func filter() throws {
        let home = ShaleHome()
        let files = try ContextFolder([
            "Dockerfile": "FROM busybox AS A\nRUN echo a >/a\nFROM busybox\nRUN echo b >/b\nCOPY --from=a /a /a\n",
            "Fails": "FROM busybox\nRUN false\n",
        ])
        try home.run(["build", files.path])
        let again = try home.run(["build", "--no-cache-filter", "a", files.path])
        #expect(again.text.split(separator: "\n").count { $0.contains("Running in") } == 1, "\(again)")
        let failed = try home.run(["build", "--force-rm", "-f", files.path + "/Fails", files.path], expecting: nil)
        #expect(failed.status == 1, "\(failed)")
        #expect(try home.run(["ps", "-aq"]).lines.isEmpty)
    }
}
