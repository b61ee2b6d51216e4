import Basics
import Dockerfiles
import Layers
import OCI

/// One change of an image's settings, in the order in which they were asked for.
package enum ConfigEdit: Sendable, Hashable {
    /// `NAME=VALUE` gives a variable its value, `NAME-` takes it away.
    case environment(String)
    /// The same of a label.
    case label(String)
    /// `PORT[-PORT][/PROTO]`, with `-` behind it to take it away.
    case port(String)
    /// A path, with `-` behind it to take it away.
    case volume(String)
    case environmentGone(String)
    case labelGone(String)
    case portGone(String)
    case volumeGone(String)
    /// A Dockerfile's words behind `ENTRYPOINT`, `CMD`, `SHELL`, `HEALTHCHECK`; empty for none.
    case entrypoint(String)
    case command(String)
    case shell(String)
    case healthcheck(String)
    case user(String)
    case workingDirectory(String)
    case stopSignal(String)
    /// A trigger; empty for none at all.
    case trigger(String)
    /// A whole Dockerfile instruction.
    case instruction(String)
    case author(String)
}

extension ConfigEdit {
    /// All changes in order; an entrypoint takes the command that was inherited away, as in a Dockerfile.
    ///
    /// Throws `invalid`, or docker's words, for what cannot be a setting.
    static func apply(_ edits: [ConfigEdit], to config: inout ImageConfig) throws(ShaleError) {
        var settings = config.config ?? ContainerConfig()
        let hasCommand = edits.contains { if case .command = $0 { true } else { false } }
        for edit in edits {
            if case .author(let author) = edit {
                config.author = author.isEmpty ? nil : author
            } else {
                try edit.apply(to: &settings, keepsCommand: hasCommand)
            }
        }
        config.config = settings
    }

    private func apply(to config: inout ContainerConfig, keepsCommand: Bool) throws(ShaleError) {
        switch self {
        case .environment, .environmentGone: try applyEnvironment(to: &config)
        case .label, .labelGone: try applyLabel(to: &config)
        case .port(let text): try Self.open(text, in: &config)
        case .portGone(let text): try Self.close(text, in: &config)
        case .volume(let text):
            guard let path = Self.removal(text) else { return try Self.add(volume: text, to: &config) }
            try Self.remove(volume: path, from: &config)
        case .volumeGone(let path): try Self.remove(volume: path, from: &config)
        case .entrypoint(let text):
            config.entrypoint = text.isEmpty ? nil : try Self.words("ENTRYPOINT", text, config)
            if !keepsCommand { config.cmd = nil }
        case .command(let text): config.cmd = text.isEmpty ? nil : try Self.words("CMD", text, config)
        case .shell(let text):
            if text.isEmpty { config.shell = nil } else { try ConfigChange.carryOut("SHELL \(text)", on: &config) }
        case .healthcheck(let text):
            config.healthcheck = nil
            if !text.isEmpty { try ConfigChange.carryOut("HEALTHCHECK \(text)", on: &config) }
        case .user(let user): config.user = user.isEmpty ? nil : user
        case .workingDirectory(let path):
            config.workingDir =
                path.isEmpty ? nil : ImagePath.workingDirectory(path, relativeTo: config.workingDir ?? "/")
        case .stopSignal(let signal):
            guard signal.isEmpty || SignalName.number(signal) != nil else {
                throw ShaleError(.invalid, "invalid signal: \(signal)")
            }
            config.stopSignal = signal.isEmpty ? nil : signal
        case .trigger(let text):
            if text.isEmpty { config.onBuild = nil } else { try ConfigChange.carryOut("ONBUILD \(text)", on: &config) }
        case .instruction(let text): try ConfigChange.apply([text], to: &config)
        case .author: break
        }
    }

    /// What stands before a `-` at the end of a text without `=`; `nil` where something is to be set.
    private static func removal(_ text: String) -> String? {
        guard text.utf8.last == UInt8(ascii: "-"), text.utf8.count > 1, !text.utf8.contains(UInt8(ascii: "=")) else {
            return nil
        }
        return String(text.dropLast())
    }

