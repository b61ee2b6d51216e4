package import OCI

/// The build arguments of one build: what the user gave, what the file declares, and which were asked for.
///
/// The rules are the classic builder's: an argument counts inside a stage from its `ARG` on; the predefined proxy
/// variables need no declaration and stay out of the cache key; a value given for a name never declared is a warning.
package struct BuildArguments: Sendable {
    /// Names that work without an `ARG` (docker's "predefined ARGs").
    package static let predefined: Set<String> = [
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy",
        "ALL_PROXY", "all_proxy",
    ]

    /// `--build-arg`: a `nil` value is taken from the host's environment by the caller.
    private let given: [String: String?]
    private var declaredInFile: [String: String?] = [:]
    private var declaredInStage: [String: String?] = [:]
    /// Names that an `ARG` declared so far.
    private(set) var used: Set<String> = []

    /// What an `ARG` without a value finds where nobody gave one: the platforms.
    private let automatic: [String: String]

    /// `automatic` are names that need no value, as BuildKit has them.
    package init(given: [String: String?], automatic: [String: String] = [:]) {
        self.given = given
        self.automatic = automatic
    }

    /// The platforms' names and values, `TARGETARCH` say.
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

    /// Declares `ARG name[=value]` inside a stage; without a value it takes the one declared for the file.
    package mutating func declare(_ name: String, _ value: String?) {
        let inherited: String? = declaredInFile[name].flatMap { $0 } ?? automatic[name]
        declaredInStage[name] = .some(value ?? inherited)
        used.insert(name)
    }

    /// Forgets a stage's declarations.
    package mutating func beginStage() { declaredInStage = [:] }

    /// Takes over what the stage declared that this one is based on.
    mutating func inherit(from base: BuildArguments) { declaredInStage = base.declaredInStage }

    /// The value a `FROM` line sees.
    package func fileValue(_ name: String) -> String? {
        guard let declared = declaredInFile[name] else {
            return automatic[name].map { given[name].flatMap { $0 } ?? $0 }
        }
        return given[name].flatMap { $0 } ?? declared
    }

    /// Names and values in force in the stage, those without a value left out.
    package var values: [String: String] {
        declaredInStage.reduce(into: [:]) { all, declared in
            all[declared.key] = given[declared.key].flatMap { $0 } ?? declared.value
        }
    }

    /// The predefined ones that were given: set for `RUN`, and no part of any key or history.
    package var proxies: [String: String] {
        given.reduce(into: [:]) { all, argument in
            guard Self.predefined.contains(argument.key), declaredInStage[argument.key] == nil else { return }
            all[argument.key] = argument.value
        }
    }

    /// Given, and never declared here or among `others`.
    func unconsumed(besides others: Set<String>) -> [String] {
        given.keys.filter { !used.contains($0) && !others.contains($0) && !Self.predefined.contains($0) }.sorted()
    }
}
