package import Basics
import Dockerfiles
import Linux
package import OCI

/// `--change` of `commit` and `import`: Dockerfile instructions applied to a config.
package enum ConfigChange {
    private static let allowed: Set<String> = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "USER", "VOLUME", "WORKDIR",
    ]

    /// Applies the instructions in order.
    ///
    /// - Throws: docker's words for an instruction that is not allowed here or cannot be read.
    package static func apply(_ changes: [String], to config: inout ContainerConfig) throws(ShaleError) {
        var hasCommand = false
        for change in changes {
            for line in change.split(separator: "\n") { try apply(String(line), to: &config, &hasCommand) }
        }
    }

    /// Carries out one instruction that sets nothing but the config, as a build does.
    static func carryOut(_ line: String, on config: inout ContainerConfig) throws(ShaleError) {
        let instruction: Instruction
        do throws(DockerfileError) {
            instruction = try Instruction.parse(line: line).value
        } catch {
            throw ShaleError(.invalid, error.message)
        }
        var hasCommand = false
        switch instruction {
        case .shell(let words): config.shell = words
        case .stopsignal(let signal):
            let signal = try WordExpander(environment: environment(of: config)).expand(signal).text
            guard SignalName.number(signal) != nil else { throw ShaleError(.invalid, "invalid signal: \(signal)") }
            config.stopSignal = signal
        default: try apply(instruction, to: &config, &hasCommand)
        }
    }

    private static func apply(
        _ text: String, to config: inout ContainerConfig, _ hasCommand: inout Bool
    ) throws(ShaleError) {
        let keyword = text.drop { $0.isWhitespace }.prefix { !$0.isWhitespace }
        guard !keyword.isEmpty else { return }
        guard allowed.contains(keyword.uppercased()) else {
            throw ShaleError(.invalid, "\(keyword.lowercased()) is not a valid change command")
        }
        let instruction: Instruction
        do throws(DockerfileError) {
            instruction = try Instruction.parse(line: text).value
        } catch {
            throw ShaleError(.invalid, error.message)
        }
        try apply(instruction, to: &config, &hasCommand)
    }

    private static func apply(
        _ instruction: Instruction, to config: inout ContainerConfig, _ hasCommand: inout Bool
    ) throws(ShaleError) {
        let words = WordExpander(environment: environment(of: config))
        let shell = config.shell ?? ["/bin/sh", "-c"]
        switch instruction {
        case .cmd(let line):
            config.cmd = line.arguments(shell: shell)
            hasCommand = true
        case .entrypoint(let line):
            config.entrypoint = line.arguments(shell: shell)
            if !hasCommand { config.cmd = nil }
        case .env(let pairs):
            for pair in pairs {
                config.setEnvironment(try words.expand(pair.key).text, try words.expand(pair.value).text)
            }
        case .label(let pairs):
            for pair in pairs {
                config.labels = (config.labels ?? [:])
                    .merging([try words.expand(pair.key).text: try words.expand(pair.value).text]) { _, new in new }
            }
        case .expose(let ports):
            for port in ports {
                for key in try PortSpecification(parsing: words.expand(port).text).keys {
                    config.exposedPorts = (config.exposedPorts ?? [:]).merging([key: EmptyObject()]) { old, _ in old }
                }
            }
        case .volume(let paths):
            for path in paths {
                let path = try words.expand(path).text
                config.volumes = (config.volumes ?? [:]).merging([path: EmptyObject()]) { old, _ in old }
            }
        case .user(let user): config.user = try words.expand(user).text
        case .workdir(let path):
            config.workingDir = ImagePath.workingDirectory(
                try words.expand(path).text, relativeTo: config.workingDir ?? "/")
        case .onbuild(let trigger): config.onBuild = (config.onBuild ?? []) + [trigger]
        case .healthcheck(let check):
            var health = HealthConfig(test: check.test)
            health.interval = check.interval == 0 ? nil : check.interval
            health.timeout = check.timeout == 0 ? nil : check.timeout
            health.startPeriod = check.startPeriod == 0 ? nil : check.startPeriod
            health.startInterval = check.startInterval == 0 ? nil : check.startInterval
            health.retries = check.retries == 0 ? nil : check.retries
            config.healthcheck = health
        default: throw ShaleError(.invalid, "\(instruction.keyword.lowercased()) is not a valid change command")
        }
    }

    private static func environment(of config: ContainerConfig) -> [String: String] {
        var values: [String: String] = [:]
        for entry in config.env ?? [] {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return values
    }
}
