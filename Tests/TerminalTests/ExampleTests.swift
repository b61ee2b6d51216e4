import FoundationEssentials
import TestSupport
import Testing

/// Every example that `help` prints, typed as it is printed at a real prompt, in a home that has what they name.
///
/// Only the port of `localhost:5000` is another: that of a registry of the test's own.
@Suite(
    "the examples of help",
    .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: RegistryServer.isPresent, "\(RegistryServer.absent)"))
struct ExampleTests {
    /// Half of the commands each, because both halves run at once.
    @Test("are three, and run", arguments: 0..<2)
    func everyExampleRuns(half: Int) throws {
        let prepared = try PreparedExamples()
        for (index, verb) in ExampleBook.verbs.enumerated() where index % 2 == half {
            let examples = try ExampleBook.examples(of: verb)
            #expect(examples.count == 3, "\(examples)")
            let bench = try ExampleBench(for: examples, as: prepared)
            let terminal = try bench.prompt()
            for line in ExampleBook.preludes[verb] ?? [] { try terminal.run(line) }
            for example in examples { try bench.run(example, in: terminal) }
            try bench.end()
        }
    }

    @Test func everyWayIsAnExamples() throws {
        let all = try Set(ExampleBook.verbs.flatMap { try ExampleBook.examples(of: $0) })
        #expect(ExampleBook.ways.keys.filter { !all.contains($0) }.sorted() == [])
    }
}

/// What `help` prints, and how those examples end that do not just print something.
enum ExampleBook {
    /// How a test sees an example through.
    enum Way {
        /// It ends by itself, with one of these statuses.
        case ending([Int])
        /// It shows a text, and then waits for keys.
        case answering(String, String)
        /// It needs what no test has: the reason.
        case elsewhere(String)

        var statuses: [Int] {
            switch self {
            case .ending(let statuses): statuses
            // Ctrl-C ends it as every interrupted command.
            case .answering(_, "\u{3}"): [0, 130]
            case .answering, .elsewhere: [0]
            }
        }
    }

    private static let left = Way.answering("# ", "exit\r")
    private static let agreed = Way.answering("[y/N]", "y\r")

    static let ways: [String: Way] = [
        "run -it ubuntu:22.04 bash": left, "exec -it web sh": left, "debug web": left, "enter": left,
        "enter busybox": left, "enter web": left,
        "attach web": .answering("tick", "\u{10}\u{11}"),
        "attach --detach-keys ctrl-x web": .answering("tick", "\u{18}"),
        "attach --sig-proxy=false web": .answering("tick", "\u{10}\u{11}"),
        "logs -f --since 10m web": .answering("tick", "\u{3}"),
        "stats": .answering("web", "\u{3}"),
        "events": .elsewhere("goes on until Ctrl-C; EventsTests tell of it"),
        "events --since 1h --filter type=container --format json": .elsewhere(
            "goes on until Ctrl-C; EventsTests tell of it"),
        "watch ps": .answering("IMAGE", "\u{3}"), "watch 5 steps": .answering("STEP", "\u{3}"),
        // A step that is not done yet.
        "lesson check": .ending([0, 1]),
        "goto 4": agreed, "goto 0": agreed,
        "login": .elsewhere("asks Docker Hub itself, which no test reaches"),
        "login -u moby localhost:5000": .answering("assword", "secret\r"),
        "delete --remote localhost:5000/app:1": agreed,
        "prune images": agreed, "system prune -a --volumes": agreed, "volume prune -a --filter label=of=db": agreed,
        // What this host lacks.
        "doctor": .ending([0, 1]), "doctor > doctor.txt": .ending([0, 1]),
        // What differs is 1, as with diff(1).
        "compare app:1 app:2": .ending([0, 1]), "compare --semantic app:1 app:rebuilt": .ending([0, 1]),
    ]

    /// What is typed before a command's examples.
    static let preludes: [String: [String]] = [
        "rm": ["RUN false"], "expect": ["run --name box busybox true"], "rmi": ["import -m once rootfs.tar"],
        "volume inspect": ["volume create db-data"], "volume rm": ["volume create spare", "volume create db-data"],
    ]

    /// The commands that `help` lists, of one word and of two.
    static let verbs: [String] = {
        let shale = ShaleHome()
        guard let overview = try? shale.run(["help"]).text, (try? shale.run(["manual", "--to", "pages"])) != nil,
            let pages = try? FileManager.default.contentsOfDirectory(atPath: shale.work + "/pages")
        else { return [] }
        let words = overview.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { $0 != "quit" }
        return words.flatMap { word in
            let further = pages.compactMap { page -> String? in
                guard page.hasPrefix("shale-\(word)-"), !words.contains(String(page.dropFirst(6).dropLast(2))) else {
                    return nil
                }
                return "\(word) \(page.dropFirst("shale-\(word)-".count).dropLast(".1".count))"
            }
            return [word] + further.sorted()
        }
    }()

