package import Basics
import Glibc
import Linux

/// A value of `--secret`: where a build reads the secret.
///
/// The secret is never kept in an image, the cache or the journal.
package struct BuildSecret: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// A file of the host.
        case file(String)
        /// An environment variable of the host.
        case variable(String)
    }

    package var id: String
    package var source: Source

    private static let limit = 500 << 10

    /// Reads docker's `id=NAME[,src=FILE|,env=VARIABLE][,type=file|env]`.
    ///
    /// Without a source it is the variable of that name, or else the file of that name. Throws `usage`.
    package init(parsing text: String, environment: [String: String]) throws(ShaleError) {
        var fields: [String: String] = [:]
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw ShaleError(.usage, "invalid field '\(field)' must be a key=value pair")
            }
            let key = String(parts[0]).lowercased()
            switch key {
            case "id", "type", "env": fields[key] = String(parts[1])
            case "src", "source": fields["src"] = String(parts[1])
            default:
                throw ShaleError(.usage, "unexpected key '\(parts[0])' in '\(field)'")
            }
        }
        let kind = fields["type"] ?? ""
        guard ["", "file", "env"].contains(kind) else {
            throw ShaleError(.usage, "unsupported secret type \"\(kind)\"")
        }
        guard let id = fields["id"], !id.isEmpty else { throw ShaleError(.usage, "secret missing 'id'") }
        self.id = id
        if let variable = fields["env"] ?? (kind == "env" ? fields["src"] ?? id : nil) {
            source = .variable(variable)
        } else if let file = fields["src"] {
            source = .file(file)
        } else {
            source = kind != "file" && environment[id] != nil ? .variable(id) : .file(id)
        }
    }

    /// Reads the secret's bytes.
    ///
    /// Throws `notFound` for a variable that is not set, and the file system's error for a file.
    func bytes() throws(ShaleError) -> [UInt8] {
        switch source {
        case .variable(let name):
            guard let value = getenv(name) else {
                throw ShaleError(.notFound, "failed to read secret \(id): environment variable \(name) is not set")
            }
            return Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
        case .file(let path):
            return try translating("failed to read secret \(id): \(path)") {
                try WholeFile.read(path, limit: Self.limit)
            }
        }
    }

    /// Checks before the build that the secret's file exists; throws the file system's error when it does not.
    package func check() throws(ShaleError) {
        guard case .file(let path) = source else { return }
        _ = try translating("failed to stat \(path): stat \(path)") {
            try FileStatus.of(hostPath: path, followingLink: true)
        }
    }
}
