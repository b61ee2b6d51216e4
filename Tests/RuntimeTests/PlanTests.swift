import Basics
import Linux
import OCI
import RunnerProtocol
import TestSupport
import Testing

@testable import Runtime

/// The plan against what docker 20.10 gave its runtime for the same command line.
@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct PlanTests {
    /// Flags that shale refuses by name, so that there is no plan to compare.
    private static let refused: Set<String> = ["ipc-host", "uts-host", "cgroup-parent", "oom-score"]

    private static let id = String(repeating: "0123456789abcdef", count: 4)

    private func spec(_ row: JSONValue) throws -> LaunchSpec {
        let flags = row["flags"]?.strings ?? []
        let words = row["command"]?.strings ?? []
        var spec = LaunchSpec(
            containerID: Self.id, arguments: words.isEmpty ? ["sh"] : words, lowerPaths: ["/l"], upperPath: "/u",
            workPath: "/w",
            logPath: "", statePath: "", socketDirectory: "/c", home: "/h")
        spec.network = .none
        var rest = flags[...]
        while let flag = rest.popFirst() {
            let value = flag == "-t" || flag == "--init" || flag.contains("=") ? "" : rest.popFirst() ?? ""
            switch flag {
            case "-u": spec.user = value
            case "-w": spec.workingDirectory = value
            case "-t": spec.terminal = true
            case "--init": spec.host.useInit = true
            case "--tmpfs":
                let parts = value.split(separator: ":").map(String.init)
                spec.temporaryMounts.append(
                    TemporaryMount(destination: parts[0], options: parts.count > 1 ? parts[1] : ""))
            case "-v":
                let parts = value.split(separator: ":").map(String.init)
                spec.mounts.append(BindMount(source: "/volumes/" + parts[0], destination: parts[1]))
            case "--ulimit": spec.host.ulimits = [value]
            case "--network": if value == "host" { spec.network = .host }
            case "--shm-size": spec.host.shmSize = 1 << 30
            case "--security-opt": spec.seccomp = .unconfined
            case "--device": spec.host.devices.append(value)
            case "--group-add": spec.host.groupAdd.append(value)
            default: break
            }
        }
        // docker had put the image's entrypoint in front.
        if let arguments = row["spec"]?["process"]?["args"]?.strings {
            spec.arguments = arguments.first == "/sbin/docker-init" ? Array(arguments.dropFirst(2)) : arguments
        }
        return spec
    }

    @Test func plansAreDockers() throws {
        let rows = try Corpus.rows("behaviour/runtime-specs.json")
        let compared = rows.filter { !Self.refused.contains($0["id"]?.string ?? "") }
        let planner = LaunchPlanner(compiler: SeccompCompiler(cachePath: TemporaryDirectory().path))
        var passed = 0
        for row in compared {
            let spec = try spec(row)
            let plan = try planner.plan(for: spec, attached: true)
            let differences = try self.differences(plan, spec, try #require(row["spec"]))
            #expect(differences == [], "\(row["id"]?.string ?? "")")
            if differences.isEmpty { passed += 1 }
        }
        Corpus.score("runtime-specs", passed, of: compared.count)
        #expect(passed == compared.count)
    }

    private func differences(_ plan: LaunchPlan, _ spec: LaunchSpec, _ docker: JSONValue) throws -> [String] {
        let process = try #require(docker["process"])
        var found: [String] = []
        func same<Value: Equatable>(_ what: String, _ ours: Value, _ theirs: Value) {
            if ours != theirs { found.append("\(what): \(ours) and not \(theirs)") }
        }
        let environment = (process["env"]?.strings ?? []).map {
            $0 == "HOSTNAME=<id12>"
                ? "HOSTNAME=\(Self.id.prefix(12))" : $0 == "HOSTNAME=vm" ? "HOSTNAME=\(plan.hostname)" : $0
        }
        same("env", plan.process.environment, environment)
        same("cwd", plan.process.workingDirectory, process["cwd"]?.string ?? "")
        same("terminal", plan.process.terminal, process["terminal"]?.bool ?? false)
        let bounding = (process["capabilities"]?["bounding"]?.strings ?? []).compactMap(Capabilities.init(name:))
        same(
            "capabilities", plan.process.capabilities,
            bounding.reduce(into: Capabilities()) { $0.formUnion($1) }.rawValue)
        let linux = try #require(docker["linux"])
        // powercap was added after 20.10.
        same(
            "masked",
            plan.maskedPaths.filter { !["/proc/interrupts", "/sys/devices/virtual/powercap"].contains($0) },
            linux["maskedPaths"]?.strings ?? [])
        same("read-only", plan.readOnlyPaths, linux["readonlyPaths"]?.strings ?? [])
        let limits = (process["rlimits"]?.array ?? []).map { "\($0["soft"]?.int ?? 0):\($0["hard"]?.int ?? 0)" }
        same("limits", plan.process.limits.map { "\($0.soft):\($0.hard)" }, limits)
        let sysctls = linux["sysctl"]?.object ?? [:]
        same(
            "sysctls", Set(plan.sysctls.map { "\($0.key.replacing("/", with: ".")) \($0.value)" }),
            Set(sysctls.map { "\($0.key) \($0.value.string ?? "")" }))
        same("seccomp", plan.process.seccomp.isEmpty, linux["seccomp"] == nil)
        same("reaper", plan.reaper, process["args"]?.strings?.first == "/sbin/docker-init")
        let devices = (linux["devices"]?.array ?? []).compactMap { $0["path"]?.string }
        same("devices", plan.devices.dropFirst(6).map(\.path), devices)
        let mounts = (docker["mounts"]?.array ?? []).filter { $0["destination"]?.string != "/sbin/docker-init" }
        same("mounts", Set(plan.mounts.map(Self.described)), Set(mounts.map(Self.described)))
        return found
    }

    private static let flagNames: [(MountFlags, String)] = [
        (.noSuid, "nosuid"), (.noDev, "nodev"), (.noExec, "noexec"), (.readOnly, "ro"),
        (.strictAccessTime, "strictatime"),
    ]

    private static func described(_ mount: MountPlan) -> String {
        var options = Set(mount.data.split(separator: ",").map(String.init))
        for (flag, name) in flagNames where MountFlags(rawValue: mount.flags).contains(flag) { options.insert(name) }
        if mount.kind == .bind { options = mount.readOnly ? ["ro"] : [] }
        let type = mount.kind == .bind ? "bind" : mount.source
        // A tmpfs of the user's is always noexec unless told: the corpus's row tells.
        return "\(mount.destination) \(type) \(options.sorted())"
    }

    private static func described(_ mount: JSONValue) -> String {
        let type = mount["type"]?.string ?? ""
        let options = (mount["options"]?.strings ?? []).filter { !["rbind", "rprivate", "bind"].contains($0) }
        return "\(mount["destination"]?.string ?? "") \(type) \(options.sorted())"
    }
}

@Suite struct PlanPartTests {
    private func spec() -> LaunchSpec {
        LaunchSpec(
            containerID: String(repeating: "a1", count: 32), arguments: ["x"], lowerPaths: ["/l"], upperPath: "/u",
            workPath: "/w", logPath: "", statePath: "", socketDirectory: "/c", home: "/h")
    }

    @Test func environments() {
        #expect(
            ContainerEnvironment.complete(["PATH=/x", "A=1", "A=2", "TERM"], hostname: "h", terminal: true)
                == ["PATH=/x", "HOSTNAME=h", "A=2"])
    }

    @Test func hostsAndResolver() {
        var spec = spec()
        spec.network = .none
        spec.host.extraHosts = ["a:1.2.3.4", "b=::1", "c:[::2]", "broken"]
        let files = NetworkFiles(spec: spec, hostname: "h")
        #expect(files.hosts().hasPrefix("127.0.0.1\tlocalhost\n"))
        #expect(files.hosts().hasSuffix("1.2.3.4\ta\n::1\tb\n::2\tc\n"))
        spec.host.dns = ["9.9.9.9"]
        spec.host.dnsSearch = ["example.test"]
        spec.host.dnsOptions = ["ndots:2"]
        #expect(
            NetworkFiles(spec: spec, hostname: "h").resolver()
                == "search example.test\nnameserver 9.9.9.9\noptions ndots:2\n")
        #expect(!files.resolver().contains("nameserver 127."))
    }

    @Test(
        arguments: [
            ("ctrl-p,ctrl-q", [16, 17]), ("ctrl-@", [0]), ("a,ctrl-_", [97, 31]), ("ctrl-", nil), ("", [16, 17]),
            ("ctrl-P", nil),
            ("ab", nil), ("ctrl-a,,b", nil), ("ctrl-\\", [28]),
        ] as [(String, [UInt8]?)])
    func detachKeys(_ text: String, _ bytes: [UInt8]?) throws {
        #expect((try? DetachKeys(parsing: text))?.bytes == bytes)
    }

    @Test func detachScanning() {
        var scanner = DetachScanner(.standard)
        #expect(scanner.scan([1, 16]) == ([1], false))
        #expect(scanner.held == [16])
        #expect(scanner.scan([16, 2]) == ([16, 16, 2], false))
        #expect(scanner.scan([16]) == ([], false))
        #expect(scanner.release() == [16])
        #expect(scanner.scan([5, 16, 17, 9]) == ([5], true))
        var none = DetachScanner(nil)
        #expect(none.scan([16, 17]) == ([16, 17], false))
    }

    @Test func temporaryMountOptions() throws {
        var spec = spec()
        spec.temporaryMounts = [TemporaryMount(destination: "/t", options: "size=1m,exec,bogus=1")]
        #expect(throws: ShaleError.self) { try LaunchPlanner.mounts(spec) }
        spec.temporaryMounts = [
            TemporaryMount(destination: "/t/deep/er"), TemporaryMount(destination: "/t", options: "ro,exec,size=1m"),
        ]
        let mounts = try LaunchPlanner.mounts(spec).filter { $0.destination.hasPrefix("/t") }
        #expect(mounts.map(\.destination) == ["/t", "/t/deep/er"])
        #expect(mounts.first?.flags == MountFlags([.noSuid, .noDev, .readOnly]).rawValue)
    }
}

