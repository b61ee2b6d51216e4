import Basics
import Testing

struct DurationTests {
    @Test(arguments: [
        ("1m30s", Int64(90_000_000_000), "1m30s"), ("300ms", 300_000_000, "300ms"),
        ("1.5h", 5_400_000_000_000, "1h30m0s"),
        ("0", 0, "0s"), ("1500us", 1_500_000, "1.5ms"), ("90s", 90_000_000_000, "1m30s"),
        ("-1s", -1_000_000_000, "-1s"), ("5s", 5_000_000_000, "5s"), ("1h", 3_600_000_000_000, "1h0m0s"),
        ("250ms", 250_000_000, "250ms"), ("1us", 1000, "1\u{B5}s"), ("7ns", 7, "7ns"), ("1.5s", 1_500_000_000, "1.5s"),
        ("+5m", 300_000_000_000, "5m0s"), (".5s", 500_000_000, "500ms"),
        ("3.s", 3_000_000_000, "3s"), ("1\u{B5}s", 1000, "1µs"), ("1\u{3BC}s", 1000, "1µs"),
        ("1h1h", 7_200_000_000_000, "2h0m0s"), ("9223372036854775807ns", .max, "2562047h47m16.854775807s"),
        ("-9223372036854775808ns", .min, "-2562047h47m16.854775808s"),
        ("0.100000000000000000000h", 360_000_000_000, "6m0s"),
    ])
    func roundTrip(_ text: String, _ nanoseconds: Int64, _ printed: String) throws {
        #expect(try GoDuration.nanoseconds(text) == nanoseconds)
        #expect(GoDuration.text(nanoseconds) == printed)
    }

    @Test(arguments: [
        ("", "time: invalid duration \"\""), ("s", "time: invalid duration \"s\""),
        ("1", "time: missing unit in duration \"1\""), ("1x", "time: unknown unit \"x\" in duration \"1x\""),
        (".s", "time: invalid duration \".s\""), ("1e9s", "time: unknown unit \"e\" in duration \"1e9s\""),
        ("99999999999h", "time: invalid duration \"99999999999h\""), ("--1s", "time: invalid duration \"--1s\""),
        ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
        ("99999999999999999999999s", "time: invalid duration \"99999999999999999999999s\""),
        ("1d", "time: unknown unit \"d\" in duration \"1d\""), ("1.2.3s", "time: missing unit in duration \"1.2.3s\""),
    ])
    func refused(_ text: String, _ words: String) {
        #expect(throws: GoDuration.Malformed(words: words)) { try GoDuration.nanoseconds(text) }
    }
}

@Suite("moments as people type them") struct TypedTimeTests {
    static let now = Timestamp(seconds: 1_000_000_000, nanoseconds: 250_000_000)

    @Test(
        "ages, dates with a zone, and seconds",
        arguments: [
            ("10m", 999_999_400, 250_000_000), ("1h30m", 999_994_600, 250_000_000),
            ("1.5h", 999_994_600, 250_000_000), ("7d", 999_395_200, 250_000_000),
            ("1w", 999_395_200, 250_000_000), ("1w1d12h", 999_265_600, 250_000_000),
            ("500ms", 999_999_999, 750_000_000), ("-1s", 1_000_000_001, 250_000_000),
            ("-900ms", 1_000_000_001, 150_000_000), ("0s", 1_000_000_000, 250_000_000),
            ("1700000000", 1_700_000_000, 0), ("1700000000.25", 1_700_000_000, 250_000_000),
            ("1700000000.0000000019", 1_700_000_000, 1), ("0", 0, 0), ("+5", 5, 0),
            ("2001-09-09T01:46:40Z", 1_000_000_000, 0), ("2001-09-09T03:46:40.5+02:00", 1_000_000_000, 500_000_000),
            ("2001-09-08T20:16:40-05:30", 1_000_000_000, 0), ("2001-09-09T01Z", 999_997_200, 0),
            ("2001-09-09T01:46+01:00", 999_996_360, 0), ("2001-09-09Z", 999_993_600, 0),
            ("2001-09-09+01:00", 999_990_000, 0), ("2001-09-09 01:46:40z", 1_000_000_000, 0),
        ] as [(String, Int64, Int32)])
    func moments(text: String, seconds: Int64, nanoseconds: Int32) throws {
        let moment = try Timestamp(typed: text, now: Self.now)
        #expect(moment == Timestamp(seconds: seconds, nanoseconds: nanoseconds), "\(moment)")
    }

    @Test(
        "a date without a zone is the typing person's",
        arguments: [
            "2001-09-09", "2001-09-09T00", "2001-09-09T00:00", "2001-09-09T00:00:00", "2001-09-09 00:00:00.000",
        ])
    func local(text: String) throws {
        // What this process's zone is, is not known here: a whole number of quarters away from Greenwich, and the same.
        let moment = try Timestamp(typed: text)
        #expect(moment == Timestamp(typedDate: "2001-09-09"))
        #expect((moment.seconds - 999_993_600) % 900 == 0 && abs(moment.seconds - 999_993_600) <= 15 * 3600)
    }

    @Test(
        "what is no moment",
        arguments: [
            "soon", "", "5x", "1h30", "-5", "5.", ".5", "5.x", "2001-02-30", "2001-13-01", "2001-09-09T24:00:00Z",
            "2001-09-09T", "2001-09-09T01:60", "2001-09-09T01:02:60Z", "2001-09-09x", "2001-9-9",
            "99999999999999999999",
            "9999999999h", "1 h",
        ])
    func refused(text: String) {
        let words = "failed to parse value as time or duration: \(goQuoted(text))"
        #expect { try Timestamp(typed: text, now: Self.now) } throws: { ($0 as? ShaleError)?.message == words }
    }

    @Test(
        "ages end at the border",
        arguments: [(Int64.min, "1h", Int64.min), (.max, "-1h", .max), (0, "2562047h", -9_223_369_200)])
    func border(now: Int64, age: String, seconds: Int64) throws {
        #expect(try Timestamp(typed: age, now: Timestamp(seconds: now)).seconds == seconds)
    }
}
