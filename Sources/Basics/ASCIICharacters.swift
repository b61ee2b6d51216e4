extension UInt8 {
    /// Whether it is one of `0-9` and `a-f`.
    package var isLowercaseHexDigit: Bool { (48...57).contains(self) || (97...102).contains(self) }

    /// Whether it is one of `0-9`, `A-Z` and `a-z`.
    package var isASCIIAlphanumeric: Bool {
        (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self)
    }
}

extension StringProtocol {
    /// Whether all its characters are of `0-9` and `a-f`; also true for an empty text.
    package var hasOnlyLowercaseHexDigits: Bool { utf8.allSatisfy(\.isLowercaseHexDigit) }
}
