package import Basics
import Images
import Linux
import OCI
import RunnerProtocol
import Runtime
package import Stores

/// The document of a container for `inspect`, with docker's keys in docker's order.
extension ContainerEngine {
    /// The document of one container.
    ///
    /// With `includingSizes` also its sizes, for which all its files are walked.
    ///
    /// Throws what reading the container's record throws.
    package func document(
        of record: ContainerRecord, includingSizes: Bool = false
    ) throws(ShaleError) -> JSONDocument {
        let view = view(of: record)
        let folder = store.containers.folder(record.id)
        var members: [JSONDocument.Member] = [
            .init("Id", .string(record.id)),
            .init("Created", .string(record.created.description)),
            .init("Path", .string(record.path)),
            .init("Args", .strings(record.arguments)),
            .init("State", Self.state(view)),
            .init("Image", .string(record.image.description)),
            .init("ResolvConfPath", .string(folder.path + "/resolv.conf")),
            .init("HostnamePath", .string(folder.path + "/hostname")),
            .init("HostsPath", .string(folder.path + "/hosts")),
            .init("LogPath", .string(folder.log)),
            .init("Name", .string("/" + record.name)),
            .init("RestartCount", .integer(Int64(view.state.restartCount))),
            .init("Driver", "overlay"),
            .init("Platform", .string(record.platform?.os ?? "linux")),
            .init("MountLabel", ""),
            .init("ProcessLabel", ""),
            .init("AppArmorProfile", ""),
            .init("ExecIDs", nil),
            .init("HostConfig", Self.hostConfig(record)),
            .init(
                "GraphDriver",
                .members([
                    "Data": .members(["UpperDir": .string(folder.upper), "WorkDir": .string(folder.work)]),
                    "Name": "overlay",
                ])),
        ]
        if includingSizes {
            let own = (try? FileTree.usage(of: folder.upper).bytes) ?? 0
            let image = (try? store.images.image(manifest: record.manifest).size) ?? 0
            members.append(.init("SizeRw", .integer(own)))
            members.append(.init("SizeRootFs", .integer(own &+ image)))
        }
        members += [
            .init("Mounts", .array(record.host.mounts.map(Self.mount) + Self.tmpfs(record))),
            .init("Config", Self.config(record)),
            .init("NetworkSettings", Self.network(view)),
        ]
        return .object(members)
    }

    private static func state(_ view: ContainerView) -> JSONDocument {
        let state = view.state
        let document = basics(of: state)
        guard let health = state.health, case .object(let members) = document else { return document }
        return .object(
            members + [
                .init(
                    "Health",
                    .members([
                        "Status": .string(health.status.rawValue), "FailingStreak": .integer(Int64(health.failures)),
                        "Log": .array(
                            health.probes.map { probe in
                                .members([
                                    "Start": .string(probe.start.description), "End": .string(probe.end.description),
                                    "ExitCode": .integer(Int64(probe.exitCode)), "Output": .string(probe.output),
                                ])
                            }),
                    ]))
            ])
    }

    private static func basics(of state: ContainerState) -> JSONDocument {
        .members([
            "Status": .string(state.status.rawValue),
            "Running": .bool(state.isRunning),
            "Paused": .bool(state.status == .paused),
            "Restarting": .bool(state.status == .restarting),
            "OOMKilled": .bool(state.oomKilled),
            "Dead": .bool(state.status == .dead),
            "Pid": .integer(Int64(state.pid)),
            "ExitCode": .integer(Int64(state.exitCode)),
            "Error": .string(state.error ?? ""),
            "StartedAt": .string(state.startedAt?.description ?? "0001-01-01T00:00:00Z"),
            "FinishedAt": .string(state.finishedAt?.description ?? "0001-01-01T00:00:00Z"),
        ])
    }

    private static func mount(_ mount: MountRecord) -> JSONDocument {
        var members: [JSONDocument.Member] = [.init("Type", .string(mount.type))]
        if let name = mount.name { members.append(.init("Name", .string(name))) }
        members += [
            .init("Source", .string(mount.source)), .init("Destination", .string(mount.destination)),
        ]
        if mount.type == "volume" { members.append(.init("Driver", "local")) }
        members += [
            .init("Mode", .string(mount.options ?? "")), .init("RW", .bool(!mount.readOnly)),
            .init("Propagation", mount.type == "bind" ? "rprivate" : ""),
        ]
        return .object(members)
    }

