import Basics
import OCI
import Stores

/// `@` and `@~N` among a command's words: the working image's id, so that every command takes them.
enum WorkingImageNames {
    /// The words behind the verb; where a container's own words follow the image, only the image is one.
    static func resolved(_ arguments: [String], _ shell: ShellContext) throws(ShaleError) -> [String] {
        guard let verb = arguments.first else { return [] }
        var words = Array(arguments.dropFirst())
        // It tells a working image from any other, to name its base as it was typed.
        if verb == "recipe" { return words }
        let takesOne = CommandTable.keepsUnknownVariables(verb)
        for (index, word) in words.enumerated() where isName(word) {
            words[index] = try RecipeSubject(shell).image(word).id.hex
            if takesOne { break }
        }
        return words
    }

    private static func isName(_ word: String) -> Bool {
        word == "@" || (word.hasPrefix("@~") && word.count > 2 && word.dropFirst(2).allSatisfy(\.isNumber))
    }
}