    static func examples(of verb: String) throws -> [String] {
        let help = try ShaleHome().run(["help"] + verb.split(separator: " ").map(String.init)).text
        guard let start = help.firstRange(of: "\nEXAMPLES:\n") else { return [] }
        return help[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
            .prefix { !$0.isEmpty }.map { String($0.drop { $0 == " " }) }
    }
}

/// A home, a folder and, where a registry is named, one of its own, as the prepared ones are.
private struct ExampleBench {
    let home: ShaleHome
    let registry: RegistryServer?
    private let search: MisbehavingServer

    init(for examples: [String], as prepared: PreparedExamples) throws {
        let text = examples.joined(separator: " ")
        let words = Set(text.split { " :/".contains($0) })
        var variables = ["PAGER": "cat", "EDITOR": "true"]
        let isRemote = !words.isDisjoint(with: Self.remote)
        registry = isRemote ? try RegistryServer() : nil
        if let registry {
            try Peer("cp").run(["-a", prepared.registry.folder.path + "/data", registry.folder.path + "/"])
            variables["SHALE_MIRROR"] = "docker.io=\(registry.url),quay.io=\(registry.url)"
        }
        search = try MisbehavingServer { _ in
            .json(#"{"num_results":1,"results":[{"name":"python","star_count":9,"is_official":true}]}"#)
        }
        home = ShaleHome(variables)
        try Peer("cp").run(["-a", prepared.home.home, home.folder.path + "/"])
        try Peer("cp").run(["-a", prepared.home.work + "/.", home.work])
        // The names of the prepared registry, at this one.
        if let registry {
            for name in ["app:1", "team/app:1"] {
                try home.run(["tag", "app:1", "localhost:\(registry.port)/\(name)"])
            }
        }
        if words.contains("search") { try home.run(["set", "search.endpoint", search.url]) }
        if !text.contains("--name web"), !words.isDisjoint(with: ["web", "db", "$ctr"]) {
            try home.run(["run", "-dit", "--name", "web", "-v", "data:/data", "web:1"])
            try home.run(["run", "-dit", "--name", "db", "busybox", "sh"])
        }
        if !words.isDisjoint(with: ["job", "$ctr"]) {
            try home.run(["create", "--name", "job", "busybox", "echo", "done"])
        }
    }

    /// What asks a registry, or stands in one.
    private static let remote: Set<Substring> = [
        "localhost", "pull", "--remote", "tags", "platforms", "manifest", "ratelimit", "copy", "alpine", "search",
        "quay.io", "referrers",
    ]

    func prompt() throws -> Terminal {
        let terminal = try home.terminal(columns: 200, rows: 50)
        try terminal.expect(terminal.prompt)
        return terminal
    }

    /// Types an example, sees it through, and looks at its status.
    func run(_ example: String, in terminal: Terminal) throws {
        let line = registry.map { example.replacing("localhost:5000", with: "localhost:\($0.port)") } ?? example
        var shown: String
        switch ExampleBook.ways[example] ?? .ending([0]) {
        case .elsewhere: return
        case .ending: shown = try terminal.run(line)
        case .answering(let question, let answer):
            try terminal.send(line + "\r")
            // The typed line may hold the text too: it counts behind the switch that ends the line's reading.
            try terminal.expect("\u{1b}[?2004l")
            shown = try terminal.expect(question)
            try terminal.send(answer)
            shown += try terminal.expect(terminal.prompt)
        }
        let status = try terminal.run("!echo status=$?=")
        let allowed = ExampleBook.ways[example]?.statuses ?? [0]
        #expect(allowed.contains { status.contains("status=\($0)=") }, "\(example)\n\(shown)\n\(status)")
    }

    /// Ends the containers that still run.
    func end() throws {
        let running = try home.run(["ps", "-q"]).text.split(separator: "\n").map(String.init)
        if !running.isEmpty { try home.run(["rm", "-f"] + running) }
    }
}

/// What the examples name: images, a working image of five steps, files, and a registry that stands for Docker Hub too.
private struct PreparedExamples {
    let home: ShaleHome
    let registry: RegistryServer

    init() throws {
        registry = try RegistryServer()
        home = ShaleHome(["SHALE_MIRROR": "docker.io=\(registry.url),quay.io=\(registry.url)"])
        let made = try home.sh(Self.files)
        guard made.status == 0 else { throw PeerError(text: made.errors) }
        try home.write(Self.images.replacing("HOST", with: "localhost:\(registry.port)"), to: "prepare.shale")
        try home.run(["--no-rc", "./prepare.shale"])
    }

