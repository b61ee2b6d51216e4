import Basics
import Glibc
import Linux
import OCI
import RunnerProtocol

/// Makes a launch plan from a launch spec.
///
/// The runner needs no other information.
struct LaunchPlanner {
    let compiler: SeccompCompiler
    /// Whether this process is in a user namespace, where overlay attributes are named `user.overlay.*`.
    static let isInUserNamespace = UserNamespace.isInside

    func plan(for spec: LaunchSpec, attached: Bool) throws(ShaleError) -> LaunchPlan {
        guard !spec.arguments.isEmpty else { throw ShaleError(.engine, "no command specified") }
        var plan = LaunchPlan()
        plan.containerID = spec.containerID
        plan.hostname = Self.hostname(of: spec)
        plan.domainname = spec.domainname
        plan.statePath = spec.statePath
        plan.eventsPath = spec.events.path
        plan.eventAttributes = spec.events.attributes
        plan.eventVolumes = spec.events.volumes
        plan.logPath = spec.logPath
        plan.logLimit = spec.logRotation.size
        plan.logFiles = spec.logRotation.files
        plan.folder = spec.socketDirectory
        plan.root = Self.root(spec)
        plan.process = try process(spec, hostname: plan.hostname)
        plan.mounts = try Self.mounts(spec)
        if !spec.host.privileged {
            plan.maskedPaths = Self.maskedPaths
            plan.readOnlyPaths = Self.readOnlyPaths
        }
        plan.devices = try Self.devices(spec)
        // In a user namespace no device node can be made, and none can be opened that is not bound in.
        plan.restrictsDevices = !spec.host.privileged && !Self.isInUserNamespace
        plan.ownNetwork = spec.network != .host
        if case .private(let ports) = spec.network {
            plan.network = NetworkPlan(
                program: try NetworkProgram.require(for: "--network private"), ports: ports.map(\.plan))
        }
        if case .shared(let id, let folder, _, let isHost) = spec.network {
            plan.ownNetwork = !isHost
            plan.sharedNetwork = isHost ? nil : SharedNetwork(containerID: id, folder: folder)
        }
        plan.restart = spec.restart
        if let check = spec.health { plan.health = health(check, plan.process) }
        if plan.ownNetwork, plan.sharedNetwork == nil {
            // As with docker, a private network has no privileged ports, and every user may ping.
            plan.sysctls = [
                SysctlPlan(key: "net/ipv4/ip_unprivileged_port_start", value: "0"),
                SysctlPlan(key: "net/ipv4/ping_group_range", value: "0 2147483647"),
            ]
        }
        plan.sysctls += spec.host.sysctls.map { text in
            let name = text.prefix { $0 != "=" }
            return SysctlPlan(
                key: String(name.map { $0 == "." ? "/" : $0 }), value: String(text.dropFirst(name.count + 1)))
        }
        plan.cgroup = try CgroupPlanner(groups: .current).plan(
            spec.host.resources, containerID: spec.containerID, parent: spec.cgroupParent)
        plan.detached = !attached
        plan.attached = attached
        plan.openStdin = spec.openStdin
        plan.stdinOnce = spec.openStdin && attached
        plan.reaper = spec.host.useInit
        plan.endsWithLauncher = spec.endsWithLauncher
        plan.typedAhead = spec.terminal && spec.host.useInit ? spec.typedAhead : ""
        plan.afterExit = spec.afterExit
        if Self.isInUserNamespace { plan.holderFolder = UserNamespace.holderFolder(home: spec.home) }
        plan.timesSteps = Observer.isListening
        return plan
    }

    /// The plan of a health check: it runs with the container's environment, user and rights, without a terminal.
    private func health(_ check: HealthProbe, _ first: ProcessPlan) -> HealthPlan {
        var process = first
        process.arguments = check.arguments
        process.terminal = false
        process.openStdin = false
        return HealthPlan(
            process: process, interval: check.interval, timeout: check.timeout, startPeriod: check.startPeriod,
            startInterval: check.startInterval, retries: check.retries)
    }

