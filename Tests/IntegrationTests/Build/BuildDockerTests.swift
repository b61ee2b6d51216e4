import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The same Dockerfiles built by Debian's dockerd (classic builder) and by shale: same files, same config.
@Suite(
    "builds beside docker", .serialized, .enabled(if: DockerDaemon.isPossible, "\(DockerDaemon.impossible)"),
    .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildDockerTests {
    /// Every instruction, in a dozen files; the name becomes the tag.
    static let dockerfiles: [(name: String, text: String)] = [
        ("chapter", "FROM busybox\nWORKDIR /usr/src/app\nCOPY hello.sh .\nRUN touch additional.txt\nCMD ./hello.sh\n"),
        (
            "copies",
            "FROM busybox\nCOPY hello.sh /usr/bin\nCOPY sub /sub\nCOPY sub/a.txt hello.sh /many/\nCOPY . /all/\nCOPY s*/a.* /glob/\n"
        ),
        (
            "chown",
            "FROM busybox\nCOPY --chown=www-data:daemon sub /owned/\nCOPY --chown=7:8 hello.sh /seven\nCOPY --chown=nobody secret /s\n"
        ),
        (
            "archives",
            "FROM busybox\nADD tree.tar /arch/\nADD tree.tar.gz /zipped\nCOPY tree.tar /kept/\nADD sub/a.txt /plain\n"
        ),
        (
            "config",
            "FROM busybox\nMAINTAINER someone <s@example.org>\nENV A=1 B=\"two words\" PATH=/opt:$PATH\nENV old style value\n"
                + "LABEL a.b=c quoted=\"with $A\"\nEXPOSE 80 443/udp 8000-8002\nVOLUME /data \"/more\"\nUSER daemon:daemon\n"
                + "WORKDIR /w\nWORKDIR below\nSTOPSIGNAL SIGINT\nSHELL [\"/bin/sh\", \"-e\", \"-c\"]\n"
                + "HEALTHCHECK --interval=5s --retries=2 CMD true\nENTRYPOINT [\"echo\", \"hi\"]\nCMD there\n"
        ),
        (
            "arguments",
            "ARG TAG=latest\nFROM busybox:$TAG\nARG GIVEN=default\nARG OTHER\nARG TAG\n"
                + "RUN echo \"$GIVEN-$OTHER-$TAG\" > /values\nENV KEPT=${GIVEN:-no} NEW=${OTHER:+set}\n"
        ),
        (
            "stages",
            "FROM busybox AS first\nRUN mkdir /out && echo made > /out/file && chown 5:6 /out/file && ln -s file /out/link\n"
                + "FROM first AS second\nRUN echo more >> /out/file\nFROM scratch\nCOPY --from=first /out /one/\n"
                + "COPY --from=1 /out/file /two\nCOPY --from=busybox /etc/passwd /passwd\n"
        ),
        (
            "parent",
            "FROM busybox\nONBUILD COPY hello.sh /from-trigger\nONBUILD RUN echo ran > /triggered\nONBUILD ENV T=1\nCMD [\"x\"]\n"
        ),
        ("child", "FROM parent\nRUN cat /triggered > /seen\nENTRYPOINT [\"y\"]\n"),
        (
            "removal",
            "FROM busybox\nRUN mkdir -p /d/e && echo 1 > /d/e/f && echo 2 > /d/g\nRUN rm -r /d/e && rm /etc/group\nRUN mkdir /d/e && echo 3 > /d/e/h && mv /d/g /d/i\n"
        ),
        (
            "modes",
            "FROM busybox\nRUN mkdir -m 1777 /sticky && touch /setuid && chmod 4755 /setuid && mkfifo /pipe && ln /setuid /linked\nUSER nobody\nRUN id -u > /tmp/who\n"
        ),
        (
            "volumes",
            "FROM busybox\nRUN mkdir /v && echo kept > /v/kept\nVOLUME /v /missing\nRUN echo lost > /v/lost; ls /v > /listing\nCOPY hello.sh /v/added\n"
        ),
        (
            "links",
            "FROM busybox\nRUN mkdir /real && ln -s /real /link && ln -s /etc/target /dangling\nCOPY hello.sh /link/\nCOPY sub /link\nCOPY inside /followed\n"
        ),
        (
            "workdirs",
            "FROM busybox\nUSER daemon\nWORKDIR /made/here\nCOPY hello.sh ./\nRUN pwd > /tmp/where\nWORKDIR ../there\n"
        ),
    ]

    /// Paths that docker puts into every container it makes.
    static func isDockers(_ path: String) -> Bool {
        let own = [
            "/.dockerenv", "/dev", "/proc", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab",
            "/etc",
        ]
        return own.contains(path) || ["/dev/", "/proc/", "/sys/"].contains { path.hasPrefix($0) }
    }

    static let fields = [
        "Env", "Cmd", "Entrypoint", "User", "WorkingDir", "ExposedPorts", "Volumes", "Labels", "OnBuild", "StopSignal",
        "Shell", "Healthcheck",
    ]

    @Test func sameFilesAndConfig() throws {
        setenv("DOCKER_BUILDKIT", "0", 1)
        let docker = try DockerDaemon()
        let home = try ShaleHome(accountsFrom: accounts())
        try home.run(["save", "-o", home.work + "/busybox.tar", "busybox"])
        try docker.docker(["load", "-q", "-i", home.work + "/busybox.tar"])
        let context = try Self.context()
        for (name, text) in Self.dockerfiles {
            try context.write(Array(text.utf8), to: "Dockerfile")
            let options = ["-t", name, "--build-arg", "GIVEN=given", context.path]
            let theirs = try docker.docker(["build", "--network", "host"] + options, expecting: nil)
            let ours = try home.run(["build"] + options, expecting: nil)
            #expect(
                theirs.status == ours.status, "\(name): docker \(theirs.status) \(theirs.errors), shale \(ours.errors)")
            guard theirs.status == 0, ours.status == 0 else { continue }
            Self.compareFiles(name, try Self.files(of: name, docker), try Self.files(of: name, home))
            try Self.compareConfig(name, docker, home)
        }
        try Self.runsInDocker(docker, home)
    }

    /// What shale saved is loaded and run by docker.
    private static func runsInDocker(_ docker: DockerDaemon, _ home: ShaleHome) throws {
        let archive = home.work + "/chapter.tar"
        try home.run(["tag", "chapter", "from-shale:1"])
        try home.run(["save", "-o", archive, "from-shale:1"])
        try docker.docker(["load", "-q", "-i", archive])
        let run = try docker.docker(["run", "--rm", "--network", "host", "from-shale:1"])
        #expect(run.text == "hello from the script\n")
    }

    private static func files(of name: String, _ docker: DockerDaemon) throws -> [String: ImageFile] {
        let id = try docker.docker(["create", "--network", "host", name, "x"]).text.split(separator: "\n").first ?? ""
        let tar = try docker.docker(["export", String(id)]).output
        try docker.docker(["rm", String(id)])
        return listing(Data(tar))
    }

    private static func files(of name: String, _ home: ShaleHome) throws -> [String: ImageFile] {
        let id = try home.run(["create", name, "x"]).lines.first ?? ""
        let path = home.work + "/export.tar"
        try home.run(["export", "-o", path, id])
        try home.run(["rm", id])
        return listing(try Data(contentsOf: URL(filePath: path)))
    }

    /// Hard links are shown as the file they are.
    private static func listing(_ tar: Data) -> [String: ImageFile] {
        var files: [String: ImageFile] = [:]
        for (path, entry) in TarListing(tar).entries where path != "/" {
            files[path] = entry.type == "hardlink" ? files[entry.target ?? ""] ?? entry : entry
        }
        return files.filter { !isDockers($0.key) }
    }

    private static func compareFiles(_ name: String, _ theirs: [String: ImageFile], _ ours: [String: ImageFile]) {
        for path in Set(theirs.keys).union(ours.keys).sorted() where theirs[path] != ours[path] {
            let (docker, shale) = (theirs[path]?.description ?? "nothing", ours[path]?.description ?? "nothing")
            Issue.record("\(name): \(path): docker has \(docker), shale \(shale)")
        }
    }

    private static func compareConfig(_ name: String, _ docker: DockerDaemon, _ home: ShaleHome) throws {
        let format = ["inspect", "-f", "{{json .Config}}", name]
        let theirs = try JSONDecoder().decode(JSONValue.self, from: Data(docker.docker(format).output))
        let ours = try JSONDecoder().decode(JSONValue.self, from: Data(home.run(format).text.utf8))
        for field in fields {
            #expect(
                meaning(theirs[field]) == meaning(ours[field]),
                "\(name): \(field): docker has \(String(describing: theirs[field])), shale \(String(describing: ours[field]))"
            )
        }
    }

    private static func meaning(_ value: JSONValue?) -> JSONValue? {
        value.flatMap { $0.isUnset ? nil : $0 }
    }

    private func accounts() throws -> String {
        let folder = try ContextFolder([
            "passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nwww-data:x:33:33::/:/bin/false\n"
                + "nobody:x:65534:65534::/:/bin/false\n",
            "group": "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnobody:x:65534:\n", "shadow": "root:*::0:::::\n",
        ])
        try Peer("cp").run(["-r", folder.path, folder.path + ".accounts"])
        return folder.path + ".accounts"
    }

    private static func context() throws -> ContextFolder {
        let context = try ContextFolder([
            "sub/a.txt": "a\n", "sub/deep/b.txt": "b\n", "left/out": "no\n", "keep/this": "yes\n",
            ".dockerignore": "left\n*.md\n!README.md\n", "README.md": "read\n", "NOTES.md": "not this\n",
        ])
        try context.write(Array("#!/bin/sh\necho hello from the script\n".utf8), to: "hello.sh", mode: 0o755)
        try context.write([1, 2, 3], to: "secret", mode: 0o600)
        symlink("sub/a.txt", context.path + "/inside")
        chmod(context.path + "/sub/deep", 0o750)
        chmod(context.path + "/sub", 0o700)
        try Peer("tar").run([
            "-C", context.path + "/sub", "--owner=3", "--group=4", "-cf", context.path + "/tree.tar", ".",
        ])
        try Peer("gzip").run(["-k", context.path + "/tree.tar"])
        return context
    }
}

