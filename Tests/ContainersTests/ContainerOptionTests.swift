import Basics
import Linux
import OCI
import RunnerProtocol
import Stores
import TestSupport
import Testing

@testable import Containers

@Suite("options of run and create")
struct ContainerOptionTests {
    // MARK: Docker's own tables

    @Test("docker's option tables", .enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
    func corpus() throws {
        var passed = 0
        var total = 0
        for row in try Corpus.rows("docker-cli/option-cases.json") {
            guard let group = row["group"]?.string, let problem = Self.check(row["case"] ?? .null, group) else {
                continue
            }
            total += 1
            if problem.isEmpty {
                passed += 1
            } else {
                Issue.record("\(row["id"]?.string ?? ""): \(problem)")
            }
        }
        Corpus.score("docker-cli/option-cases (containers)", passed, of: total)
        #expect(passed == total && total > 50)
    }

    /// Empty for a row that is as it should be, the difference otherwise, `nil` for a row of other options.
    private static func check(_ row: JSONValue, _ group: String) -> String? {
        let input = row["value"]?.string ?? row["input"]?.string ?? row["in"]?.string ?? row.string ?? ""
        let wanted = row["expErr"]?.string ?? row["expectedErr"]?.string
        switch group {
        case "-e values":
            guard let expected = row["expected"]?.string else { return nil }
            return compare(expected) { () throws(ShaleError) in
                try EnvironmentOption.variable(input) { $0 == "PATH" ? "/bin" : nil }
            }
        case "--add-host":
            if let wanted { return fails(wanted) { () throws(ShaleError) in _ = try ExtraHost.parse(input) } }
            return compare(row["expectedOut"]?.string ?? input) { () throws(ShaleError) in try ExtraHost.parse(input) }
        case "--device valid":
            return succeeds { () throws(ShaleError) in _ = try DeviceOption(parsing: input) }
        case "--device invalid":
            return fails(row["expect"]?.string ?? "") { () throws(ShaleError) in _ = try DeviceOption(parsing: input) }
        case "--mount errors":
            return fails(wanted ?? "") { () throws(ShaleError) in
                _ = try MountRequest(mount: input, hostDirectory: "/")
            }
        case "--mount readonly", "--mount volume-nocopy":
            let text = "type=\(group.hasSuffix("nocopy") ? "volume" : "bind"),target=/foo,source=/tmp"
            let whole =
                (group.hasSuffix("nocopy") ? text.replacing("source=/tmp", with: "source=vol") : text)
                + (input.isEmpty ? "" : ",\(input)")
            let parse = { () throws(ShaleError) in try MountRequest(mount: whole, hostDirectory: "/") }
            if let wanted { return fails(wanted) { () throws(ShaleError) in _ = try parse() } }
            guard let request = try? parse() else { return "cannot be read" }
            let value = group.hasSuffix("nocopy") ? !request.copiesImage : request.readOnly
            return value == row["exp"]?.bool ? "" : "\(value)"
        case "label":
            let parse = { () throws(ShaleError) in _ = try EnvironmentOption.labels(files: [], values: [input]) }
            return wanted.map { fails($0, parse) } ?? succeeds(parse)
        case "capability names":
            guard let out = row["out"]?.string else { return nil }
            return CapabilityOptions.fullName(input) == out ? "" : CapabilityOptions.fullName(input)
        case "cp argument container:path":
            guard row["os"]?.string != "windows", let path = row["path"]?.string else { return nil }
            let expected: CopyOperand =
                row["expectedContainer"]?.string.map { .inside(name: $0, path: row["expectedPath"]?.string ?? "") }
                ?? .host(row["expectedPath"]?.string ?? "")
            return CopyOperand(parsing: path) == expected ? "" : "\(CopyOperand(parsing: path))"
        default: return nil
        }
    }

    private static func compare(_ expected: String, _ body: () throws(ShaleError) -> String) -> String {
        do throws(ShaleError) {
            let value = try body()
            // The corpus writes what Go would have computed where the host's environment comes in.
            return value == expected || expected.isEmpty ? "" : "\(value) instead of \(expected)"
        } catch {
            return "\(error)"
        }
    }

    private static func succeeds(_ body: () throws(ShaleError) -> Void) -> String {
        do throws(ShaleError) {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    private static func fails(_ words: String, _ body: () throws(ShaleError) -> Void) -> String {
        do throws(ShaleError) {
            try body()
            return "no error: \(words)"
        } catch {
            return error.description.contains(words) ? "" : "\(error) instead of \(words)"
        }
    }

    // MARK: Our own

    @Test(
        "volumes",
        arguments: [
            ("/data", "volume||/data|false"), ("/a:/b", "bind|/a|/b|false"), ("/a:/b:ro", "bind|/a|/b|true"),
            ("name:/b", "volume|name|/b|false"), ("./x:/b:ro,z", "bind|/host/x|/b|true"),
            ("/a:/b/../c/", "bind|/a|/c|false"),
            ("/:/", "invalid volume specification: '/:/'"), ("/a:/b:xx", "invalid mode: xx"),
            ("x::bad", "invalid mode: bad"), ("/a:ro", "invalid volume specification: '/a:ro'"),
            ("/tmp:relative", "mount path must be absolute"), ("rel/path:/b", "includes invalid characters"),
            ("/a:/b:rshared", "not supported"), ("", "invalid volume specification: ''"),
        ])
    func volumes(text: String, expected: String) {
        do throws(ShaleError) {
            let request = try MountRequest(volume: text, hostDirectory: "/host")
            let parts = [request.kind.rawValue, request.source, request.destination, "\(request.readOnly)"]
            #expect(parts.joined(separator: "|") == expected)
        } catch {
            #expect(error.description.contains(expected), "\(error)")
        }
    }

    @Test(
        "environment files",
        arguments: ["A=1\n# c\n\n  B=two words\r\nPASSED\nGONE", "\u{FEFF}A=1\nB=two words\nPASSED"])
    func environmentFiles(text: String) throws {
        let folder = TemporaryDirectory()
        try WholeFile.replace(folder.path + "/env", with: Array(text.utf8))
        let all = try EnvironmentOption.all(files: [folder.path + "/env"], values: ["C=3", "GONE"]) {
            $0 == "PASSED" ? "yes" : nil
        }
        #expect(all == ["A=1", "B=two words", "PASSED=yes", "C=3", "GONE"])
    }

    @Test(
        "what runs",
        arguments: [
            (nil, [], ["a"], ["b"], ["a", "b"]), (nil, ["c"], ["a"], ["b"], ["a", "c"]),
            ("e", [], ["a"], ["b"], ["e"]), ("e", ["c"], ["a"], ["b"], ["e", "c"]), ("", ["c"], ["a"], ["b"], ["c"]),
            (nil, [], nil, ["b"], ["b"]), ("", [], ["a"], ["b"], nil), (nil, [], nil, nil, nil),
        ] as [(String?, [String], [String]?, [String]?, [String]?)])
    func commands(
        entrypoint: String?, command: [String], imageEntrypoint: [String]?, imageCommand: [String]?, expected: [String]?
    ) {
        var config = ContainerConfig()
        config.entrypoint = imageEntrypoint
        config.cmd = imageCommand
        let made = try? ContainerCommand(image: config, entrypoint: entrypoint, command: command)
        #expect(made?.arguments == expected)
    }

    @Test(
        "capabilities",
        arguments: [
            ([], [], "00000000a80425fb"), (["NET_ADMIN"], [], "00000000a80435fb"), ([], ["MKNOD"], "00000000a00425fb"),
            (["MKNOD"], ["ALL"], "0000000008000000"), (["CHOWN"], ["CHOWN"], "00000000a80425fb"),
        ])
    func capabilities(added: [String], dropped: [String], expected: String) throws {
        let mask = try CapabilityOptions.mask(added: added, dropped: dropped, privileged: false)
        let digits = String(mask.rawValue, radix: 16)
        #expect(String(repeating: "0", count: 16 - digits.count) + digits == expected)
    }

    @Test("what cannot be honoured is refused by name")
    func refusals() {
        func refusal(_ change: (inout RunOptions) -> Void) -> String {
            var options = RunOptions(image: "busybox")
            change(&options)
            do throws(ShaleError) {
                _ = try ContainerPlan(options)
                return "accepted"
            } catch {
                return error.description
            }
        }
        #expect(refusal { $0.network = "nowhere" }.contains("network nowhere not found"))
        #expect(refusal { ($0.network, $0.host.ports) = ("host", ["80/sctp"]) }.contains("-p 80/sctp"))
        #expect(refusal { ($0.network, $0.host.ports) = ("host", ["8080:80"]) } == "accepted")
        #expect(refusal { $0.host.logOptions = ["compress=true"] }.contains("unknown log opt 'compress'"))
        #expect(refusal { $0.health.interval = "soon" }.contains("--health-interval"))
        #expect(refusal { $0.workingDirectory = "rel" }.contains("needs to be an absolute path"))
        #expect(refusal { $0.volumes = ["/a:/x", "/b:/x"] } == "Duplicate mount point: /x")
        #expect(
            refusal { $0.droppedCapabilities = ["CHPASS"] } == "invalid CapDrop: unknown capability: \"CAP_CHPASS\"")
        #expect(refusal { $0.securityOptions = ["nosuch=1"] } == "invalid --security-opt 2: \"nosuch=1\"")
        #expect(refusal { $0.resources.memory = "1k" } == "Minimum memory limit allowed is 6MB")
        #expect(refusal { $0.stopSignal = "NOPE" } == "Invalid signal: NOPE")
    }

    @Test("docker's words for where a container stands")
    func statusWords() throws {
        var state = ContainerState(.running)
        let now = Timestamp(seconds: 1_000_000)
        state.startedAt = Timestamp(seconds: 1_000_000 - 240)
        let id = String(repeating: "a", count: 64)
        let digest = try Digest(parsing: "sha256:\(id)")
        let record = ContainerRecord(
            id: id, name: "n", created: .epoch, image: digest,
            manifest: Descriptor(mediaType: "", digest: digest, size: 0), imageName: "busybox",
            config: ContainerConfig(),
            path: "sh", arguments: [])
        #expect(ContainerView(record: record, state: state).statusWords(now: now) == "Up 4 minutes")
        state.status = .paused
        #expect(ContainerView(record: record, state: state).statusWords(now: now) == "Up 4 minutes (Paused)")
        state.status = .exited
        state.exitCode = 137
        state.finishedAt = Timestamp(seconds: 1_000_000 - 300)
        #expect(ContainerView(record: record, state: state).statusWords(now: now) == "Exited (137) 5 minutes ago")
        #expect(ContainerView(record: record, state: ContainerState(.created)).statusWords(now: now) == "Created")
    }
}
