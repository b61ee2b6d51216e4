import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The same commands carried out by Debian's dockerd and by shale: the same answers, the same files.
@Suite(
    "containers beside docker", .serialized, .enabled(if: DockerDaemon.isPossible, "\(DockerDaemon.impossible)"),
    .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct ContainerDockerTests {
    /// Either engine, with the words of docker's command line.
    private struct Engine {
        let run: ([String]) throws -> (status: Int32, output: String)

        func must(_ words: [String]) throws -> String {
            let said = try run(words)
            if said.status != 0 { throw PeerError(text: "\(words): \(said)") }
            return said.output
        }
    }

    private static func engines(_ bench: ShaleHome, _ docker: DockerDaemon) throws -> (docker: Engine, shale: Engine) {
        try bench.run(["save", "-o", "busybox.tar", "busybox"])
        try docker.docker(["load", "-q", "-i", bench.work + "/busybox.tar"])
        return (
            Engine { words in
                let said = try docker.docker(words, expecting: nil)
                return (said.status, said.text)
            },
            Engine { words in
                let said = try bench.run(words, expecting: nil)
                return (said.status, said.text)
            }
        )
    }

    // MARK: diff and commit

    /// What is done in a container, each in one of its own.
    static let changes: [(name: String, script: String)] = [
        (
            "types",
            "rm /etc/group; mkdir /etc/group; rm -r /var/www; ln -s /tmp /var/www; rm -r /home; echo f > /home; "
                + "rm -r /usr; mkdir /usr; echo n > /usr/new; mkfifo /pipe; mknod /null c 1 3; ln -s nowhere /dangling; "
                + "mkdir -m 1777 /sticky; touch -- '/a b' /-x; echo one > /first; ln /first /second; mkdir /d; ln /first /d/e"
        ),
        (
            "renamed",
            "mv /etc/passwd /etc/accounts; mv /var /far; mv /bin/true /bin/yes2; chmod 600 /etc/group; chmod 700 /home; "
                + "chown 5:6 /root; touch -d 2001-01-01 /bin/cat"
        ),
        (
            "rewritten",
            "touch -r /etc/passwd /tmp/t; cp /etc/passwd /tmp/p; cat /tmp/p > /etc/passwd; touch -r /tmp/t /etc/passwd; "
                + "cp /etc/group /tmp/g; rm /etc/group; cp /tmp/g /etc/group; rm /tmp/g; mkdir -p /tmp/1/2/3; touch /tmp/1/2/3/f"
        ),
        ("linked", "ln /etc/passwd /home/hl; ln /etc/group /etc/g2; ln /etc/group /etc/g3; rm /etc/group"),
        ("whiteouts", "rm /etc/passwd /bin/cat; rm -r /var; mkdir -p /a/b; touch /a/b/c; rm -r /a"),
    ]

    @Test func sameChanges() throws {
        let (bench, docker) = (ShaleHome(), try DockerDaemon())
        let (theirs, ours) = try Self.engines(bench, docker)
        var same = 0
        for (name, script) in Self.changes {
            for engine in [theirs, ours] {
                _ = try engine.must(["run", "--name", name, "busybox", "sh", "-c", script])
            }
            let wanted = Self.paths(try theirs.must(["diff", name]))
            let found = Self.paths(try ours.must(["diff", name]))
            #expect(found == wanted.sorted { $0.dropFirst(2) < $1.dropFirst(2) }, "\(name)")
            // What it stores is what it showed; both images hold the same files.
            for engine in [theirs, ours] { _ = try engine.must(["commit", name, "made-" + name]) }
            let files = try [theirs, ours].map { engine in try Self.files(of: "made-" + name, engine, bench, docker) }
            for (path, entry) in files[0] where files[1][path] != entry {
                // Docker's vfs driver copies a file whose other name is the image's; its overlay2 keeps the link, too.
                if name == "linked", files[1][path] == "a name of a file" { continue }
                Issue.record("\(name): \(path): \(files[1][path] ?? "missing") instead of \(entry)")
            }
            #expect(Set(files[1].keys) == Set(files[0].keys), "\(name)")
            if found.sorted() == wanted.sorted(), files[0].keys == files[1].keys { same += 1 }
        }
        print("docker diff and commit: \(same)/\(Self.changes.count) alike")
    }

    /// What an image committed from a container has of each setting of the container's image.
    @Test func sameCommittedSettings() throws {
        let (bench, docker) = (ShaleHome(), try DockerDaemon())
        let (theirs, ours) = try Self.engines(bench, docker)
        let text = """
            FROM busybox
            ENV A=1
            LABEL k=v
            USER 5
            WORKDIR /w
            VOLUME /v
            EXPOSE 80
            STOPSIGNAL SIGINT
            HEALTHCHECK --retries=2 CMD true
            SHELL ["/bin/sh", "-e", "-c"]
            ONBUILD RUN true
            ENTRYPOINT ["/bin/sh"]
            CMD ["-c", "true"]

            """
        mkdir(bench.work + "/settings", 0o755)
        try text.write(toFile: bench.work + "/settings/Dockerfile", atomically: false, encoding: .utf8)
        // Not `Shell`: a recipe cannot take it back, and lines typed after the commit go on meaning what they did.
        let fields = [
            "Env", "Labels", "User", "WorkingDir", "Volumes", "ExposedPorts", "StopSignal", "Healthcheck", "OnBuild",
            "Entrypoint", "Cmd", "Tty", "OpenStdin",
        ]
        for engine in [theirs, ours] {
            _ = try engine.must(["build", "--network", "host", "-q", "-t", "settings", bench.work + "/settings"])
            _ = try engine.must(["run", "--network", "host", "-e", "B=2", "--name", "made", "settings", "-c", "true"])
            _ = try engine.must(["commit", "made", "committed"])
        }
        for field in fields {
            let words = ["inspect", "-f", "{{json .Config.\(field)}}", "committed"]
            let (wanted, found) = (try theirs.run(words), try ours.run(words))
            #expect(wanted == found, "\(field): docker \(wanted.output), shale \(found.output)")
        }
    }

    /// Lines without what either engine's own mounts bring.
    private static func paths(_ text: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { line in
            let path = line.dropFirst(2)
            return path != "/dev" && !path.hasPrefix("/dev/") && path != "/proc" && path != "/sys"
        }
    }

    private static func files(
        of image: String, _ engine: Engine, _ bench: ShaleHome, _ docker: DockerDaemon
    ) throws -> [String: String] {
        let name = "look-" + image
        _ = try engine.must(["create", "--name", name, image])
        let file = bench.work + "/look.tar"
        _ = try engine.must(["export", "-o", file, name])
        return try listing(of: file)
    }

    /// Path → type and mode, owner, size or target.
    private static func listing(of archive: String) throws -> [String: String] {
        var files: [String: String] = [:]
        for line in try Peers.tar.run(["--numeric-owner", "-tvf", archive]).text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true).map(String.init)
            guard words.count == 6 else { continue }
            // A name among several of one file is as good as another.
            let isLink = words[0].hasPrefix("h")
            let name = words[5].split(separator: " link to ").first.map(String.init) ?? words[5]
            let path = "/" + (name.hasPrefix("./") ? String(name.dropFirst(2)) : name)
            files[path] =
                isLink ? "a name of a file" : "\(words[0]) \(words[1]) \(words[0].hasPrefix("d") ? "" : words[2])"
        }
        // The first name of a file with several is a file in one archive and may be a link in the other.
        for (path, entry) in files where path.hasPrefix("/bin/") && entry.hasSuffix("\(busyboxSize)") {
            files[path] = "a name of a file"
        }
        return files
    }

    private static let busyboxSize: Int = {
        var status = stat()
        return stat("/bin/busybox", &status) == 0 ? Int(status.st_size) : -1
    }()

    // MARK: cp

    /// Docker's table of cases: into the container, and out of it; `C:` stands for the container.
    static let copies: [[String]] = [
        ["f", "C:/new"], ["f", "C:/newdir/"], ["f", "C:/etc"], ["f", "C:/etc/"], ["f", "C:/etc/group"],
        ["f", "C:/etc/group/"], ["f", "C:/no/such/place"], ["f", "C:new2"], ["d", "C:/D"], ["d", "C:/E/"],
        ["d", "C:/tmp"],
        ["d/.", "C:/F"], ["d/.", "C:/home"], ["d/", "C:/var"], ["d", "C:/etc/passwd"], ["d/.", "C:/etc/passwd"],
        ["d", "C:/no/such/place"], ["l", "C:/l"], ["-L", "l", "C:/l2"], ["dl", "C:/dl"], ["-L", "dl", "C:/dl2"],
        ["dl/", "C:/dl3"], ["dangling", "C:/da"], ["-L", "dangling", "C:/da2"], ["nope", "C:/x"], ["f/", "C:/x"],
        ["f", "C:/inside"], ["f", "C:/insidedir"], ["f", "C:/insidedir/deeper"], ["./a:b", "C:/colon"], ["f", "C:/"],
        ["C:/etc/passwd", "out1"], ["C:/etc/passwd", "outdir/"], ["C:/etc/passwd", "d"], ["C:/etc/passwd", "f2"],
        ["C:/etc/passwd/", "out2"], ["C:/nope", "."], ["C:/var", "out3"], ["C:/var/.", "out4"], ["C:/var/", "out5"],
        ["C:/var", "d"], ["C:/var/.", "d"], ["C:/var", "f2"], ["C:/inside", "out6"], ["-L", "C:/inside", "out7"],
        ["C:/insidedir", "out8"], ["C:/insidedir/", "out9"], ["-L", "C:/insidedir", "out10"], ["C:/lost", "out11"],
        ["-L", "C:/lost", "out12"], ["C:/etc/passwd", "no/such/place"], ["C:/", "out13"], ["C:", "out14"], ["f", "C:"],
        ["f", "g"], ["-a", "owned", "C:/kept"], ["f", "C:/far"], ["d", "C:/far"], ["f", "C:/far/x"],
        ["C:/far", "out15"],
        ["f", "C:/lost/x"], ["C:/dev", "out16"],
    ]

    @Test func sameCopies() throws {
        let (bench, docker) = (ShaleHome(), try DockerDaemon())
        let (theirs, ours) = try Self.engines(bench, docker)
        let prepare =
            "ln -s /tmp/inside-target /inside; echo t > /tmp/inside-target; ln -s /tmp /insidedir; ln -s nowhere /lost; ln -s /none/x /far; "
        let owners = "mkdir /mail; echo m > /mail/m; chown -R 8:12 /mail"
        var trees: [[String]] = []
        var statuses: [[Int32]] = []
        for (engine, folder) in [(theirs, "theirs"), (ours, "ours")] {
            let host = bench.work + "/" + folder
            _ = try bench.sh(
                """
                mkdir -p \(folder)/d/sub; cd \(folder); echo f > f; echo f2 > f2; echo a > d/a; echo b > d/sub/b; chmod 700 d/sub
                ln -s f l; ln -s d dl; ln -s nowhere dangling; echo c > a:b; echo o > owned; chown 11:12 owned; touch -d 2001-02-03 *
                """)
            _ = try engine.must(["run", "--name", "box", "busybox", "sh", "-c", prepare + owners])
            var codes: [Int32] = []
            for copy in Self.copies {
                let words = copy.map { word in
                    if word.hasPrefix("-") { return word }
                    return word.hasPrefix("C:") ? "box:" + word.dropFirst(2) : "\(host)/\(word)"
                }
                codes.append(try engine.run(["cp"] + words).status == 0 ? 0 : 1)
            }
            statuses.append(codes)
            let archive = bench.work + "/\(folder).tar"
            _ = try engine.must(["export", "-o", archive, "box"])
            let outside = try Peer("find").run([host, "-printf", "%y %m %U:%G %l %P\\n"]).text
                .split(separator: "\n").map(String.init).filter { !Self.isSystem($0) }
            trees.append(
                try Self.listing(of: archive).map { "\($0.key) \($0.value)" }.sorted() + outside.sorted())
        }
        for (place, copy) in Self.copies.enumerated() {
            #expect(statuses[0][place] == statuses[1][place], "cp \(copy): docker \(statuses[0][place])")
        }
        for line in Set(trees[0]).symmetricDifference(trees[1]).sorted() {
            Issue.record("only \(trees[0].contains(line) ? "docker" : "shale"): \(line)")
        }
    }

    /// What is another in each engine: kernel file systems of a copied root.
    private static func isSystem(_ line: String) -> Bool {
        let path = line.split(separator: " ").last ?? ""
        let systems = ["dev", "proc", "sys", ".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab"]
        return systems.contains { path.contains("/\($0)/") || path.hasSuffix("/\($0)") }
    }

    // MARK: run

    /// Options whose effect a command prints.
    static let runs: [[String]] = [
        ["busybox", "sh", "-c", "id; pwd; echo $HOME; umask"], ["-u", "1000", "busybox", "sh", "-c", "id; echo $HOME"],
        ["-u", "daemon:mail", "busybox", "id"], ["-u", "7:8", "busybox", "id"],
        ["-u", "nosuch", "busybox", "id"], ["--group-add", "mail", "--group-add", "99", "busybox", "id"],
        ["-w", "/a/b", "busybox", "pwd"], ["-w", "/etc/passwd", "busybox", "pwd"],
        ["-e", "A=1", "-e", "B=", "-e", "NOPE", "busybox", "sh", "-c", "echo $A-$B-${NOPE-unset}"],
        ["-h", "name", "busybox", "hostname"], ["--entrypoint", "echo", "busybox", "a", "b"],
        ["--entrypoint", "", "busybox", "echo", "c"],
        ["--read-only", "busybox", "sh", "-c", "touch /x 2>/dev/null || echo no; touch /dev/shm/y && echo yes"],
        ["--tmpfs", "/t:size=1m,mode=700", "busybox", "sh", "-c", "df /t | tail -1 | awk '{print $2}'; stat -c %a /t"],
        ["-v", "/data", "busybox", "sh", "-c", "stat -c '%a %u' /data; touch /data/x && ls /data"],

        ["--cap-drop", "ALL", "busybox", "sh", "-c", "grep Cap /proc/self/status"],
        ["--cap-add", "NET_ADMIN", "--cap-drop", "CHOWN", "busybox", "sh", "-c", "grep Cap /proc/self/status"],
        ["--security-opt", "no-new-privileges", "busybox", "grep", "NoNewPrivs", "/proc/self/status"],

        ["--ulimit", "nofile=64:128", "busybox", "sh", "-c", "ulimit -n; ulimit -Hn"],
        ["--shm-size", "2m", "busybox", "sh", "-c", "df /dev/shm | tail -1 | awk '{print $2}'"],
        ["--init", "busybox", "sh", "-c", "(sleep 0 &); exit 5"],

        ["--pids-limit", "3", "busybox", "sh", "-c", "true & true & true & true & wait"],
        ["busybox", "nada"], ["busybox", "/etc/passwd"], ["busybox", "sh", "-c", "exit 42"],
        ["busybox", "sh", "-c", "kill -TERM $$"],
        ["busybox", "--nope"],

        ["--add-host", "there:1.2.3.4", "busybox", "grep", "there", "/etc/hosts"],

        ["--dns", "1.2.3.4", "--dns-search", "x.y", "busybox", "cat", "/etc/resolv.conf"],
        ["--network", "none", "busybox", "sh", "-c", "ip -o link | wc -l"],
        ["--device", "/dev/null:/dev/nul2", "busybox", "sh", "-c", "ls -l /dev/nul2 | cut -c1-10"],

        ["busybox", "sh", "-c", "ls -l /proc/self/fd | wc -l; tty; cat /proc/1/comm"],
        ["busybox", "sh", "-c", "ls -ld /dev/stdin /dev/fd /dev/ptmx /dev/core | awk '{print $9,$10,$11}'"],
        [
            "busybox", "sh", "-c",
            "for p in /proc/kcore /proc/keys /proc/timer_list /sys/firmware; do ls -ld $p 2>&1 | cut -c1-1; done",
        ],
        ["--sysctl", "kernel.msgmax=4096", "busybox", "cat", "/proc/sys/kernel/msgmax"],
        ["--sysctl", "vm.swappiness=1", "busybox"], ["-v", "/etc:/etc/passwd", "busybox"],
        ["-v", "/etc/passwd:/etc", "busybox"], ["--restart", "no", "busybox", "echo", "r"],
        ["--restart", "always", "busybox"], ["-m", "20m", "--memory-swap", "30m", "busybox", "echo", "m"],
        ["--memory-swap", "30m", "busybox"], ["-c", "512", "--cpuset-cpus", "0", "busybox", "nproc"],
        ["--network", "container:nope", "busybox"], ["busybox", "ls", "-A", "/", "/dev/pts"],
    ]

    // MARK: volumes

    /// Named volumes one after the other, over an image with a folder of an owner's own, set-group-id, a link and a
    /// folder in it.
    static let volumes: [[String]] = [
        ["-v", "va:/data", "vol", "ls", "-lan", "/data"], ["-v", "va:/data/sub", "vol", "ls", "-lan", "/data/sub"],
        ["-v", "vb:/data:nocopy", "vol", "ls", "-lan", "/data"], ["-v", "vb:/data", "vol", "ls", "-lan", "/data"],
        ["-v", "vc:/data:ro", "vol", "sh", "-c", "ls -lan /data; touch /data/x 2>&1"],
        ["-v", "vd:/data/sub", "vol", "ls", "-lan", "/data"],
        ["-v", "ve:/nothere", "vol", "stat", "-c", "%a %u", "/nothere"],
        ["-v", "vf:/data/f", "vol", "ls", "-lan", "/data/f"], ["-v", "vg:/data/l", "vol", "ls", "-lan", "/data/l"],
        ["-v", "vh:/todata", "vol", "ls", "-lan", "/todata/"],
        ["--mount", "type=volume,source=vi,target=/data,volume-nocopy", "vol", "ls", "-lan", "/data"],
        ["--mount", "type=volume,source=vj,target=/data,readonly", "vol", "ls", "-lan", "/data"],
        ["-v", "vk:/x", "vol", "sh", "-c", "echo own > /x/f"],
        ["-v", "vk:/data", "vol", "sh", "-c", "cat /data/f; ls /data; stat -c '%a %u:%g' /data"],
        ["-v", "vl:/data", "vol", "rm", "-r", "/data/f", "/data/l", "/data/sub", "/data/.hidden"],
        ["-v", "vl:/data", "vol", "ls", "-A", "/data"], ["-v", "vm:/data:foo", "vol", "true"],
        ["-v", "/data", "vol", "ls", "-lan", "/data"],
        ["-v", "vn:/data", "-v", "vn:/other", "vol", "ls", "-A", "/other"],
        ["-v", "va:/data", "--read-only", "vol", "sh", "-c", "echo new > /data/new && cat /data/new"],
    ]

    @Test func sameVolumes() throws {
        let (bench, docker) = (ShaleHome(), try DockerDaemon())
        let (theirs, ours) = try Self.engines(bench, docker)
        let prepare =
            "mkdir -p /data/sub; echo x > /data/f; ln -s f /data/l; touch /data/.hidden; chmod 600 /data/f; "
            + "chown -R 33:34 /data; chmod 2750 /data; ln -s data /todata; touch -d 2001-02-03 /data/* /data/.hidden /data"
        for engine in [theirs, ours] {
            _ = try engine.must(["run", "--name", "made", "busybox", "sh", "-c", prepare])
            _ = try engine.must(["commit", "made", "vol"])
        }
        var same = 0
        for words in Self.volumes {
            let (wanted, found) = (try theirs.run(["run", "--rm"] + words), try ours.run(["run", "--rm"] + words))
            let isSame =
                wanted.status == found.status && Self.withoutTimes(wanted.output) == Self.withoutTimes(found.output)
            if isSame { same += 1 }
            #expect(isSame, "run \(words): docker \(wanted), shale \(found)")
        }
        print("docker volumes: \(same)/\(Self.volumes.count) alike")
    }

    /// The `volume` commands one after the other.
    static let volumeCommands: [[String]] = [
        ["volume", "ls"], ["volume", "create", "vv"], ["volume", "create", "--label", "a=b", "ww"],
        ["volume", "create", "ww"], ["volume", "create", "a"], ["volume", "create", "x/y"], ["volume", "ls"],
        ["volume", "ls", "-q", "-f", "label=a"], ["volume", "ls", "-f", "name=^v"], ["volume", "ls", "-f", "x=1"],
        ["volume", "ls", "--format", "{{.Driver}} {{.Name}} {{.Scope}} {{.Labels}} {{.Size}}"],
        ["volume", "inspect", "-f", "{{.Name}} {{.Driver}} {{json .Labels}} {{json .Options}}", "ww", "nope", "vv"],
        ["run", "--name", "c1", "-v", "vv:/data", "busybox", "sh", "-c", "echo one > /data/f"], ["volume", "rm", "vv"],
        ["volume", "ls", "-qf", "dangling=true"], ["volume", "ls", "-qf", "dangling=0"],
        ["volume", "rm", "vv", "nope", "ww"], ["volume", "rm", "-f", "nope"], ["volume", "prune", "-f"],
        ["system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}"],
        ["rm", "c1"], ["volume", "rm", "vv"], ["volume", "ls"],
    ]

    @Test func sameVolumeCommands() throws {
        let (bench, docker) = (ShaleHome(), try DockerDaemon())
        let (theirs, ours) = try Self.engines(bench, docker)
        for words in Self.volumeCommands {
            let (wanted, found) = (try theirs.run(words), try ours.run(words))
            // Their build cache is another's, and so are the rows after it.
            let kept = { (text: String) in text.split(separator: "\n").filter { !$0.hasPrefix("Build Cache") } }
            #expect(
                wanted.status == found.status && kept(wanted.output) == kept(found.output),
                "\(words): docker \(wanted), shale \(found)")
        }
    }

    /// A directory's own size and links, and today's times, are the file system's.
    private static func withoutTimes(_ text: String) -> [String] {
        text.split(separator: "\n").filter { !$0.hasPrefix("total") }.map { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 8 else { return String(line) }
            let isOld = words[5] == "Feb" && words[6] == "3" && words[8] != "."
            let counts = words[0].hasPrefix("d") ? [] : [words[1], words[4]]
            return ([words[0], words[2], words[3]] + counts + [isOld ? "old" : ""] + words[8...])
                .joined(separator: " ")
        }
    }

    @Test func sameRuns() throws {
        let (bench, docker) = (ShaleHome(), try DockerDaemon())
        let (theirs, ours) = try Self.engines(bench, docker)
        let refusals: Set<Int32> = [1, 64, 125]
        var same = 0
        for words in Self.runs {
            let (wanted, found) = (try theirs.run(["run", "--rm"] + words), try ours.run(["run", "--rm"] + words))
            let isSame =
                (wanted.status == found.status || refusals.contains(wanted.status) && refusals.contains(found.status))
                && wanted.output == found.output
            if isSame { same += 1 }
            #expect(isSame, "run \(words): docker \(wanted), shale \(found)")
        }
        print("docker run: \(same)/\(Self.runs.count) alike")
    }
}
