import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

@testable import Registries

/// A docker-registry that holds one small image under several tags, filled by skopeo.
struct FilledRegistry {
    let server: RegistryServer
    let layerFile: [UInt8]

    init(_ access: RegistryServer.Access = .open, names: [String] = ["library/ubuntu:18.04", "library/ubuntu:22.04"])
        throws
    {
        server = try RegistryServer(access)
        layerFile = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        let archive = server.folder.path + "/image.tar"
        try SmallImage.writeDockerArchive(
            archive, layers: [[.init("etc/hello", "hello\n")], [.init("data", layerFile)]])
        for name in names {
            var options = ["--format", name.hasSuffix(":oci") ? "oci" : "v2s2"]
            if case .basic = access {
                options += ["--dest-creds", "\(RegistryServer.user):\(RegistryServer.password)"]
            }
            try server.fill("docker-archive:\(archive)", as: name, options: options)
        }
    }
}

func plainClient(_ change: (inout RegistryConfiguration) -> Void = { _ in }) -> RegistryClient {
    var configuration = RegistryConfiguration(credentials: CredentialStore(only: [:]))
    configuration.retries.unit = 0.01
    configuration.stallTimeout = 15
    configuration.connectTimeout = 2
    change(&configuration)
    return RegistryClient(configuration)
}

@Suite(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct RealRegistryTests {
    @Test func resolvesFetchesAndLists() throws {
        let registry = try FilledRegistry(names: ["library/ubuntu:18.04", "library/ubuntu:22.04", "team/app:oci"])
        let client = plainClient()
        for name in ["library/ubuntu:22.04", "team/app:oci"] {
            let reference = try Reference(parsing: "\(registry.server.host)/\(name)")
            let fetched = try client.resolve(reference)
            #expect(Digest.of(fetched.bytes) == fetched.descriptor.digest)
            #expect(
                fetched.mediaType == (name.hasSuffix("oci") ? MediaType.ociManifest : MediaType.dockerManifest))
            #expect(try client.head(reference) == fetched.descriptor)
            #expect(try client.resolve(reference.with(digest: fetched.descriptor.digest)) == fetched)
            let manifest = try OCIDocument.read(Manifest.self, from: fetched.bytes, naming: "manifest")
            let config = try client.blobData(manifest.config, in: reference)
            #expect(Int64(config.count) == manifest.config.size)
            for layer in manifest.layers {
                var hasher = DigestHasher()
                try client.blob(layer, in: reference) { hasher.update($0) }
                #expect(hasher.digest() == layer.digest)
                let half = layer.size / 2
                var tail: Int64 = 0
                try client.blob(layer, in: reference, offset: half) { tail += Int64($0.count) }
                #expect(tail == layer.size - half)
            }
        }
        let ubuntu = try Reference(parsing: "\(registry.server.host)/library/ubuntu")
        #expect(try client.tags(ubuntu).sorted() == ["18.04", "22.04"])
        #expect(try client.catalog(registry.server.host).sorted() == ["library/ubuntu", "team/app"])
    }

    @Test func saysWhatIsMissingInDockersWords() throws {
        let registry = try FilledRegistry(names: ["library/ubuntu:22.04"])
        let client = plainClient()
        let host = registry.server.host
        let missing = try Reference(parsing: "\(host)/library/ubuntu:22.40")
        let error = #expect(throws: ShaleError.self) { try client.resolve(missing) }
        #expect(
            error?.description
                == "manifest for \(host)/library/ubuntu:22.40 not found: manifest unknown: manifest unknown")
        #expect(error?.code == .notFound)
        #expect(try client.suggestions(for: missing).best() == ["22.04"])
        let unknown = try Reference(parsing: "\(host)/no/such")
        let second = #expect(throws: ShaleError.self) { try client.tags(unknown) }
        #expect(
            second?.description
                == "repository \(host)/no/such not found: name unknown: repository name not known to registry")
    }

    @Test func aMirrorServesDockerHub() throws {
        let registry = try FilledRegistry(names: ["library/ubuntu:22.04"])
        let client = plainClient {
            $0.mirrors = ["docker.io": registry.server.url]
            $0.offline = true
        }
        let fetched = try client.resolve(Reference(parsing: "ubuntu:22.04"))
        #expect(fetched.isFromMirror)
        let error = #expect(throws: ShaleError.self) { try client.resolve(Reference(parsing: "ubuntu:nosuch")) }
        #expect(error?.description == "manifest for ubuntu:nosuch not found: manifest unknown: manifest unknown")
        let offline = #expect(throws: ShaleError.self) { try client.resolve(Reference(parsing: "quay.io/a/b")) }
        #expect(offline?.description == "offline: quay.io/a/b is not fetched: https://quay.io is not asked")
    }
}
