import ArgumentParser
import Basics
import OCI
import Rendering
import RunnerProtocol
import Stores
import TestSupport
import Testing

@testable import Containers
@testable import Images
@testable import Shell

/// Docker's own tables of the fields of its listings, against the rows of the commands here.
@Suite("fields of listings", .enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
struct ListingCorpusTests {
    private static let now = Timestamp(seconds: 1_700_000_000)
    private static let id = String(repeating: "ab", count: 32)

    private static func score(
        _ tests: Set<String>, _ name: String, _ value: (JSONValue) throws -> (String, String)?
    ) throws -> Int {
        var (passed, total) = (0, 0)
        for row in try Corpus.rows("docker-cli/formatter-cases.json") where tests.contains(row["test"]?.string ?? "") {
            guard let (found, wanted) = try value(row["case"] ?? .null) else { continue }
            total += 1
            passed += found == wanted ? 1 : 0
            #expect(found == wanted, "\(row["id"]?.string ?? "")")
        }
        Corpus.score("docker-cli/formatter-cases (\(name))", passed, of: total)
        return passed
    }

    @Test func ps() throws {
        let passed = try Self.score(["TestContainerPsContext", "TestContainerBackCompat"], "ps") { test in
            let isOld = test["field"] != nil
            let given = test["container"] ?? .null
            let image = isOld ? "docker.io/library/ubuntu" : given["Image"]?.string ?? "x"
            let hex = given["ImageID"]?.string ?? Self.id
            let digest = try Digest(parsing: "sha256:\(hex)")
            var config = ContainerConfig()
            config.labels =
                isOld ? ["label1": "value1", "label2": "value2"] : given["Labels"]?.object?.compactMapValues(\.string)
            var record = ContainerRecord(
                id: Self.id, name: "foobar_baz",
                created: Timestamp(seconds: Self.now.seconds - (isOld ? 365 * 86_400 : 65)),
                image: digest, manifest: Descriptor(mediaType: "", digest: digest, size: 0), imageName: image,
                config: config, path: "/bin/sh", arguments: [])
            record.host.mounts = (given["Mounts"]?.array ?? []).map { mount in
                MountRecord(
                    type: mount["Name"] == nil ? "bind" : "volume", source: mount["Source"]?.string ?? "",
                    destination: "/d",
                    readOnly: false, name: mount["Name"]?.string)
            }
            var summary = ContainerSummary(
                view: ContainerView(record: record, state: ContainerState(.running)), imageName: image,
                command: "/bin/sh", ports: "")
            if let own = given["SizeRw"]?.int {
                summary.size = (Int64(own), Int64(given["SizeRootFs"]?.int ?? 0))
            }
            let key = test["field"]?.string ?? test["call"]?.string?.replacing("ctx.", with: "") ?? ""
            // What the runner writes down, and Go's own formatting, are no matter of a row.
            guard !["Status", "State", "CreatedAt"].contains(key) else { return nil }
            var command = try Ps.parse([])
            command.noTrunc = isOld || test["trunc"]?.bool != true
            let found = command.row(of: summary, now: Self.now)[key]?.string ?? ""
            let wanted = test["expValue"]?.string ?? test["expected"]?.string
            return (found, wanted ?? (key == "ID" ? String(Self.id.prefix(12)) : ""))
        }
        #expect(passed == 23)
    }

    @Test func history() throws {
        let tests = ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"].map { "TestHistoryContext_\($0)" }
        let passed = try Self.score(Set(tests), "history") { test in
            let context = test["historyCtx"] ?? .null
            let given = context["h"] ?? .null
            let key = test["call"]?.string?.replacing("ctx.", with: "") ?? ""
            // Moments are Go expressions in the table.
            guard let wanted = test["expValue"]?.string, key != "CreatedSince" else { return nil }
            var table = ImageHistory()
            table.isHuman = context["human"]?.bool ?? true
            table.noTrunc = context["trunc"]?.bool != true
            let step = History(
                created: Self.now, createdBy: given["CreatedBy"]?.string, comment: given["Comment"]?.string)
            let row = HistoryRow(step, size: Int64(given["Size"]?.int ?? 0))
            return (table.listing([row], now: Self.now).rows[0][key]?.string ?? "", wanted)
        }
        #expect(passed >= 2)
    }
}
