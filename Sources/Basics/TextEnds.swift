extension Unicode.Scalar {
    /// Whether it separates the words of a line: a space or a tab.
    package var isBlank: Bool { self == " " || self == "\t" }
}

extension StringProtocol {
    /// The text without spaces, tabs and newlines at either end.
    package var trimmingBlanks: String { trimmed { $0.isBlank || $0 == "\n" } }

    /// The text without what Unicode calls white space at either end, as Go's `strings.TrimSpace` has it.
    package var trimmingWhiteSpace: String { trimmed(\.properties.isWhitespace) }

    private func trimmed(_ isOutside: (Unicode.Scalar) -> Bool) -> String {
        var scalars = Substring(self).unicodeScalars
        while let last = scalars.last, isOutside(last) { scalars.removeLast() }
        return String(scalars.drop(while: isOutside))
    }
}

extension String {
    /// The text without spaces, tabs and newlines at its end.
    package var trimmingBlanksAtEnd: String {
        var scalars = unicodeScalars
        while let last = scalars.last, last.isBlank || last == "\n" { scalars.removeLast() }
        return String(scalars)
    }

    /// The text without the newline that ends it, if one does.
    package var droppingFinalNewline: String { hasSuffix("\n") ? String(dropLast()) : self }

    /// The text without any of the newlines that end it.
    package var trimmingFinalNewlines: String {
        var text = self[...]
        while text.hasSuffix("\n") { text.removeLast() }
        return String(text)
    }
}
