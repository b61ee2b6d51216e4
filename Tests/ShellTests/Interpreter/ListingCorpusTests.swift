import ArgumentParser
import Basics
import OCI
import Rendering
import RunnerProtocol
import TestSupport
import Testing

@testable import Building
@testable import Containers
@testable import Images
@testable import Registries
@testable import Shell
@testable import Stores

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

    @Test func stats() throws {
        let passed = try Self.score(["TestContainerStatsContext"], "stats") { test in
            let given = test["stats"] ?? .null
            let key = test["call"]?.string?.replacing("ctx.", with: "") ?? ""
            // What could not be measured is told as an error here, and Windows is not run on.
            guard given["IsInvalid"]?.bool != true, test["osType"]?.string != "windows" else { return nil }
            let number = { (name: String) -> Int64 in Int64(given[name]?.double ?? 0) }
            let memory = number("Memory")
            var usage = ContainerUsage(
                processor: given["CPUPercentage"]?.double ?? 0, memory: memory, memoryLimit: number("MemoryLimit"),
                read: number("BlockRead"), written: number("BlockWrite"), received: number("NetworkRx"),
                sent: number("NetworkTx"), processes: Int(number("PidsCurrent")))
            if let share = given["MemoryPercentage"]?.double {
                (usage.memory, usage.memoryLimit) = (Int64(share * 10), 1000)
            }
            let name = given["Name"]?.string ?? ""
            let row = Stats.row(
                usage, id: given["ID"]?.string ?? "", name: String(name.drop { $0 == "/" }),
                of: given["Container"]?.string ?? "")
            guard let wanted = test["expValue"]?.string, let found = row[key]?.string else { return nil }
            return (found, wanted)
        }
        #expect(passed == 6)
    }

    @Test func search() throws {
        let passed = try Self.score(["TestSearchContext", "TestSearchContextDescription"], "search") { test in
            let context = test["searchCtx"] ?? .null
            let given = context["s"] ?? .null
            let key = test["call"]?.string?.replacing("ctx.", with: "") ?? ""
            var search = try Search.parse(["x"])
            search.noTrunc = context["trunc"]?.bool != true
            let result = SearchResult(
                name: given["Name"]?.string ?? "",
                description: RegistryClient.line(given["Description"]?.string), stars: given["StarCount"]?.int ?? 0,
                isOfficial: given["IsOfficial"]?.bool ?? false)
            let call = test["expValue"]?["args"]?.array
            let wanted = test["expValue"]?.string ?? call?.first?.string?.ellipsis(call?.last?.int ?? 0) ?? ""
            return (search.row(result, isJSON: false)[key]?.string ?? "", wanted)
        }
        #expect(passed == 5)
    }

    @Test func volumes() throws {
        let made = Timestamp(seconds: 0)
        let passed = try Self.score(["TestVolumeContext"], "volume") { test in
            let given = test["volumeCtx"]?["v"] ?? .null
            let key = test["call"]?.string?.replacing("ctx.", with: "") ?? ""
            // There is one driver.
            guard key != "Driver" else { return nil }
            let volume = Volume(
                name: given["Name"]?.string ?? "", data: given["Mountpoint"]?.string ?? "", created: made, labels: [:],
                users: [])
            let found = VolumeLs.listing([volume]).rows[0][key]?.string ?? ""
            return (found, test["expValue"]?.string ?? "")
        }
        #expect(passed == 3)
        let rows = try Corpus.rows("docker-cli/formatter-cases.json").filter {
            $0["test"]?.string == "TestVolumeContextWrite"
        }
        for row in rows {
            let test = row["case"] ?? .null
            let format = test["context"]?["Format"]
            let words = format?["args"]?.array
            guard let text = words?.first?.string ?? format?.string, let wanted = test["expected"]?.string else {
                continue
            }
            var listing = VolumeLs.listing([])
            listing.rows = (row["data"]?.array ?? []).map { volume in
                .members([
                    "Name": .string(volume["Name"]?.string ?? ""), "Driver": .string(volume["Driver"]?.string ?? ""),
                ])
            }
            let found: String
            do throws(ShaleError) {
                found = try listing.text(format: Listing.Format(text), quiet: words?.last?.bool ?? false)
            } catch {
                found = error.description
            }
            #expect(found == wanted, "\(row["id"]?.string ?? "")")
        }
    }

    @Test func diskUsage() throws {
        let rows = ["Images", "Containers", "Local Volumes", "Build Cache"].map { Df.row($0, 0, 0, 0, 0) }
        let report = DiskUsageReport(DiskUsage(), [], RetainedCost()) { record, _ in (1, record.made) }
        for row in try Corpus.rows("docker-cli/formatter-cases.json")
        where row["test"]?.string == "TestDiskUsageContextFormatWrite" {
            let test = row["case"] ?? .null
            let words = test["context"]?["Context"]?["Format"]?["args"]?.array
            guard let format = words?.first?.string else { continue }
            let golden = test["expected"]?["args"]?.array?.last?.string
            let file = try golden.map { try Corpus.text("docker-cli/golden/formatter/\($0)") }
            let wanted = test["expected"]?.string ?? file ?? ""
            let found: String
            if words?.last?.bool == true {
                found =
                    format == "table"
                    ? report.text
                    : String(try DocumentText.text(of: [report.document], template: format).dropLast())
            } else {
                found = try Df.listing(rows).text(format: Listing.Format(format))
            }
            #expect(found == wanted, "\(row["id"]?.string ?? "")")
        }
    }
}
