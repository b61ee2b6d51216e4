extension UInt8 {
    /// Whether it is one of `0-9`, `A-Z` and `a-z`.
    package var isASCIIAlphanumeric: Bool {
        (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self)
    }
}
