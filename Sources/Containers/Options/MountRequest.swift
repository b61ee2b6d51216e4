import Basics
import Glibc
import Images
import Linux
import Stores

/// One mount of `-v`, `--mount`, `--tmpfs` or an image's `VOLUME`.
struct MountRequest: Sendable, Equatable {
    enum Kind: String, Sendable {
        case bind, volume, tmpfs
    }

    var kind: Kind
    /// A host path or the name of a volume; empty for an anonymous volume and a tmpfs.
    var source: String
    var destination: String
    var readOnly = false
    /// The mode as written, such as `ro` or `rw,z`.
    var mode = ""
    /// The options of a tmpfs: mount data (`size=…`, `mode=…`) and flags.
    var tmpfsOptions: [String] = []
    /// Whether it is `-v DESTINATION`.
    ///
    /// As for an image's `VOLUME`, a volume is made when nothing else is mounted there.
    var isDeclaration = false
    /// Whether a missing host path is made (`-v`), and not refused (`--mount`).
    var makesSource = false
    /// Whether a new volume gets a copy of the image's files at the destination.
    var copiesImage = true
    /// Whether a bind mount includes the mounts below its source.
    var recursive = true

    /// `-v`: `[SOURCE:]DESTINATION[:MODE]` (moby's `volume/mounts/linux_parser.go`).
    init(volume text: String, hostDirectory: String) throws(ShaleError) {
        let parts = text.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        let invalid = ShaleError(.invalid, "invalid volume specification: '\(text)'")
        guard parts.count <= 3, let first = parts.first, !first.isEmpty else { throw invalid }
        switch parts.count {
        case 1:
            kind = .volume
            source = ""
            destination = first
            isDeclaration = true
        default:
            if parts.count == 2, Self.isMode(parts[1]) { throw invalid }
            mode = parts.count > 2 ? parts[2] : ""
            guard parts.count == 2 || Self.isMode(mode) else { throw ShaleError(.invalid, "invalid mode: \(mode)") }
            guard Self.isUnequivocal(mode) else { throw ShaleError(.invalid, "invalid mode: \(mode)") }
            source =
                first.hasPrefix("./") || first.hasPrefix("../") || first == "." || first == ".."
                ? ImagePath.clean(first, relativeTo: hostDirectory) : first
            kind = source.hasPrefix("/") ? .bind : .volume
            destination = parts[1]
        }
        makesSource = true
        try read(mode: mode)
        if kind == .volume, !source.isEmpty { source = try VolumeName.validated(source) }
        do throws(ShaleError) {
            try checkDestination()
            if kind == .bind, !copiesImage {
                throw ShaleError(
                    .invalid, "invalid mount config for type \"bind\": field VolumeOptions must not be specified")
            }
        } catch {
            throw ShaleError(.invalid, "\(invalid.message): \(error.message)")
        }
    }

    /// An anonymous volume, as for an image's `VOLUME`.
    init(anonymousAt path: String) {
        kind = .volume
        source = ""
        destination = path
    }

    /// `--tmpfs DESTINATION[:OPTIONS]`.
    init(tmpfs text: String) throws(ShaleError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        kind = .tmpfs
        source = ""
        destination = parts[0]
        if parts.count > 1 { tmpfsOptions = parts[1].split(separator: ",").map(String.init) }
        try Self.checkTmpfs(tmpfsOptions)
        try checkDestination()
    }

    /// `--volumes-from`: a mount of another container, unchanged or read-only.
    init(kind: Kind, source: String, destination: String, readOnly: Bool) {
        self.kind = kind
        self.source = source
        self.destination = destination
        self.readOnly = readOnly
        copiesImage = false
    }

    // MARK: --mount

