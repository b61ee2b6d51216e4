import Basics

/// The part of an image's configuration that a Dockerfile decides.
package struct PlannedConfig: Sendable, Hashable {
    /// `NAME=value`, in order.
    package var environment: [String] = []
    package var entrypoint: [String]?
    package var command: [String]?
    package var user = ""
    package var workingDirectory = ""
    /// `80/tcp`.
    package var exposedPorts: Set<String> = []
    package var volumes: Set<String> = []
    package var labels: [String: String] = [:]
    package var onbuild: [String] = []
    package var stopSignal = ""
    package var shell: [String] = []
    package var healthCheck: HealthCheck?
    /// Set by `CMD`; on Windows it says that the arguments need no quoting.
    package var argumentsEscaped = false

    package init() {}

    /// Sets a variable in its place, or at the end.
    mutating func setEnvironment(_ key: String, _ value: String) {
        let entry = "\(key)=\(value)"
        if let index = environment.firstIndex(where: { $0.cut(at: "=").before == key }) {
            environment[index] = entry
        } else {
            environment.append(entry)
        }
    }

    /// The configuration as the object `config` of an image has it, keys sorted, nothing that is empty.
    package var json: String {
        func list(_ words: [String]) -> String { "[" + words.map(jsonQuoted).joined(separator: ",") + "]" }
        func set(_ words: Set<String>) -> String {
            "{" + words.sorted().map { "\(jsonQuoted($0)):{}" }.joined(separator: ",") + "}"
        }
        var members: [String] = []
        if argumentsEscaped { members.append("\"ArgsEscaped\":true") }
        if let command { members.append("\"Cmd\":\(list(command))") }
        if let entrypoint { members.append("\"Entrypoint\":\(list(entrypoint))") }
        if !environment.isEmpty { members.append("\"Env\":\(list(environment))") }
        if !exposedPorts.isEmpty { members.append("\"ExposedPorts\":\(set(exposedPorts))") }
        if let healthCheck { members.append("\"Healthcheck\":\(healthCheck.json)") }
        if !labels.isEmpty {
            let pairs = labels.sorted { $0.key < $1.key }.map { "\(jsonQuoted($0.key)):\(jsonQuoted($0.value))" }
            members.append("\"Labels\":{\(pairs.joined(separator: ","))}")
        }
        if !onbuild.isEmpty { members.append("\"OnBuild\":\(list(onbuild))") }
        if !shell.isEmpty { members.append("\"Shell\":\(list(shell))") }
        if !stopSignal.isEmpty { members.append("\"StopSignal\":\(jsonQuoted(stopSignal))") }
        if !user.isEmpty { members.append("\"User\":\(jsonQuoted(user))") }
        if !volumes.isEmpty { members.append("\"Volumes\":\(set(volumes))") }
        if !workingDirectory.isEmpty { members.append("\"WorkingDir\":\(jsonQuoted(workingDirectory))") }
        return "{" + members.joined(separator: ",") + "}"
    }
}

extension HealthCheck {
    fileprivate var json: String {
        var members = ["\"Test\":[" + test.map(jsonQuoted).joined(separator: ",") + "]"]
        for (name, value) in [
            ("Interval", interval), ("Timeout", timeout), ("StartPeriod", startPeriod),
            ("StartInterval", startInterval), ("Retries", Int64(retries)),
        ] where value != 0 { members.append("\"\(name)\":\(value)") }
        return "{" + members.joined(separator: ",") + "}"
    }
}

/// One line of an image's history.
package struct PlannedHistory: Sendable, Hashable {
    package var createdBy: String
    package var comment: String
    /// Whether the step leaves the files as they are.
    package var isEmptyLayer: Bool

    package init(createdBy: String, comment: String = "", isEmptyLayer: Bool) {
        self.createdBy = createdBy
        self.comment = comment
        self.isEmptyLayer = isEmptyLayer
    }
}

/// What a base image brings, or a finished stage.
package struct PlannedImage: Sendable, Hashable {
    package var config: PlannedConfig
    package var history: [PlannedHistory]
    package var author: String
    package var platform: PlannedPlatform

    package init(
        config: PlannedConfig, history: [PlannedHistory] = [], author: String = "", platform: PlannedPlatform
    ) {
        self.config = config
        self.history = history
        self.author = author
        self.platform = platform
    }

    /// What `FROM scratch` starts with.
    package static func scratch(_ platform: PlannedPlatform) -> PlannedImage {
        var config = PlannedConfig()
        config.workingDirectory = "/"
        if platform.os != "windows" { config.environment = [DefaultPath.entry] }
        return PlannedImage(config: config, platform: platform)
    }

    var shell: [String] {
        if !config.shell.isEmpty { return config.shell }
        return platform.os == "windows" ? ["cmd", "/S", "/C"] : ["/bin/sh", "-c"]
    }
}
