import Basics
import Glibc
import Linux

/// Reads `-e`, `--env-file`, `--label` and `--label-file` by the rules of docker's client.
enum EnvironmentOption {
    /// The value of `-e`: `KEY=VALUE`, or `KEY` for the host's value when there is one.
    static func variable(_ text: String, host: (String) -> String?) throws(ShaleError) -> String {
        guard let first = text.first, first != "=" else {
            throw ShaleError(
                .usage, "invalid argument \"\(text)\" for \"-e, --env\" flag",
                cause: "invalid environment variable: \(text)")
        }
        if text.contains("=") { return text }
        return host(text).map { "\(text)=\($0)" } ?? text
    }

    static func hostValue(_ name: String) -> String? { HostEnvironment.value(name) }

    /// The lines of all `--env-file` options, followed by those of `-e`.
    ///
    /// When the container starts, later ones replace earlier ones.
    static func all(
        files: [String], values: [String], host: (String) -> String? = hostValue
    ) throws(ShaleError) -> [String] {
        var result: [String] = []
        for file in files {
            result += try lines(of: file).compactMap { line in
                line.contains("=") ? line : host(line).map { "\(line)=\($0)" }
            }
        }
        for value in values { result.append(try variable(value, host: host)) }
        return result
    }

    /// The labels of files, followed by those of `--label`.
    ///
    /// A label without `=` has an empty value.
    static func labels(files: [String], values: [String]) throws(ShaleError) -> [String: String] {
        var result: [String: String] = [:]
        for file in files {
            for line in try lines(of: file) where line.contains("=") { add(line, to: &result) }
        }
        for value in values {
            let key = value.prefix { $0 != "=" }
            guard !key.allSatisfy(\.isWhitespace) else {
                throw ShaleError(.usage, "invalid label '\(value)': empty name")
            }
            add(value, to: &result)
        }
        return result
    }

    private static func add(_ text: String, to labels: inout [String: String]) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        labels[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
    }

    /// The lines of a file without comments and empty lines.
    ///
    /// The names of variables are checked.
    static func lines(of path: String) throws(ShaleError) -> [String] {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path, limit: 16 << 20)
        } catch {
            throw error.cancelled ?? ShaleError(.notFound, "open \(path)", cause: error.reason)
        }
        return try lines(in: bytes, path: path)
    }

    static func lines(in bytes: [UInt8], path: String) throws(ShaleError) -> [String] {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        var result: [String] = []
        for (number, raw) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            var raw = raw
            if raw.last == 0x0D { raw = raw.dropLast() }
            guard let text = String(validating: raw, as: UTF8.self) else {
                throw ShaleError(.invalid, "\(path): invalid utf8 bytes at line \(number + 1)")
            }
            guard !raw.contains(0) else {
                throw ShaleError(.invalid, "\(path): a variable's value cannot hold a null byte, line \(number + 1)")
            }
            let line = String(text.drop { $0.isWhitespace })
            if line.isEmpty || line.hasPrefix("#") { continue }
            let name = line.prefix { $0 != "=" }
            if name.contains(where: \.isWhitespace) {
                throw ShaleError(
                    .invalid, "poorly formatted environment: variable '\(name)' contains whitespaces")
            }
            if name.isEmpty {
                throw ShaleError(.invalid, "poorly formatted environment: no variable name on line '\(line)'")
            }
            result.append(line)
        }
        return result
    }
}