@Suite struct MessageTests {
    private static var plan: LaunchPlan {
        var plan = LaunchPlan()
        plan.containerID = "id"
        plan.root.lowers = ["/a", "/b"]
        plan.process.arguments = ["x", "", "é"]
        plan.process.seccomp = [1, 2, 3, 4, 5, 6, 7, 8]
        plan.process.limits = [LimitPlan(resource: 7, soft: 1, hard: .max)]
        plan.mounts = [MountPlan(.bind, source: "s", destination: "d", flags: 7, data: "x", readOnly: true)]
        plan.devices = [DevicePlan(path: "p", hostPath: "h", isBlock: true, major: 8, minor: 1)]
        plan.sysctls = [SysctlPlan(key: "k", value: "v")]
        var cgroup = CgroupPlan()
        cgroup.settings = [CgroupSetting(path: "p", value: "v")]
        plan.cgroup = cgroup
        plan.afterExit = ["a"]
        plan.reaper = true
        plan.network = NetworkPlan(
            program: "n",
            ports: [
                PortPlan(
                    proto: "udp", hostAddress: "1.2.3.4", firstHostPort: 1, lastHostPort: 65535, containerPort: 80)
            ])
        plan.health = HealthPlan(
            process: plan.process, interval: 1, timeout: .max, startPeriod: -1, startInterval: 0, retries: 3)
        plan.process.toolbox = "/t"
        plan.sharedNetwork = SharedNetwork(containerID: "c", folder: "/f")
        plan.restart = RestartPlan(always: true, limit: .max, stopSignal: 15)
        (plan.logLimit, plan.logFiles) = (.max, 5)
        return plan
    }