/// What shale builds, read by the tools of others.
@Suite("built images in other tools", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct BuildPeerTests {
    @Test(.enabled(if: Peers.skopeo.isPresent && Peers.umoci.isPresent, "needs skopeo and umoci"))
    func skopeoAndUmociReadTheHome() throws {
        let home = ShaleHome()
        let context = try ContextFolder([
            "Dockerfile": "FROM busybox\nCOPY file /made/by/shale\nRUN rm /bin/vi && echo 1 > /one\nLABEL who=shale\n",
            "file": "content\n",
        ])
        try home.run(["build", "-t", "built", context.path])
        let inspected = try Peers.skopeo.run(["inspect", "oci:\(home.home):docker.io/library/built:latest"])
        let document = try JSONDecoder().decode(JSONValue.self, from: Data(inspected.output))
        #expect(document["Labels"]?["who"]?.string == "shale")
        let layers = try home.run(["inspect", "-f", "{{len .RootFS.Layers}}", "built"]).lines.first
        #expect(document["Layers"]?.array.map { String($0.count) } == layers)
        // umoci knows tags without slashes alone: the image goes through skopeo into a layout of its own.
        let layout = home.work + "/layout"
        try Peers.skopeo.run(["copy", "oci:\(home.home):docker.io/library/built:latest", "oci:\(layout):built"])
        let bundle = home.work + "/bundle"
        let rootless = geteuid() == 0 ? [] : ["--rootless"]
        try Peers.umoci.run(["unpack"] + rootless + ["--image", layout + ":built", bundle])
        func text(_ path: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(filePath: "\(bundle)/rootfs/\(path)")), as: UTF8.self)
        }
        #expect(try text("made/by/shale") == "content\n")
        #expect(try text("one") == "1\n")
        #expect(access("\(bundle)/rootfs/bin/vi", F_OK) == -1)
    }
}