    private static let files = #"""
        set -e
        mkdir src other site public layout ubuntu debian web-1 app-1 app-2 arm
        printf 'FROM busybox\nCOPY hello.sh /\nENV A=1\nRUN chmod +x /hello.sh\nCMD ["/hello.sh"]\n' > Dockerfile
        printf '#!/bin/sh\necho hello\n' > hello.sh
        printf 'FROM busybox\nARG version\nRUN echo $version > /version\n' > other/Dockerfile
        echo more > additional.txt; echo page > site/index.html; echo page > public/index.html; echo a > src/a
        tar -cf site.tar -C site . ; gzip -k site.tar
        printf 'images\nversion\n' > setup.shale
        printf 'run --rm -e "API_TOKEN=$API_TOKEN" busybox true\n' > notes.shale
        printf 'rules:\n  lowestEfficiency: 0.1\n' > .dive-ci
        echo secret > password
        printf '%s\n' --- 'name: mine' 'order: 1' 'title: Mine' --- '' Prose. '' '## A step' '' 'Only to read.' > mine.md
        cat > ubuntu/Dockerfile <<'END'
        FROM base
        RUN printf '#!/bin/sh\nexec sh "$@"\n' > /bin/bash && chmod +x /bin/bash && mkdir -p /etc/nginx /usr/src/app /var/log \
            && echo x > /var/log/a.log && touch /etc/nginx/nginx.conf && echo ID=ubuntu > /etc/os-release
        CMD ["sh"]
        END
        printf 'FROM base\nRUN mkdir -p /etc && echo 12.8 > /etc/debian_version\nCMD ["sh"]\n' > debian/Dockerfile
        cat > web-1/Dockerfile <<'END'
        FROM debian:12.7
        LABEL owner=me
        ENV DEBUG=1
        RUN mkdir /srv && echo a > /srv/a
        RUN echo b > /srv/b
        CMD ["sh", "-c", "trap 'exit 0' TERM; while true; do echo tick; sleep 0.2; done"]
        END
        cat > app-1/Dockerfile <<'END'
        FROM base
        RUN echo secret > /root/secret && touch /root/deleted-later && mkdir -p /var/cache/old && echo x > /var/cache/old/x
        RUN rm -r /root/deleted-later /var/cache/old/x && echo 'app:x:9:9::/:/bin/sh' >> /etc/passwd \
            && mkdir -p /usr/share/app /var/cache/app && echo root password > /etc/app.conf && cp /bin/busybox /usr/share/app/
        CMD ["sh"]
        END
        printf 'FROM app:1\nRUN echo 2 > /etc/version\n' > app-2/Dockerfile
        printf 'FROM scratch\nCOPY a /a\n' > arm/Dockerfile; echo a > arm/a
        """#

    private static let images = """
        export -o rootfs.tar busybox
        !gzip -k rootfs.tar
        import rootfs.tar base
        build -q -t ubuntu:22.04 -t nginx:1.25 -t debian:12.7 ubuntu
        build -q -t debian:12.8 debian
        build -q -t web:1 web-1
        build -q -t app:1 -t app:rebuilt app-1
        build -q -t app:2 app-2
        build -q -t hello-docker --build-arg version=1 other
        build -q -t hello-docker .
        tag ubuntu:22.04 ubuntu:jammy_jellyfish
        tag ubuntu:22.04 fav_distro:jammy_jellyfish
        save -o hello.tar hello-docker
        !gzip -k hello.tar
        copy hello-docker oci:layout:hello
        build -q --platform linux/arm64 -t HOST/library/alpine:arm arm
        tag ubuntu:22.04 HOST/library/alpine:amd
        push -q HOST/library/alpine:arm
        push -q HOST/library/alpine:amd
        manifest create HOST/library/alpine:latest HOST/library/alpine:arm HOST/library/alpine:amd
        manifest push HOST/library/alpine:latest
        manifest create HOST/library/alpine:3.20 HOST/library/alpine:arm HOST/library/alpine:amd
        manifest push HOST/library/alpine:3.20
        manifest rm HOST/library/alpine:latest HOST/library/alpine:3.20
        untag HOST/library/alpine:arm HOST/library/alpine:amd
        copy ubuntu:22.04 docker://HOST/library/ubuntu:22.04
        copy ubuntu:22.04 docker://HOST/library/ubuntu:latest
        copy nginx:1.25 docker://HOST/library/nginx:1.25
        copy debian:12.7 docker://HOST/library/debian:12
        copy hello-docker docker://HOST/nordstrom/hello-world:2.0
        copy hello-docker docker://HOST/hello:latest
        tag app:1 HOST/app:1
        tag app:1 HOST/team/app:1
        push -q HOST/app:1
        push -q HOST/team/app:1
        copy app:2 docker://HOST/team/app:old
        copy app:2 docker://HOST/app:1-amd64
        copy app:1 docker://HOST/app:1-arm64
        record chapter.shale --output
        images -q busybox
        version
        record off
        FROM busybox
        WORKDIR /app
        RUN touch one
        RUN touch two
        ENV A=1
        RUN touch three

        """
}
