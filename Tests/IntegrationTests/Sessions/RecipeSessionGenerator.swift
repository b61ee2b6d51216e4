/// Writes random sessions of everything that a recipe must tell: instructions with flags, entered lines, links, modes,
/// odd names, containers, commits of commits, moves through the timeline.
///
/// A line may fail: it changes nothing then, and what a recipe says of it is nothing.
struct RecipeSessionGenerator {
    private(set) var script: [String] = []
    /// Images and containers that the session named.
    private(set) var images: [String] = []
    private(set) var containers: [String] = []
    private var random: CrashRandom
    private var number = 0

    init(seed: UInt64) { random = CrashRandom(state: seed) }

    mutating func generate(_ count: Int) {
        script.append("FROM busybox")
        for _ in 0..<count { operate() }
        if pick(4) == 0 { script.append("session export ../moved.tar") }
    }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &random) }

    private mutating func choose<Value>(_ values: [Value]) -> Value { values[pick(values.count)] }

    private mutating func operate() {
        let kinds: [(Int, (inout RecipeSessionGenerator) -> Void)] = [
            (26, { $0.script.append("RUN \($0.command())") }),
            (16, { $0.copy() }),
            (14, { $0.setting() }),
            (8, { $0.enter() }),
            (10, { $0.container() }),
            (4, { $0.nameIt() }),
            (3, { $0.fromOwn() }),
            (9, { $0.moveAbout() }),
            (3, { $0.hostChange() }),
        ]
        var ticket = pick(kinds.reduce(0) { $0 + $1.0 })
        for (weight, write) in kinds {
            if ticket < weight { return write(&self) }
            ticket -= weight
        }
    }

    // MARK: Commands in a container

    private mutating func path() -> String {
        choose([
            "/m/a", "/m/b", "/m/d/e", "/m/d/f", "/lnk/g", "/bin/extra", "/m", "/m/d", "here", "d/rel", "/w/x",
            "/etc/motd",
            "'/m/a b'", "/m/ü", "/tmp/t", "/opt/app/x",
        ])
    }

    /// One line of shell that does the same whenever it runs on the same files.
    private mutating func command() -> String {
        let (first, second, value) = (path(), path(), pick(9))
        let simple = [
            "mkdir -p /m/d /w /opt/app && echo \(value) > /m/d/f",
            "mkdir -p $(dirname \(first)) && echo \(value) > \(first)",
            "echo \(value) >> \(first)", "rm -rf \(first)", "rm -f \(first)", "ln -sfn \(first) /lnk",
            "ln -sf ../m \(first)",
            "ln -f \(first) \(second)", "mv \(first) \(second)", "cp -a \(first) \(second)", "cp -r \(first) \(second)",
            "chmod \(choose(["600", "755", "4711", "2770", "1777", "000", "g+w", "a-x"])) \(first)",
            "chown \(choose(["3:4", "1000", "0:0", ":7"])) \(first)", "touch -d @\(value)00000 \(first)",
            "touch \(first)",
            "mkfifo /fifo\(value)", "mkdir -p \(first)", "rmdir \(first)", "ls /", "cat /etc/passwd", "true", "false",
            "rm -rf /m && mkdir /m && echo again > /m/a", "rm -rf /m && echo file > /m",
            "rm -rf /m/d && ln -s /opt /m/d", "mkdir -p /usr/xlib && ln -sfn usr/xlib /lnk",
            "printf x > \"$(printf '/m/\\351\\377')\"", "printf y > \"$(printf '/m/new\\nline')\"", "rm -f /m/*",
            "printf 'a\\tb%s' '$HOME' > \(first)", "echo \"$k1-$k2-$A1\" > \(first)", "pwd > \(first)",
            "id -u > \(first)",
            "umask 027; mkdir -p /m/u; echo \(value) > /m/u/f", "cd /m && echo \(value) > in-m",
            "echo \"$HOME\" > \(first)",
            "dd if=/dev/zero of=\(first) bs=1k count=\(value) 2>/dev/null", "echo 'it'\"'\"'s' > \(first)",
            "mknod \(first) c 1 3", "truncate -s \(value)0000 \(first)", "echo a \\ b > \(first)",
            "rm -rf /opt && mkdir -p /opt/app/deep/er && chmod 700 /opt/app", "rm /etc/motd; echo w > /etc/motd",
            "addgroup g\(value); adduser -D -H -G g\(value) u\(value)", "ln -f /bin/busybox /bin/extra",
        ]
        return choose(simple)
    }

    // MARK: Instructions

    private mutating func copy() {
        let flags = choose([
            "", "", "", "--chmod=0750 ", "--chmod=600 ", "--chown=3:4 ", "--chown=1000 --chmod=4711 ",
            "--chmod=755 --chown=9:9 ",
            "--link ", "--parents ",
        ])
        let source = choose([
            "hello.sh", "tree", "tree/a.txt", "tree/a.txt tree/b.txt", "tree/*.txt", "[st]*tuid", "names", "empty",
            "linked",
            "setuid", "private.key", "tree/sub", "odd", "tree hello.sh", ".", "tree/sub/link", "attributed",
            "tree.tar.gz",
        ])
        let target = choose([
            "/m/", "/m/d/", "/lnk/", "/lnk", "/new/", "/new/deep/", ".", "./", "rel/", "rel/deep/er/", "/m/copied",
            "../up/",
            "/bin/", "/opt/app/", "/m/d/x/", "/copied", "/",
        ])
        switch pick(8) {
        case 0: script.append("COPY \(flags)[\"a file.txt\", \"\(choose(["/m/a b", "/m/", "b c/"]))\"]")
        case 1: script.append("ADD \(flags.replacing("--parents ", with: ""))tree.tar.gz \(target)")
        case 2:
            script.append(
                "COPY <<EOF \(choose(["/m/doc", "/lnk/doc", "doc", "/new/doc"]))\nline \(pick(9))\n  $k1\nEOF")
        case 3 where !images.isEmpty:
            script.append("COPY --from=\(choose(images)) \(choose(["/m", "/bin/busybox", "/etc/passwd"])) \(target)")
        default: script.append("COPY \(flags)\(source) \(target)")
        }
    }

    private mutating func setting() {
        let value = pick(9)
        script.append(
            choose([
                "ENV k1=v\(value)", "ENV k2=\"two words \(value)\" k3='q\"uote'", "ENV k1=$k2-more",
                "ENV PATH=/opt:$PATH",
                "WORKDIR /w", "WORKDIR rel", "WORKDIR /m/d", "WORKDIR /lnk/below", "WORKDIR ..", "WORKDIR /opt/app",
                "USER 1000:1000", "USER 0", "USER root", "USER nobody", "CMD [\"a\", \"b c\"]", "CMD echo $k1",
                "ENTRYPOINT [\"/bin/sh\", \"-c\", \"true\"]", "ENTRYPOINT echo",
                "LABEL a.b=c\(value) \"d e\"=\"f $k1\"",
                "EXPOSE 80\(value) 53/udp", "VOLUME /vol\(value)", "VOLUME /m/d", "STOPSIGNAL SIGINT",
                "SHELL [\"/bin/sh\", \"-e\", \"-c\"]", "SHELL [\"/bin/sh\", \"-c\"]",
                "HEALTHCHECK --interval=5s CMD true",
                "HEALTHCHECK NONE", "ARG A1=\(value)", "ARG A1", "ARG A2=${A1}x",
                "ONBUILD RUN echo t\(value) >> /triggered",
                "ONBUILD ENV trigger=\(value)", "ONBUILD COPY hello.sh /onbuilt/",
            ]))
    }

    private mutating func enter() {
        var lines: [String] = []
        for _ in 0..<(1 + pick(4)) {
            let line = command()
            switch pick(7) {
            case 0: lines.append("cd \(choose(["/m", "/m/d", "/w", "..", "/lnk", "/tmp", "/opt/app"]))")
            case 1: lines.append("export \(choose(["E1", "k1", "E2"]))='\(choose(["x y", "$dollar", "plain"]))'")
            case 2: lines.append("umask \(choose(["027", "077", "022"]))")
            case 3: lines.append("v='s \(pick(5))'; f() { echo \"$v\" > \"$1\"; }")
            case 4: lines.append("f /tmp/from-f")
            default: lines.append(line)
            }
        }
        let place = !containers.isEmpty && pick(3) == 0 ? " \(choose(containers))" : ""
        script.append("enter\(place) <<'DONE'\n\(lines.joined(separator: "\n"))\nDONE")
    }

    // MARK: Containers and names

    private mutating func fresh(_ letter: String) -> String {
        number += 1
        return "\(letter)\(number)"
    }

    private mutating func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    private mutating func container() {
        guard !containers.isEmpty, pick(3) > 0 else {
            let (name, image) = (fresh("c"), choose(["@", "busybox"] + images))
            let options = choose(["", "", "-w /m ", "-u 1000 ", "-e k1=run ", "--read-only ", "-v /vol "])
            let line = quoted(command())
            containers.append(name)
            return script.append(
                pick(3) == 0
                    ? "run -d --network host --name \(name) --entrypoint sleep \(image) 600"
                    : "run --network host --name \(name) \(options)--entrypoint sh \(image) -c \(line)")
        }
        let (name, other, line) = (choose(containers), choose(containers), quoted(command()))
        switch pick(9) {
        case 0, 1:
            let image = fresh("i") + ":v"
            let change = choose(["", "", "-c 'ENV k1=committed' ", "-c 'CMD [\"x\"]' ", "-m note ", "-c 'USER 1000' "])
            images.append(image)
            script.append("commit \(change)\(name) \(image)")
        case 2:
            script.append(
                "cp \(choose(["hello.sh", "tree", "setuid", "tree/sub", "names"])) \(name):\(choose(["/m", "/m/d/", "/", "/tmp/c", "/lnk"]))"
            )
        case 3:
            script.append(
                "cp \(other):\(choose(["/m", "/etc/passwd", "/bin/busybox"])) \(name):\(choose(["/m", "/n", "/tmp/"]))")
        case 4: script.append("start \(name)")
        case 5: script.append("rm -f \(name)")
        default:
            let options = choose(["", "", "-w /m ", "-u 1000 ", "-e k2=exec "])
            script.append("exec \(options)\(name) sh -c \(line)")
        }
    }

    private mutating func nameIt() {
        let name = fresh("t") + ":v"
        images.append(name)
        script.append(pick(4) == 0 ? "build -q -t \(name) \(choose(["stages", "ignoring"]))" : "tag @ \(name)")
    }

    private mutating func fromOwn() {
        let line = "FROM \(choose(["busybox"] + images))"
        script.append(line)
    }

    private mutating func moveAbout() {
        let number = 1 + pick(6)
        script.append(
            choose([
                "undo", "undo", "undo 2", "redo", "goto \(number)",
                "edit \(number) 'RUN \(pick(2) == 0 ? "true" : "echo e > /e")'",
                "drop \(number)", "move \(number) \(1 + pick(5))", "fork \(number) side\(self.number)",
                "session switch default",
            ]))
    }

    /// What was copied changes on the host afterwards: the recipe keeps what it was.
    private mutating func hostChange() {
        script.append(
            choose([
                "!echo changed >> hello.sh", "!rm -f tree/b.txt", "!chmod 640 tree/a.txt",
                "!rm -rf names; mkdir names; echo n > names/n",
                "!ln -sfn /etc/passwd tree/sub/link",
            ]))
    }
}
