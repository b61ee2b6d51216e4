// Sums and differences of numbers that come from files, servers and people: what does not fit ends at the border of the
// type instead of ending the program.
extension Int64 {
    /// The sum, or the nearest number that there is.
    package func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the nearest number that there is.
    package func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    /// The size in whole blocks of 512 bytes, as tar and `du` count it.
    package var inWholeBlocks: Int64 { self > .max - 511 ? .max : (self + 511) / 512 * 512 }
}