    private static func hostname(of spec: LaunchSpec) -> String {
        if !spec.hostname.isEmpty { return spec.hostname }
        guard spec.network == .host else { return String(spec.containerID.prefix(12)) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, 255) == 0 else { return String(spec.containerID.prefix(12)) }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func root(_ spec: LaunchSpec) -> RootPlan {
        var root = RootPlan()
        root.lowers = spec.lowerPaths
        root.upper = spec.upperPath
        root.work = spec.workPath
        root.userXattr = isInUserNamespace
        root.volatile = spec.volatile
        root.readOnly = spec.host.readOnlyRoot
        return root
    }

    private func process(_ spec: LaunchSpec, hostname: String) throws(ShaleError) -> ProcessPlan {
        var process = ProcessPlan()
        process.arguments = spec.arguments
        process.environment = ContainerEnvironment.complete(
            spec.environment, hostname: hostname, terminal: spec.terminal)
        process.workingDirectory = spec.workingDirectory.isEmpty ? "/" : spec.workingDirectory
        process.user = spec.user
        try Self.apply(spec.host, to: &process)
        let rights = try rights(
            spec.capabilities, privileged: spec.host.privileged, seccomp: spec.seccomp)
        process.capabilities = rights.capabilities.rawValue
        process.seccomp = rights.program
        process.noNewPrivileges = spec.noNewPrivileges
        process.terminal = spec.terminal
        process.openStdin = spec.openStdin
        process.rows = spec.initialSize?.rows ?? 0
        process.columns = spec.initialSize?.columns ?? 0
        return process
    }

    /// Applies the host's settings to a process of a container: its first one, or one that `exec` starts.
    private static func apply(_ host: HostConfig, to process: inout ProcessPlan) throws(ShaleError) {
        process.additionalGroups = host.groupAdd
        for text in host.ulimits {
            let limit = try ResourceLimit(parsing: text)
            process.limits.append(LimitPlan(resource: limit.resource, soft: limit.soft, hard: limit.hard))
        }
        if host.oomScoreAdj != 0 {
            process.kernelFiles.append(KernelFilePlan(name: "oom_score_adj", value: "\(host.oomScoreAdj)"))
        }
    }

    func process(_ spec: ExecSpec) throws(ShaleError) -> ProcessPlan {
        guard !spec.arguments.isEmpty else { throw ShaleError(.engine, "no exec command specified") }
        var process = ProcessPlan()
        process.arguments = spec.arguments
        process.environment = ContainerEnvironment.complete(
            spec.environment, hostname: nil, terminal: spec.terminal)
        process.workingDirectory = spec.workingDirectory.isEmpty ? "/" : spec.workingDirectory
        process.user = spec.user
        try Self.apply(spec.host, to: &process)
        process.toolbox = spec.toolbox?.folder ?? ""
        process.toolboxPlace = spec.toolbox?.place ?? ""
        let rights = try rights(spec.capabilities, privileged: spec.host.privileged, seccomp: spec.seccomp)
        process.capabilities = rights.capabilities.rawValue
        process.seccomp = rights.program
        process.noNewPrivileges = spec.noNewPrivileges
        process.terminal = spec.terminal
        process.openStdin = spec.openStdin
        process.rows = spec.initialSize?.rows ?? 0
        process.columns = spec.initialSize?.columns ?? 0
        return process
    }

    private func rights(
        _ asked: Capabilities, privileged: Bool, seccomp: LaunchSpec.Seccomp
    ) throws(ShaleError) -> (capabilities: Capabilities, program: [UInt8]) {
        // A process cannot give a capability that it does not have.
        let possible = Capabilities.bounding()
        if privileged { return (possible, []) }
        let capabilities = asked.intersection(possible)
        switch seccomp {
        case .unconfined: return (capabilities, [])
        case .standard:
            let program = try compiler.program(
                for: SeccompDefault.profile, identity: SeccompDefault.revision, capabilities: capabilities)
            return (capabilities, program)
        case .profile(let path):
            let text: [UInt8]
            do throws(SystemCallError) {
                text = try WholeFile.read(path, limit: 4 << 20)
            } catch {
                throw error.shaleError("opening seccomp profile (\(path)) failed")
            }
            let program = try compiler.program(
                for: SeccompProfile(json: text), identity: Digest.of(text).hex, capabilities: capabilities)
            return (capabilities, program)
        }
    }
}
