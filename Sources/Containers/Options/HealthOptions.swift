import Basics
import Dockerfiles
import OCI
import Runtime

/// The values of `--health-*` and `--no-healthcheck`, as written.
package struct HealthOptions: Sendable, Hashable {
    package var command: String?
    /// Durations in Go's form, such as `30s` or `1m30s`.
    package var interval: String?
    package var timeout: String?
    package var startPeriod: String?
    package var startInterval: String?
    package var retries: Int?
    package var isOff = false

    package init() {}

    private var isEmpty: Bool { self == HealthOptions() }

    /// The health check of the container: that of the image, changed by the options.
    func config(over image: HealthConfig?) throws(ShaleError) -> HealthConfig? {
        if isEmpty { return image }
        guard !isOff else {
            guard self == Self.off else {
                throw ShaleError(.usage, "--no-healthcheck conflicts with --health-* options", exitStatus: 125)
            }
            return HealthConfig(test: ["NONE"])
        }
        var health = image ?? HealthConfig()
        if let command, !command.isEmpty { health.test = ["CMD-SHELL", command] }
        health.interval = try span(interval, "interval") ?? health.interval
        health.timeout = try span(timeout, "timeout") ?? health.timeout
        health.startPeriod = try span(startPeriod, "start-period") ?? health.startPeriod
        health.startInterval = try span(startInterval, "start-interval") ?? health.startInterval
        if let retries {
            guard retries >= 0 else {
                throw ShaleError(.usage, "--health-retries cannot be negative", exitStatus: 125)
            }
            if retries > 0 { health.retries = retries }
        }
        return health
    }

    private static var off: HealthOptions {
        var options = HealthOptions()
        options.isOff = true
        return options
    }

    /// A duration; `nil`, which stands for the default, when it is not given or 0.
    private func span(_ text: String?, _ name: String) throws(ShaleError) -> Int64? {
        guard let text else { return nil }
        let nanoseconds: Int64
        do throws(GoDuration.Malformed) {
            nanoseconds = try GoDuration.nanoseconds(text)
        } catch {
            throw ShaleError(
                .usage, "invalid argument \"\(text.visible)\" for \"--health-\(name)\" flag", cause: error.words)
        }
        guard nanoseconds >= 0 else {
            throw ShaleError(.usage, "--health-\(name) cannot be negative", exitStatus: 125)
        }
        guard nanoseconds == 0 || nanoseconds >= 1_000_000 else {
            throw ShaleError(.invalid, "--health-\(name) cannot be less than 1ms", exitStatus: 125)
        }
        return nanoseconds == 0 ? nil : nanoseconds
    }
}

extension ContainerConfig {
    /// The health check for the runner; `nil` for none.
    var healthProbe: HealthProbe? {
        guard let health = healthcheck, let test = health.test, let kind = test.first, kind != "NONE" else {
            return nil
        }
        let words = Array(test.dropFirst())
        guard !words.isEmpty else { return nil }
        let own = shell ?? ["/bin/sh", "-c"]
        var probe = HealthProbe(arguments: kind == "CMD-SHELL" ? own + words : words)
        let milliseconds = { (nanoseconds: Int64?) -> Int64? in
            nanoseconds.flatMap { $0 > 0 ? max(1, $0 / 1_000_000) : nil }
        }
        probe.interval = milliseconds(health.interval) ?? probe.interval
        probe.timeout = milliseconds(health.timeout) ?? probe.timeout
        probe.startPeriod = milliseconds(health.startPeriod) ?? probe.startPeriod
        probe.startInterval = milliseconds(health.startInterval) ?? probe.startInterval
        if let retries = health.retries, retries > 0 { probe.retries = Int32(clamping: retries) }
        return probe
    }
}
