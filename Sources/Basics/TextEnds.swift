extension Unicode.Scalar {
    /// Whether it separates the words of a line: a space or a tab.
    package var isBlank: Bool { self == " " || self == "\t" }
}

extension String {
    /// The text without spaces, tabs and newlines at either end.
    package var trimmingBlanks: String {
        String(trimmingBlanksAtEnd.unicodeScalars.drop { $0.isBlank || $0 == "\n" })
    }

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
