import Basics
import Runtime
import TestSupport
import Testing

@testable import Containers

@Suite("ports of containers") struct ContainerPortTests {
    @Test(
        "PORTS of ps",
        arguments: [
            ([], ""),
            ([("", 0, 443, "tcp"), ("0.0.0.0", 8080, 80, "tcp")], "443/tcp, 0.0.0.0:8080->80/tcp"),
            (
                [("", 0, 100, "tcp"), ("", 0, 101, "tcp"), ("", 0, 102, "tcp"), ("", 0, 104, "tcp")],
                "100-102/tcp, 104/tcp"
            ),
            ([("1.2.3.4", 81, 81, "udp"), ("1.2.3.4", 80, 80, "udp")], "1.2.3.4:80-81->80-81/udp"),
            (
                [("10.0.0.2", 8080, 80, "tcp"), ("9.0.0.1", 8081, 80, "tcp")],
                "9.0.0.1:8081->80/tcp, 10.0.0.2:8080->80/tcp"
            ),
        ] as [([(String, Int, Int, String)], String)])
    func summaries(ports: [(String, Int, Int, String)], text: String) {
        let ports = ports.map { ContainerPort(address: $0.0, hostPort: $0.1, containerPort: $0.2, proto: $0.3) }
        #expect(ContainerPort.summary(ports) == text)
    }

    @Test("docker's own table of PORTS", .enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
    func corpus() throws {
        var passed = 0
        var total = 0
        for row in try Corpus.rows("docker-cli/formatter-cases.json")
        where row["test"]?.string == "TestDisplayablePorts" {
            guard let entries = row["case"]?["ports"]?.array, let wanted = row["case"]?["expected"]?.string else {
                continue
            }
            let ports = entries.map { entry in
                ContainerPort(
                    address: entry["IP"]?["args"]?.array?.first?.string ?? "", hostPort: entry["PublicPort"]?.int ?? 0,
                    containerPort: entry["PrivatePort"]?.int ?? 0, proto: entry["Type"]?.string ?? "")
            }
            total += 1
            if ContainerPort.summary(ports) == wanted {
                passed += 1
            } else {
                Issue.record("\(row["id"]?.string ?? ""): \(ContainerPort.summary(ports)) instead of \(wanted)")
            }
        }
        Corpus.score("docker-cli/formatter-cases (ports)", passed, of: total)
        #expect(passed == total && total >= 15)
    }

    @Test(
        "-p",
        arguments: [
            ("80", ["80/tcp 0.0.0.0 -"]), ("8080:80", ["80/tcp 0.0.0.0 8080-8080"]),
            ("127.0.0.1:8080:80/udp", ["80/udp 127.0.0.1 8080-8080"]), ("127.0.0.1::80", ["80/tcp 127.0.0.1 -"]),
            ("8000-8001:80-81", ["80/tcp 0.0.0.0 8000-8000", "81/tcp 0.0.0.0 8001-8001"]),
            ("8000-8009:80", ["80/tcp 0.0.0.0 8000-8009"]), ("0:80", ["80/tcp 0.0.0.0 -"]),
            ("published=8080,target=80,protocol=udp,mode=ingress", ["80/udp 0.0.0.0 8080-8080"]),
            ("target=80", ["80/tcp 0.0.0.0 -"]),
        ] as [(String, [String])])
    func published(text: String, wanted: [String]) throws {
        let found = try PublishedPort.parse(text).map { port in
            let host = port.hostPorts.map { "\($0.lowerBound)-\($0.upperBound)" } ?? "-"
            return "\(port.containerPort)/\(port.proto) \(port.hostAddress) \(host)"
        }
        #expect(found == wanted)
    }

    @Test(
        "-p, refused",
        arguments: [
            "", "x", "80/sctp", "[::1]:80:80", "8000-8001:80-82", "70000:80", "1.2.3:80:80", "0", "80/x", "published=1",
            "target=80,foo=1", "8080:", "80:x", "9-8:7",
        ])
    func refused(text: String) { #expect(throws: ShaleError.self) { try PublishedPort.parse(text) } }

    @Test("when a log is begun anew")
    func logOptions() throws {
        #expect(try LogFileOptions([]).rotation.size == 20_000_000)
        #expect(try LogFileOptions(["max-size=10m", "max-file=3"]).rotation.size == 10_000_000)
        #expect(try LogFileOptions(["max-size=1k", "max-file=3"]).rotation.files == 3)
        #expect(try LogFileOptions(["max-size=-1"]).rotation.size == 0)
        for bad in ["max-size=0", "max-size=x", "max-file=0", "max-file=", "compress=true", "=", ""] {
            #expect(throws: ShaleError.self) { try LogFileOptions([bad]) }
        }
    }
}