    /// `--mount`: `type=bind,source=…,target=…[,readonly][,…]`, fields quoted as in CSV.
    init(mount text: String, hostDirectory: String) throws(ShaleError) {
        let flag = "invalid argument \"\(text)\" for \"--mount\" flag"
        guard !text.isEmpty else { throw ShaleError(.usage, flag, cause: "value is empty") }
        kind = .volume
        source = ""
        destination = ""
        var named: String?
        var families: Set<String> = []
        for field in try Self.fields(of: text) {
            let (key, value) = try Self.option(field, flag: flag)
            switch key {
            case "type": named = value?.lowercased()
            case "source", "src": source = value ?? ""
            case "target", "dst", "destination": destination = value ?? ""
            case "readonly", "ro": readOnly = try Self.flag(key, value, flag: flag)
            case "volume-nocopy": copiesImage = try !Self.flag(key, value, flag: flag)
            case "bind-nonrecursive": recursive = try !Self.flag(key, value, flag: flag)
            case "bind-recursive": recursive = value != "disabled"
            case "consistency", "volume-label": break
            case "tmpfs-size":
                guard let value, let bytes = try? ByteSize.bytes(value, .binary) else {
                    throw ShaleError(.usage, flag, cause: "invalid value for tmpfs-size: \(value ?? "")")
                }
                tmpfsOptions.append("size=\(bytes)")
            case "tmpfs-mode":
                guard let value, UInt32(value, radix: 8) != nil else {
                    throw ShaleError(.usage, flag, cause: "invalid value for tmpfs-mode: \(value ?? "")")
                }
                tmpfsOptions.append("mode=\(value)")
            case "bind-propagation":
                guard value == "rprivate" || value == "private" else {
                    throw ShaleError(.unsupported, "--mount \(field) is not supported: mounts here are private")
                }
            case "volume-driver":
                guard value == "local" || value == "" else {
                    throw ShaleError(.unsupported, "--mount \(field) is not supported: volumes here are local")
                }
            case "volume-opt", "volume-subpath", "image-subpath":
                throw ShaleError(.unsupported, "--mount \(key) is not supported")
            default:
                throw ShaleError(.usage, flag, cause: "unknown option '\(key)' in '\(field)'")
            }
            if let family = ["bind-", "volume-", "tmpfs-"].first(where: key.hasPrefix) { families.insert(family) }
        }
        guard !destination.isEmpty else { throw ShaleError(.usage, flag, cause: "target is required") }
        try setKind(named ?? "volume", families: families, flag: flag, hostDirectory: hostDirectory)
    }

    private mutating func setKind(
        _ name: String, families: Set<String>, flag: String, hostDirectory: String
    ) throws(ShaleError) {
        for family in families.sorted() where family != "\(name)-" {
            throw ShaleError(.usage, flag, cause: "cannot mix '\(family)*' options with mount type '\(name)'")
        }
        let prefix = "invalid mount config for type \"\(name)\""
        switch name {
        case "bind":
            kind = .bind
            guard !source.isEmpty else { throw ShaleError(.invalid, "\(prefix): field Source must not be empty") }
            if source == "." || source == ".." || source.hasPrefix("./") || source.hasPrefix("../") {
                source = ImagePath.clean(source, relativeTo: hostDirectory)
            }
            guard source.hasPrefix("/") else {
                throw ShaleError(.invalid, "\(prefix): invalid mount path: '\(source)' mount path must be absolute")
            }
            guard access(source, F_OK) == 0 else {
                throw ShaleError(.invalid, "\(prefix): bind source path does not exist: \(source)")
            }
        case "volume":
            if !source.isEmpty { source = try VolumeName.validated(source) }
        case "tmpfs":
            kind = .tmpfs
            guard source.isEmpty else { throw ShaleError(.invalid, "\(prefix): field Source must not be specified") }
        default: throw ShaleError(.invalid, "\(prefix): mount type unknown")
        }
        try checkDestination()
    }

    private static func option(_ field: String, flag: String) throws(ShaleError) -> (String, String?) {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let key = parts[0].lowercased()
        if key.first?.isWhitespace == true || key.last?.isWhitespace == true {
            let trimmed = key.filter { !$0.isWhitespace }
            throw ShaleError(
                .usage, flag, cause: "invalid option '\(trimmed)' in '\(field)': option should not have whitespace")
        }
        guard parts.count == 2 else {
            let bare = ["readonly", "ro", "volume-nocopy", "bind-nonrecursive"]
            guard bare.contains(key) else {
                throw ShaleError(.usage, flag, cause: "invalid field '\(field)' must be a key=value pair")
            }
            return (key, nil)
        }
        let value = parts[1]
        if value.first?.isWhitespace == true || value.last?.isWhitespace == true {
            throw ShaleError(
                .usage, flag, cause: "invalid value for '\(key)' in '\(field)': value should not have whitespace")
        }
        return (key, value)
    }

