import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Recorded docker sessions, carried out by the built `shale` with `docker` being it.
@Suite("command scenarios", .serialized, .enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
struct CommandScenarios {
    /// Rows that differ on purpose, each with why.
    static let exceptions: [String: String] = [
        "TestInspect": "no empty line on stdout for a template that fails",
        "recorded-run-mounts": "the recording shows dockerd's own paths and cgroup v1",
        "TestRunInitLayerPathOwnership": "the first process is called shale-init, and numbers follow it at once",
        "TestCpToErrors": "copying from container to container works here",
        "recorded-cp-proc-dev": "a file of a running container's /proc can be copied",
        "TestImagesFilterSpaceTrimCase": "the image is built here, so its first step is an image too",
        "TestImagesEnsureDanglingImageOnlyListedOnce": "the recording's store had images of its own",
        "TestSaveByDigestAndId": "docker archives are written as today's docker does, with blobs/",
        "TestImportExport": "the number of applets is another busybox's; the places of its own are docker's",
        "TestCreate": "-v C: is refused; docker 20.10 took it for a Windows drive",
        "TestStartStopKill": "docker's rename failed for want of a network in the recording",
        "recorded-cli-usage": "help of docker's noun commands, version --format",
        "recorded-system": "the image is built here, with a build cache; info",
    ]
    /// The fewest rows that may pass.
    static let floor = 114

    @Test(
        "recorded docker sessions",
        .enabled(if: geteuid() == 0 && ShaleHome.isPresent, "needs root and the built program"))
    func recorded() throws {
        let template = try ShaleProgram.homeWithBusybox()
        let chosen = ProcessInfo.processInfo.environment["SHALE_SCENARIO"]
        var passed = 0
        var total = 0
        var words = (same: 0, all: 0)
        for row in try Corpus.rows("behaviour/cli-scenarios.json") {
            guard let id = row["id"]?.string, let steps = row["recorded"]?.array, !steps.isEmpty else { continue }
            if let chosen, !id.contains(chosen) { continue }
            total += 1
            let scenario = try Scenario(row: row, template: template)
            let differences = scenario.run(steps, words: &words)
            scenario.end()
            if differences.isEmpty {
                passed += 1
            } else if Self.exceptions[id] == nil || chosen != nil {
                print("scenario \(id): " + differences.joined(separator: "\n    "))
                if Self.exceptions[id] == nil { Issue.record("\(id)") }
            }
        }
        Corpus.score("behaviour/cli-scenarios", passed, of: total)
        Corpus.score("behaviour/cli-scenarios, words on stderr", words.same, of: words.all)
        if chosen == nil { #expect(passed >= Self.floor) }
    }
}

/// The program under test.
enum ShaleProgram {
    static var path: String { ShaleHome.program ?? "" }

    /// A home whose only image is the recording's base: busybox, its applets as hard links, and a few accounts.
    static func homeWithBusybox() throws -> TemporaryDirectory {
        let folder = TemporaryDirectory()
        let script = """
            set -e
            mkdir -p base/bin base/etc base/home base/root base/tmp base/var/spool/mail base/var/www context
            chmod 1777 base/tmp; chmod 700 base/root; chmod 755 base
            cp /bin/busybox base/bin/busybox
            for applet in $(/bin/busybox --list); do
                test -e base/bin/$applet || ln base/bin/busybox base/bin/$applet
            done
            cp \(Corpus.root ?? ".")/behaviour/base/* base/etc/
            tar -C base --numeric-owner --owner=0 --group=0 -cf context/base.tar .
            printf 'FROM scratch\\nADD base.tar /\\nCMD ["sh"]\\n' > context/Dockerfile
            \(path) --home $PWD/home build -q -t busybox context
            rm -rf base context
            """
        let result = try Script.run(script, in: folder.path, environment: [:])
        #expect(result.status == 0, "\(result.errors)")
        return folder
    }
}

/// One row in a home and a directory of its own.
struct Scenario {
    let folder = TemporaryDirectory()
    let environment: [String: String]
    private var home: String { folder.path + "/home" }
    private var work: String { folder.path + "/work" }

    init(row: JSONValue, template: TemporaryDirectory) throws {
        let path = folder.path
        _ = try Script.run("mkdir bin work user; cp -a \(template.path)/home home", in: path, environment: [:])
        // Links, no scripts: a file just written may be "busy" to whom another test's fork left it open, and the
        // shell would then go on to the real docker.
        for name in ["docker", "shale"] { symlink(ShaleHome.program ?? "", "\(path)/bin/\(name)") }
        environment = [
            "PATH": "\(path)/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "\(path)/user",
            "TZ": "UTC", "LC_ALL": "C", "SHALE_HOME": "\(path)/home",
        ]
        for (name, content) in row["files"]?.object ?? [:] {
            let file = "\(path)/work/\(name)"
            let parent = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try (content.string ?? "").write(toFile: file, atomically: true, encoding: .utf8)
        }
    }

    /// What differs, a line each.
    func run(_ steps: [JSONValue], words: inout (same: Int, all: Int)) -> [String] {
        var differences: [String] = []
        for step in steps {
            guard let command = step["cmd"]?.string else { continue }
            guard let result = try? Script.run(command, in: work, environment: environment) else {
                return ["\(command): hangs"]
            }
            let exit = Int32(step["exit"]?.int ?? 0)
            if !Self.sameStatus(exit, result.status) {
                differences.append(
                    "$ \(command): exit \(result.status) instead of \(exit); \(normalised(result.errors))")
            }
            let wanted = step["stdout"]?.string ?? ""
            let output = normalised(result.text)
            if step["truncated"] == nil, Self.loosened(output, command) != Self.loosened(wanted, command) {
                differences.append(
                    "$ \(command): \(output.debugDescription) instead of \(wanted.debugDescription); \(normalised(result.errors))"
                )
            }
            if let errors = step["stderr"]?.string, !errors.isEmpty {
                words.all += 1
                let essence = Self.essence(errors)
                if Self.essence(normalised(result.errors)).contains(essence) {
                    words.same += 1
                } else {
                    if ProcessInfo.processInfo.environment["SHALE_WORDS"] != nil {
                        print(
                            "words $ \(command): \(Self.essence(normalised(result.errors)).debugDescription) instead of \(essence.debugDescription)"
                        )
                    }
                }
            }
        }
        return differences
    }

    func end() {
        _ = try? Script.run("docker rm -f $(docker ps -aq) >/dev/null 2>&1", in: work, environment: environment)
    }

    /// The contract gives wrong usage 64 and an engine's failure 125 where docker has 1 or 125.
    private static func sameStatus(_ recorded: Int32, _ own: Int32) -> Bool {
        let refusals: Set<Int32> = [1, 64, 125]
        return recorded == own || (refusals.contains(recorded) && refusals.contains(own))
    }

    private func normalised(_ text: String) -> String {
        var text = text.replacing(work, with: "$PWD").replacing(environment["HOME"] ?? "/", with: "$HOME")
        text = text.replacing(/\b[0-9a-f]{64}\b/, with: "<id64>").replacing(/\b[0-9a-f]{12}\b/, with: "<id12>")
        text = text.replacing(
            /(Less than a second|About a minute|About an hour|\d+ (second|minute|hour)s?) ago/, with: "<ago>")
        return text
    }

    /// Widths of columns change with ages, docker's order of changes is random, a layer's digest is not ours: the rest
    /// must be equal.
    private static func loosened(_ text: String, _ command: String) -> String {
        var text = text.replacing(/(file|multi|dir):[0-9a-f]+(…| in \/)/, with: "file:<digest>")
        if command.contains("docker diff") {
            text = text.split(separator: "\n").sorted().map { $0 + "\n" }.joined()
        }
        guard text.contains("<ago>") else { return text }
        return text.replacing(/Up [^ ]+( [a-z]+)+/, with: "Up").replacing(#/ +/#, with: " ").replacing(
            #/ \n/#, with: "\n")
    }

    /// An error without the names of who says it.
    private static func essence(_ text: String) -> String {
        let lines = text.split(separator: "\n").map(String.init).filter {
            !$0.hasPrefix("See 'docker") && !$0.hasPrefix("hint:") && !$0.hasPrefix("Usage:") && !$0.hasPrefix("time=")
        }
        return lines.map { line in
            var line = line
            for prefix in ["docker: ", "shale: ", "Error response from daemon: ", "Error: "]
            where line.hasPrefix(prefix) {
                line = String(line.dropFirst(prefix.count))
            }
            return line.hasSuffix(".") ? String(line.dropLast()) : line
        }.joined(separator: "\n")
    }
}
