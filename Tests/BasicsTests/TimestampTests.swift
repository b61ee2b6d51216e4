import Basics
import Testing

/// Times and numbers at every border: none of them ends the program.
@Suite struct TimestampTests {
    @Test(arguments: [
        (Int64.min, "-292277022657-01-27T08:29:52Z"), (Int64.max, "292277026596-12-04T15:30:07Z"),
        (-1, "1969-12-31T23:59:59Z"), (0, "1970-01-01T00:00:00Z"), (1 << 33, "2242-03-16T12:56:32Z"),
        (-86_400, "1969-12-31T00:00:00Z"), (-86_401, "1969-12-30T23:59:59Z"),
    ])
    func anySecondIsPrinted(seconds: Int64, text: String) {
        #expect(Timestamp(seconds: seconds).description == text)
    }

    @Test(arguments: [
        (Int64.max, Int64.min, Int64.max), (.min, .max, .min), (5, 3, 2), (0, .min, .max), (-1, .max, .min),
    ])
    func agesEndAtTheBorder(now: Int64, earlier: Int64, expected: Int64) {
        let (now, earlier) = (Timestamp(seconds: now), Timestamp(seconds: earlier))
        #expect(now.wholeSeconds(since: earlier) == expected)
        #expect(now.seconds(since: earlier).isFinite)
        #expect((now.wholeNanoseconds(since: earlier) > 0) == (expected > 0))
    }

    @Test func sumsEndAtTheBorder() {
        #expect(Int64.max.addingClamped(1) == .max)
        #expect(Int64.min.addingClamped(-1) == .min)
        #expect(Int64.min.subtractingClamped(1) == .min)
        #expect(Int64(0).subtractingClamped(.min) == .max)
        #expect(Int64.max.inWholeBlocks == .max)
        #expect([0, 1, 512, 513].map { Int64($0).inWholeBlocks } == [0, 512, 512, 1024])
    }
}
