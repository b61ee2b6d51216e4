package import OCI

/// The build arguments of one build: the values the user gave, the declarations in the file, and which were used.
///
/// The rules are those of docker's classic builder: an argument is in force in a stage from its `ARG` on. The
/// predefined
/// proxy variables need no declaration and are not in the cache key. A value for a name that is never declared is
/// reported with a warning.
package struct BuildArguments: Sendable {
    /// Names that work without an `ARG` (docker's "predefined ARGs").
    package static let predefined: Set<String> = [
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy",
        "ALL_PROXY", "all_proxy",
    ]

    /// The values of `--build-arg`.
    ///
    /// For a name without a value the caller has looked up the host's environment.
    private let given: [String: String?]
    private var declaredInFile: [String: String?] = [:]
    private var declaredInStage: [String: String?] = [:]
    /// Names that an `ARG` declared so far.
    private(set) var used: Set<String> = []

    /// Values for an `ARG` without a value, when the user gave none: the platform arguments.
    private let automatic: [String: String]

    /// `automatic` holds BuildKit's platform arguments.
    package init(given: [String: String?], automatic: [String: String] = [:]) {
        self.given = given
        self.automatic = automatic
    }

    /// BuildKit's platform arguments with their values, such as `TARGETARCH`.
    package static func platforms(target: Platform, build: Platform) -> [String: String] {
        var values: [String: String] = [:]
        for (prefix, platform) in [("TARGET", target), ("BUILD", build)] {
            values["\(prefix)PLATFORM"] = platform.description
            values["\(prefix)OS"] = platform.os
            values["\(prefix)ARCH"] = platform.architecture
            values["\(prefix)VARIANT"] = platform.variant ?? ""
        }
        return values
    }

    /// Declares `ARG name[=value]` before the first `FROM`.
    package mutating func declareForFile(_ name: String, _ value: String?) {
        declaredInFile[name] = .some(value)
        used.insert(name)
    }

    /// Declares `ARG name[=value]` inside a stage.
    ///
    /// Without a value it takes the value declared before the first `FROM`.
    package mutating func declare(_ name: String, _ value: String?) {
        let inherited: String? = declaredInFile[name].flatMap { $0 } ?? automatic[name]
        declaredInStage[name] = .some(value ?? inherited)
        used.insert(name)
    }

    /// Removes the declarations of the previous stage.
    package mutating func beginStage() { declaredInStage = [:] }

    /// Copies the declarations of the stage on which this stage is based.
    mutating func inherit(from base: BuildArguments) { declaredInStage = base.declaredInStage }

    /// The value of an argument in a `FROM` line.
    package func fileValue(_ name: String) -> String? {
        guard let declared = declaredInFile[name] else {
            return automatic[name].map { given[name].flatMap { $0 } ?? $0 }
        }
        return given[name].flatMap { $0 } ?? declared
    }

    /// Names and values in force in the stage.
    ///
    /// Arguments without a value are left out.
    package var values: [String: String] {
        declaredInStage.reduce(into: [:]) { all, declared in
            all[declared.key] = given[declared.key].flatMap { $0 } ?? declared.value
        }
    }

    /// The predefined arguments that were given.
    ///
    /// `RUN` sees them; they are not in the cache key or the history.
    package var proxies: [String: String] {
        given.reduce(into: [:]) { all, argument in
            guard Self.predefined.contains(argument.key), declaredInStage[argument.key] == nil else { return }
            all[argument.key] = argument.value
        }
    }

    /// Names that the user gave and that neither this value nor `others` declares.
    func unconsumed(besides others: Set<String>) -> [String] {
        given.keys.filter { !used.contains($0) && !others.contains($0) && !Self.predefined.contains($0) }.sorted()
    }
}