    private static func tmpfs(_ record: ContainerRecord) -> [JSONDocument] {
        record.host.tmpfs.sorted { $0.key < $1.key }.map { path, options in
            .members([
                "Type": "tmpfs", "Source": "", "Destination": .string(path), "Mode": .string(options), "RW": true,
                "Propagation": "",
            ])
        }
    }

    private static func config(_ record: ContainerRecord) -> JSONDocument {
        let config = record.config
        var members: [JSONDocument.Member] = [
            .init("Hostname", .string(record.hostname)),
            .init("Domainname", .string(record.domainname ?? "")),
            .init("User", .string(config.user ?? "")),
            .init("AttachStdin", .bool(record.console.attachStdin)),
            .init("AttachStdout", .bool(record.console.attachStdout)),
            .init("AttachStderr", .bool(record.console.attachStderr)),
        ]
        if let ports = config.exposedPorts { members.append(.init("ExposedPorts", .keys(ports))) }
        members += [
            .init("Tty", .bool(record.console.tty)),
            .init("OpenStdin", .bool(record.console.openStdin)),
            .init("StdinOnce", .bool(record.console.stdinOnce)),
            .init("Env", config.env.flatMap { $0.isEmpty ? nil : .strings($0) } ?? nil),
            .init("Cmd", config.cmd.map(JSONDocument.strings) ?? nil),
        ]
        if let health = config.healthcheck { members.append(.init("Healthcheck", health.dockerDocument)) }
        members += [
            .init("Image", .string(record.imageName)),
            .init("Volumes", config.volumes.map(JSONDocument.keys) ?? nil),
            .init("WorkingDir", .string(config.workingDir ?? "")),
            .init("Entrypoint", config.entrypoint.map(JSONDocument.strings) ?? nil),
            .init("OnBuild", config.onBuild.map(JSONDocument.strings) ?? nil),
            .init("Labels", .strings(config.labels ?? [:])),
        ]
        if let signal = config.stopSignal { members.append(.init("StopSignal", .string(signal))) }
        if let timeout = config.stopTimeout { members.append(.init("StopTimeout", .integer(Int64(timeout)))) }
        return .object(members)
    }

    /// Docker's keys that have a meaning in shale, in docker's order.
    private static func hostConfig(_ record: ContainerRecord) -> JSONDocument {
        .object(starting(record) + isolation(record) + limits(record))
    }

    private static func list(_ values: [String]) -> JSONDocument { values.isEmpty ? nil : .strings(values) }

    private static func starting(_ record: ContainerRecord) -> [JSONDocument.Member] {
        let host = record.host
        let logging = host.logOptions.sorted().map { option in
            let name = option.prefix { $0 != "=" }
            return JSONDocument.Member(String(name), .string(String(option.dropFirst(name.count + 1))))
        }
        return [
            .init("Binds", list(host.binds)),
            .init("ContainerIDFile", .string(host.containerIDFile ?? "")),
            .init(
                "LogConfig",
                .members(["Type": .string(host.logDriver ?? "json-file"), "Config": .object(logging)])),
            .init("NetworkMode", .string(host.networkMode)),
            .init("PortBindings", bindings(host.ports)),
            .init(
                "RestartPolicy",
                .members([
                    "Name": .string(host.restartPolicy ?? "no"),
                    "MaximumRetryCount": .integer(Int64(host.restartLimit ?? 0)),
                ])),
            .init("AutoRemove", .bool(host.autoRemove)),
            .init("VolumeDriver", ""),
        ]
    }

    private static func isolation(_ record: ContainerRecord) -> [JSONDocument.Member] {
        let host = record.host
        return [
            .init("CapAdd", list(host.capAdd)),
            .init("CapDrop", list(host.capDrop)),
            .init("CgroupnsMode", "private"),
            .init("Dns", .strings(host.dns)),
            .init("DnsOptions", .strings(host.dnsOptions)),
            .init("DnsSearch", .strings(host.dnsSearch)),
            .init("ExtraHosts", list(host.extraHosts)),
            .init("GroupAdd", list(host.groupAdd)),
            .init("IpcMode", "private"),
            .init("Links", nil),
            .init("OomScoreAdj", .integer(Int64(host.oomScoreAdj))),
            .init("PidMode", ""),
            .init("Privileged", .bool(host.privileged)),
            .init("PublishAllPorts", .bool(host.publishAll)),
            .init("ReadonlyRootfs", .bool(host.readOnlyRoot)),
            .init("SecurityOpt", list(host.securityOptions)),
            .init("Tmpfs", host.tmpfs.isEmpty ? nil : .strings(host.tmpfs)),
            .init("UTSMode", ""),
            .init("UsernsMode", ""),
            .init("ShmSize", .integer(host.shmSize ?? 64 << 20)),
        ]
    }