    private static func flag(_ key: String, _ value: String?, flag: String) throws(ShaleError) -> Bool {
        switch value {
        case nil, "true", "1": return true
        case "false", "0": return false
        case "": throw ShaleError(.usage, flag, cause: "invalid value for '\(key)': value is empty")
        case let other?:
            throw ShaleError(
                .usage, flag,
                cause: "invalid value for '\(key)': invalid boolean value (\"\(other)\"): must be one of \"true\", "
                    + "\"1\", \"false\", or \"0\" (default \"true\")")
        }
    }

    /// Splits fields at commas.
    ///
    /// A field in double quotes may contain commas, and `""` for a quote.
    static func fields(of text: String) throws(ShaleError) -> [String] {
        var fields: [String] = []
        var field = ""
        var isQuoted = false
        var characters = text[...]
        while let character = characters.popFirst() {
            switch character {
            case "\"" where isQuoted && characters.first == "\"":
                field.append("\"")
                characters.removeFirst()
            case "\"" where isQuoted || field.isEmpty: isQuoted.toggle()
            case "," where !isQuoted:
                fields.append(field)
                field = ""
            default: field.append(character)
            }
        }
        guard !isQuoted else { throw ShaleError(.usage, "\(text): a quote is not closed") }
        return fields + [field]
    }

    // MARK: Checks

    private mutating func read(mode: String) throws(ShaleError) {
        for part in mode.split(separator: ",") {
            switch part {
            case "ro": readOnly = true
            case "nocopy": copiesImage = false
            case "shared", "rshared", "slave", "rslave":
                throw ShaleError(.unsupported, "-v with the mode \(part) is not supported: mounts here are private")
            default: break
            }
        }
    }

    static func isMode(_ text: String) -> Bool {
        let known: Set<Substring> = [
            "ro", "rw", "z", "Z", "nocopy", "shared", "rshared", "slave", "rslave", "private", "rprivate", "cached",
            "delegated", "consistent",
        ]
        return !text.isEmpty && text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy(known.contains)
    }

    /// Whether a mode has at most one word of each kind, as docker requires.
    private static func isUnequivocal(_ mode: String) -> Bool {
        let kinds: [Set<Substring>] = [
            ["ro", "rw"], ["z", "Z"], ["nocopy"], ["cached", "delegated", "consistent"],
            ["shared", "rshared", "slave", "rslave", "private", "rprivate"],
        ]
        let parts = mode.split(separator: ",")
        return kinds.allSatisfy { kind in parts.count(where: kind.contains) < 2 }
    }

    private static func checkTmpfs(_ options: [String]) throws(ShaleError) {
        let flags: Set<String> = [
            "defaults", "rw", "ro", "exec", "noexec", "suid", "nosuid", "dev", "nodev", "sync", "async", "atime",
            "noatime",
            "diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime",
            "mode", "uid", "gid",
            "size", "nr_inodes", "nr_blocks", "mpol", "huge",
        ]
        for option in options where !flags.contains(String(option.prefix { $0 != "=" })) {
            throw ShaleError(.invalid, "invalid tmpfs option \"\(option)\"")
        }
    }

    /// Checks the destination by docker's rules, and cleans its path.
    private mutating func checkDestination() throws(ShaleError) {
        let prefix = "invalid mount config for type \"\(kind.rawValue)\""
        guard !destination.isEmpty else { throw ShaleError(.invalid, "\(prefix): field Target must not be empty") }
        guard destination.hasPrefix("/") else {
            throw ShaleError(.invalid, "\(prefix): invalid mount path: '\(destination)' mount path must be absolute")
        }
        destination = ImagePath.clean(destination)
        guard destination != "/" else {
            throw ShaleError(.invalid, "\(prefix): invalid specification: destination can't be '/'")
        }
    }
}
