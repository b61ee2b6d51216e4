import Basics
import FoundationEssentials
import Glibc
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Registries

@Suite(.enabled(if: RegistryServer.isPresent && Peers.openssl.isPresent, "needs docker-registry and openssl"))
struct ConcurrencyTests {
    /// Many threads, one client: connections are kept apart, names and TLS sessions shared.
    @Test(arguments: [false, true]) func threadsShareAClient(tls: Bool) throws {
        let folder = TemporaryDirectory()
        if tls { try TestCertificate.make(in: folder.path, name: "localhost") }
        let server = try RegistryServer(
            tls: tls ? (certificate: folder.path + "/cert.pem", key: folder.path + "/key.pem") : nil)
        let host = "localhost:\(server.port)"
        let client = plainClient {
            $0.insecure = [host]
            $0.stallTimeout = 20
        }
        let name = try Reference(parsing: "\(host)/a/b:1")
        let contents = (0..<4).map { number in (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* (number + 3)) } }
        let blobs = contents.map {
            Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of($0), size: Int64($0.count))
        }
        for (bytes, blob) in zip(contents, blobs) { try client.upload(bytes, blob, to: name) }

        let threads = 8
        let outcome = Outcome()
        for thread in 0..<threads {
            PosixThread.start {
                for round in 0..<12 {
                    let index = (thread + round) % blobs.count
                    if (try? client.blobData(blobs[index], in: name)) == Data(contents[index]) {
                        outcome.good.wrappingAdd(1, ordering: .relaxed)
                    }
                }
                outcome.done.wrappingAdd(1, ordering: .releasing)
            }
        }
        while outcome.done.load(ordering: .acquiring) < threads { usleep(5000) }
        #expect(outcome.good.load(ordering: .relaxed) == threads * 12)
    }

    private final class Outcome: Sendable {
        let done = Atomic<Int>(0)
        let good = Atomic<Int>(0)
    }
}
