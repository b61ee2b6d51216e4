import TestSupport
import Testing

@testable import LineEditing

/// Random texts made of what the grammar knows: nothing may trap.
struct HistoryFuzzTests {
    @Test
    func historyFiles() {
        let pieces = ["_HiStOrY_V2_", "\n", "\\", "\\04", "\\040", "\\777", "a", "\u{0}", "é", "\\\\"]
        for seed in 0..<5_000 { _ = HistoryFile.decode(Array(RandomText.of(pieces, seed: UInt64(seed)).utf8)) }
    }
}
