import Basics
import TestSupport
import Testing

struct HumanUnitsTests {
    @Test(arguments: [
        (0, "0B"), (1, "1B"), (999, "999B"), (1000, "1kB"), (54_780, "54.8kB"), (5_570_000, "5.57MB"),
        (999_950, "1MB"), (Int64.max, "9.22EB"), (Int64.min, "-9.22EB"),
    ])
    func size(bytes: Int64, text: String) {
        #expect(HumanUnits.size(bytes) == text)
    }

    @Test(arguments: [
        (-5.0, "Less than a second"), (0.4, "Less than a second"), (59.9, "59 seconds"), (60, "About a minute"),
        (3600, "About an hour"), (1e300, "317097919 years"), (.nan, "Less than a second"),
    ])
    func duration(seconds: Double, text: String) {
        #expect(HumanUnits.duration(seconds: seconds) == text)
    }

    @Test(
        "a size in both bases",
        arguments: [
            ("1.5g", 1_610_612_736, 1_500_000_000), ("64m", 67_108_864, 64_000_000), ("0", 0, 0),
            ("1 KiB", 1024, 1000), ("512", 512, 512), ("1.5GiB", 3 << 29, 1_500_000_000), ("1K", 1024, 1000),
            ("2 kb", 2048, 2000), (".3 MB", 314_572, 300_000), ("7b", 7, 7), ("1t", 1 << 40, 1_000_000_000_000),
        ] as [(String, Int64, Int64)])
    func sizes(text: String, binary: Int64, decimal: Int64) throws {
        #expect(try ByteSize.bytes(text, .binary) == binary)
        #expect(try ByteSize.bytes(text, .decimal) == decimal)
    }

    @Test(arguments: [
        "", " ", "-1", "1e9", "9999999999999p", "9999999999g", "12 mm", "1..2k", "k", "ib", "abc", "1x", "inf", "0x1p3",
    ])
    func malformed(text: String) {
        #expect(throws: ShaleError.self) { try ByteSize.bytes(text, .binary) }
        #expect(throws: ShaleError.self) { try ByteSize.bytes(text, .decimal) }
    }

    /// Rows where this code differs on purpose: the unit goes up where Go prints an exponent, and sizes are 64 bits.
    static let known: Set<String> = [
        "HumanSize(float64(10000000000000*PB))", "rec:HumanSizeWithPrecision3(999500)",
        "rec:HumanSizeWithPrecision3(999999)",
    ]

    @Test(.enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
    func corpus() throws {
        var passed = 0
        var failures: [String] = []
        let rows = try Corpus.rows("docker-cli/units.json").filter { $0["fn"]?.string != "ParseUlimit" }
        for row in rows {
            let id = row["id"]?.string ?? ""
            if Self.known.contains(id) || matches(row) { passed += 1 } else { failures.append(id) }
        }
        Corpus.score("units", passed, of: rows.count)
        #expect(failures.isEmpty)
    }

    private func matches(_ row: JSONValue) -> Bool {
        let input = row["input"]?.string ?? ""
        switch row["fn"]?.string {
        case "HumanSize": return row["expect"]?.string == number(row, "value").map { HumanUnits.preciseSize(Int64($0)) }
        case "HumanSizeWithPrecision3":
            return row["expect"]?.string == number(row, "value").map { HumanUnits.size(Int64($0)) }
        case "BytesSize": return row["expect"]?.string == number(row, "value").map { HumanUnits.binarySize(Int64($0)) }
        case "HumanDuration":
            return row["expect"]?.string == number(row, "seconds").map { HumanUnits.duration(seconds: $0) }
        case "FromHumanSize":
            return number(row, "expect") == (try? ByteSize.bytes(input, .decimal)).map(Double.init)
        case "RAMInBytes":
            return number(row, "expect") == (try? ByteSize.bytes(input, .binary)).map(Double.init)
        default: return false
        }
    }

    private func number(_ row: JSONValue, _ key: String) -> Double? {
        if case .number(let value)? = row[key] { value } else { nil }
    }
}