    private static func words(
        _ keyword: String, _ text: String, _ config: ContainerConfig
    ) throws(ShaleError) -> [String]? {
        var next = config
        try ConfigChange.carryOut("\(keyword) \(text)", on: &next)
        return keyword == "CMD" ? next.cmd : next.entrypoint
    }

    // MARK: Variables and labels

    private func applyEnvironment(to config: inout ContainerConfig) throws(ShaleError) {
        switch self {
        case .environment(let text):
            if let name = Self.removal(text) { return try Self.remove(variable: name, from: &config) }
            let (name, value) = try Self.assignment(text, "--env")
            config.setEnvironment(name, value)
        case .environmentGone(let name): try Self.remove(variable: name, from: &config)
        default: break
        }
    }

    private static func remove(variable name: String, from config: inout ContainerConfig) throws(ShaleError) {
        guard let env = config.env, env.contains(where: { PathOrder.same(variableName($0), name) }) else {
            throw ShaleError(.notFound, "the image has no variable \(name)")
        }
        config.env = env.filter { !PathOrder.same(variableName($0), name) }
    }

    /// By bytes: a value may begin with a mark that would make one character with the sign.
    static func variableName(_ entry: String) -> String { String(entry.utf8.prefix { $0 != UInt8(ascii: "=") }) ?? "" }

    private func applyLabel(to config: inout ContainerConfig) throws(ShaleError) {
        switch self {
        case .label(let text):
            if let name = Self.removal(text) { return try Self.remove(label: name, from: &config) }
            let (name, value) = try Self.assignment(text, "--label")
            var labels = config.labels ?? [:]
            labels[name] = value
            config.labels = labels
        case .labelGone(let name): try Self.remove(label: name, from: &config)
        default: break
        }
    }

    private static func remove(label name: String, from config: inout ContainerConfig) throws(ShaleError) {
        guard config.labels?.removeValue(forKey: name) != nil else {
            throw ShaleError(.notFound, "the image has no label \(name)")
        }
    }

    private static func assignment(
        _ text: String, _ option: String
    ) throws(ShaleError) -> (name: String, value: String) {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")), equals != text.startIndex else {
            throw ShaleError(
                .usage, "\(option) \(text): not NAME=VALUE", hint: "\(option) \(text)- takes one away")
        }
        let (name, value) = (String(text[..<equals]), String(text[text.utf8.index(after: equals)...]))
        guard !text.utf8.contains(0) else { throw ShaleError(.usage, "\(option): a NUL byte in \(name.visible)") }
        return (name, value)
    }

    // MARK: Ports and volumes

    private static func open(_ text: String, in config: inout ContainerConfig) throws(ShaleError) {
        if let port = removal(text) { return try close(port, in: &config) }
        var ports = config.exposedPorts ?? [:]
        for key in try PortSpecification(parsing: text).keys { ports[key] = EmptyObject() }
        config.exposedPorts = ports
    }

    private static func close(_ text: String, in config: inout ContainerConfig) throws(ShaleError) {
        for key in try PortSpecification(parsing: text).keys
        where config.exposedPorts?.removeValue(forKey: key) == nil {
            throw ShaleError(.notFound, "the image exposes no port \(key)")
        }
    }

    private static func add(volume path: String, to config: inout ContainerConfig) throws(ShaleError) {
        guard !path.isEmpty else { throw ShaleError(.invalid, "VOLUME specified can not be an empty string") }
        var volumes = config.volumes ?? [:]
        volumes[path] = EmptyObject()
        config.volumes = volumes
    }

    private static func remove(volume path: String, from config: inout ContainerConfig) throws(ShaleError) {
        guard config.volumes?.removeValue(forKey: path) != nil else {
            throw ShaleError(.notFound, "the image has no volume \(path)")
        }
    }
}
