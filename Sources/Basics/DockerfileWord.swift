/// Words as they are put down in a Dockerfile.
package enum DockerfileWord {
    /// The word that stands for exactly this text: nothing in it is a variable, a quote, a blank or a flag.
    ///
    /// A line break has no spelling in a Dockerfile: it stays one, which only a text that is one instruction can hold.
    package static func quoted(_ text: String, escape: Unicode.Scalar = "\\") -> String {
        // In front, two dashes would be taken for a flag.
        if !text.isEmpty, text.unicodeScalars.allSatisfy(isPlain), !text.hasPrefix("--") { return text }
        var quoted: String.UnicodeScalarView = "\"".unicodeScalars
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "$" || scalar == escape { quoted.append(escape) }
            quoted.append(scalar)
        }
        return String(quoted) + "\""
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII else { return scalar.properties.isAlphabetic }
        return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
            || "_-./:,@%+~".unicodeScalars.contains(scalar)
    }
}