    private static let messages: [Message] = [
        .launch(plan), .attach(stdin: true), .exec(plan.process, detached: true), .stdin([1, 2]), .stdin([]), .stdinEnd,
        .resize(rows: 1, columns: 65535), .signal(-1), .wait, .pause, .resume, .status, .hold, .started(pid: 7),
        .failed(StepFailure(step: "s", path: "p", errno: 2, status: 127, words: "w")), .stdout([0, 255]), .stderr([]),
        .exited(ExitReport(code: 137, outOfMemory: true)), .ok,
        .exited(ExitReport(code: 0, isKept: true)), .keep, .limits(plan.cgroup ?? CgroupPlan()), .restart(plan.restart),
        .restart(nil), .state(RunnerStatus(pid: 1, paused: true, terminal: false, execs: 3)),
    ]

    @Test func roundTripInPieces() throws {
        let bytes = Self.messages.flatMap { $0.frame() }
        for size in [1, 3, 64, bytes.count] {
            var parser = FrameParser()
            var seen: [Message] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                parser.append(bytes[start..<min(start + size, bytes.count)])
                while let message = try parser.next() { seen.append(message) }
            }
            #expect(seen == Self.messages)
        }
    }

    /// Every cut and every changed byte is an error or another message, never a trap.
    @Test func hostileBytes() {
        for message in Self.messages {
            let frame = message.frame()
            let body = Array(frame.dropFirst(4))
            for length in 0..<body.count { _ = try? Message(decoding: Array(body[..<length])) }
            for place in body.indices {
                for value in [0, 0x7F, 0x80, 0xFF] as [UInt8] {
                    var changed = body
                    changed[place] = value
                    _ = try? Message(decoding: changed)
                }
            }
        }
        var parser = FrameParser()
        parser.append([0xFF, 0xFF, 0xFF, 0x7F, 0])
        #expect(throws: WireError.tooLong) { try parser.next() }
    }

    @Test func anotherVersionIsRefused() {
        var bytes = Self.plan.encode()
        bytes[0] &+= 1
        #expect(throws: WireError.version(LaunchPlan.version + 1)) { try LaunchPlan(decoding: bytes) }
    }
}
