import ArgumentParser
import Basics
import Building
import Dockerfiles
import OCI

/// The options of `build` that docker's classic builder has not: other contexts, shared caches, and where the result
/// goes.
struct BuildSharing: ParsableArguments {
    @Option(
        name: .customLong("build-context"),
        help:
            "What NAME means in FROM and --from: NAME=DIR, docker-image://IMAGE, oci-layout://DIR[:TAG] or a git repository."
    )
    var contexts: [String] = []
    @Option(
        name: .customLong("cache-from"),
        help: "Look steps up there too: NAME of a registry's, type=registry,ref=NAME or type=local,src=DIR.")
    var cacheFrom: [String] = []
    @Option(
        name: .customLong("cache-to"),
        help:
            "Write the steps for other machines: NAME, type=registry,ref=NAME or type=local,dest=DIR; mode=max for all stages."
    )
    var cacheTo: [String] = []
    @Option(name: .customLong("no-cache-filter"), help: "Carry the steps of these stages out anew.")
    var uncachedStages: [String] = []
    @Option(
        name: [.customShort("o", allowingJoined: true), .customLong("output")],
        help: "type=local|tar|oci|docker,dest=PATH or type=image; DIR alone for its files, - for a tar on stdout.")
    var outputs: [String] = []
    @Option(name: .customLong("metadata-file"), help: "Write digests and names of the image there, as JSON.")
    var metadataFile: String?
    @Option(name: .customLong("annotation"), help: "Put NAME=VALUE into the image's manifest.")
    var annotations: [String] = []

    @Flag(help: "Send the image to the registries of its names.") var push = false
    @Flag(help: "Taken for docker's sake: an image that is built is here in any case.") var load = false
    @Flag(help: "Taken for docker's sake: nothing is sent.") var compress = false
    @Option(help: "Taken for docker's sake: default.") var builder: String?
    @Option(help: "Taken for docker's sake: default.") var isolation: String?
    @Option(help: "What to do: build, check, outline (what it takes) or targets; format=json behind a comma.") var call:
        String?
    @Option(help: "Attestations are not made: only false is taken.") var provenance: String?
    @Option(help: "Attestations are not made: only false is taken.") var sbom: String?
    @Option(help: "Attestations are not made: only type=…,disabled=true is taken.") var attest: [String] = []
    @Flag(
        name: .customLong("disable-content-trust"), inversion: .prefixedNo,
        help: "Taken for docker's sake: signatures are not checked.")
    var disablesContentTrust = true

    /// Writes them into a build's request.
    ///
    /// Throws `usage` for what is malformed, and `unsupported` for what is not done here.
    func write(to request: inout BuildRequest) throws(ShaleError) {
        try refuse()
        for text in contexts where !text.isEmpty { request.contexts.append(try NamedContext(parsing: text)) }
        request.uncachedStages = uncachedStages.flatMap { $0.split(separator: ",").map(String.init) }
        request.cacheFrom = try CachePlace.parse(cacheFrom, for: .reading)
        request.cacheTo = try CachePlace.parse(cacheTo, for: .writing)
        request.annotations = try readAnnotations()
    }

    private func readAnnotations() throws(ShaleError) -> [String: String] {
        var all: [String: String] = [:]
        for text in annotations where !text.isEmpty {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                throw ShaleError(.usage, "invalid annotation \"\(text.visible)\", expected key=value")
            }
            var key = parts[0]
            if let colon = key.firstIndex(of: ":") {
                let kinds = key[..<colon]
                guard kinds == "manifest" else {
                    throw ShaleError(
                        .unsupported,
                        "--annotation \(String(kinds).visible): only the manifest of an image can be annotated")
                }
                key = String(key[key.index(after: colon)...])
            }
            guard !key.isEmpty else {
                throw ShaleError(.usage, "invalid annotation \"\(text.visible)\", expected key=value")
            }
            all[key] = parts[1]
        }
        return all
    }

    /// Values that are not supported here, each by name.
    private func refuse() throws(ShaleError) {
        func refuse(_ option: String, _ reason: String) -> ShaleError {
            ShaleError(.unsupported, "build: \(option) is not supported: \(reason)")
        }
        for (name, value) in [("provenance", provenance), ("sbom", sbom)] {
            guard let value, value != "false", value != "0", value != "disabled=true" else { continue }
            throw refuse("--\(name) \(value.visible)", "no attestations are made here")
        }
        for text in attest {
            let values = try OptionFields(parsing: text).values()
            if values["disabled"] != "true" {
                throw refuse("--attest \(text.visible)", "no attestations are made here")
            }
        }
        if let builder, builder != "default" {
            throw refuse("--builder \(builder.visible)", "shale builds by itself")
        }
        if let isolation, !["", "default"].contains(isolation) {
            throw refuse("--isolation \(isolation.visible)", "it is of Windows containers")
        }
        if !disablesContentTrust { throw refuse("--disable-content-trust=false", "signatures are not checked") }
    }
}