    private static func limits(_ record: ContainerRecord) -> [JSONDocument.Member] {
        let host = record.host
        let devices = host.devices.map { text in
            let device = try? DeviceOption(parsing: text)
            return JSONDocument.members([
                "PathOnHost": .string(device?.hostPath ?? text),
                "PathInContainer": .string(device?.containerPath ?? text),
                "CgroupPermissions": .string(device?.permissions ?? "rwm"),
            ])
        }
        return [
            .init("CpuShares", .integer(host.cpuShares ?? 0)),
            .init("Memory", .integer(host.memory)),
            .init("NanoCpus", .integer(host.nanoCPUs)),
            .init("CgroupParent", ""),
            .init("BlkioWeight", 0),
            .init("CpuPeriod", 0),
            .init("CpuQuota", 0),
            .init("CpuRealtimePeriod", 0),
            .init("CpuRealtimeRuntime", 0),
            .init("CpusetCpus", .string(host.cpuSet ?? "")),
            .init("CpusetMems", .string(host.memorySet ?? "")),
            .init("Devices", .array(devices)),
            .init("MemoryReservation", 0),
            .init("MemorySwap", .integer(host.memorySwap ?? host.memory &* 2)),
            .init("MemorySwappiness", nil),
            .init("OomKillDisable", false),
            .init("PidsLimit", host.pidsLimit == 0 ? nil : .integer(host.pidsLimit)),
            .init("Ulimits", .array(host.ulimits.compactMap(Self.limit))),
            .init("Init", host.useInit ? true : nil),
        ]
    }

    private static func limit(_ text: String) -> JSONDocument? {
        guard let limit = try? ResourceLimit(parsing: text) else { return nil }
        let number = { (value: UInt64) in JSONDocument.integer(Int64(exactly: value) ?? -1) }
        return .members([
            "Name": .string(String(text.prefix { $0 != "=" })), "Hard": number(limit.hard), "Soft": number(limit.soft),
        ])
    }

    /// The published ports as in the options.
    private static func bindings(_ ports: [String]) -> JSONDocument {
        var table: [(key: String, bindings: [JSONDocument])] = []
        for text in ports {
            for port in (try? PublishedPort.parse(text)) ?? [] {
                let host = port.hostPorts.map { range in
                    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
                }
                let binding = JSONDocument.members([
                    "HostIp": .string(text.contains(port.hostAddress) ? port.hostAddress : ""),
                    "HostPort": .string(host ?? ""),
                ])
                let key = "\(port.containerPort)/\(port.proto)"
                if let place = table.firstIndex(where: { $0.key == key }) {
                    table[place].bindings.append(binding)
                } else {
                    table.append((key, [binding]))
                }
            }
        }
        return .object(table.sorted { $0.key < $1.key }.map { .init($0.key, .array($0.bindings)) })
    }

    private static func network(_ view: ContainerView) -> JSONDocument {
        let mode = view.record.host.network
        let isUp = mode == "private" && view.state.isRunning
        let ports = Dictionary(grouping: view.ports, by: \.key).sorted { $0.key < $1.key }.map { key, ports in
            let published = ports.filter { !$0.address.isEmpty }.map { port in
                JSONDocument.members(["HostIp": .string(port.address), "HostPort": .string("\(port.hostPort)")])
            }
            return JSONDocument.Member(key, published.isEmpty ? nil : .array(published))
        }
        let address: [JSONDocument.Member] = [
            .init("Gateway", .string(isUp ? ContainerNetwork.gateway : "")),
            .init("IPAddress", .string(isUp ? ContainerNetwork.address : "")),
            .init("IPPrefixLen", .integer(isUp ? Int64(ContainerNetwork.prefixLength) : 0)),
            .init("MacAddress", ""),
        ]
        return .object(
            [.init("Ports", .object(ports))] + address + [.init("Networks", .object([.init(mode, .object(address))]))])
    }
}

extension JSONDocument {
    fileprivate static func strings(_ values: [String]) -> JSONDocument { .array(values.map { .string($0) }) }

    fileprivate static func strings(_ table: [String: String]) -> JSONDocument {
        .object(table.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }

    fileprivate static func keys(_ table: [String: EmptyObject]) -> JSONDocument {
        .object(table.keys.sorted().map { Member($0, .object([])) })
    }
}
