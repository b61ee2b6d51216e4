import Basics
import Images
import OCI
import Recipes
import Sessions
import ShellLanguage
import Stores

/// The words of a command that only a session can resolve.
///
/// The working image `@`, `@~N` that many steps earlier, and `NAME@{N}`, what a name led to that many changes ago.
/// Every command takes them.
enum WorkingImageNames {
    /// A word that names an image so, and what follows it: `#N`, `:/path`, or nothing.
    struct Word: Equatable {
        enum Subject: Equatable {
            case working(stepsBack: Int)
            case former(name: String, changesBack: Int)
        }

        var subject: Subject
        var rest: String

        init?(_ text: String) {
            guard let at = text.firstIndex(of: "@") else { return nil }
            let tail = text[text.index(after: at)...]
            if tail.hasPrefix("{"), at != text.startIndex {
                guard let close = tail.firstIndex(of: "}"),
                    let number = Self.number(tail[tail.index(after: tail.startIndex)..<close])
                else { return nil }
                subject = .former(name: String(text[..<at]), changesBack: number)
                rest = String(tail[tail.index(after: close)...])
            } else if at == text.startIndex {
                var tail = tail
                var steps = 0
                if tail.hasPrefix("~") {
                    let digits = tail.dropFirst().prefix { $0.isASCII && $0.isNumber }
                    guard let number = Self.number(digits) else { return nil }
                    steps = number
                    tail = tail.dropFirst(1 + digits.count)
                }
                subject = .working(stepsBack: steps)
                rest = String(tail)
            } else {
                return nil
            }
            guard rest.isEmpty || rest.hasPrefix("#") || rest.hasPrefix(":/") else { return nil }
        }

        private static func number(_ text: Substring) -> Int? {
            text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
        }
    }

    /// The words behind the verb; where a container's own words follow the image, only the image is one.
    static func resolved(_ arguments: [String], _ shell: ShellContext) throws(ShaleError) -> [String] {
        guard let verb = arguments.first else { return [] }
        var words = Array(arguments.dropFirst())
        // These verbs treat the working image in another way than an image id: they name its base as it was typed, or
        // enter it.
        let type = CommandTable.shared.find(verb)
        if type?.takesWorkingImageAsTyped ?? false { return words }
        let takesOne = type?.holdsContainerCommand ?? false
        let takesPlaces = type?.takesWorkingPlaces ?? false
        for (index, text) in words.enumerated() {
            guard let word = Word(text) else { continue }
            // Places in the working image are shown as they were typed.
            if case .working = word.subject, !word.rest.isEmpty, !takesPlaces { continue }
            words[index] = try image(word.subject, shell).hex + word.rest
            if takesOne { break }
        }
        return words
    }

    /// The image a word names, if it is such a word and nothing follows; a retained image may be used from now on.
    static func image(_ text: String, _ shell: ShellContext) throws(ShaleError) -> Digest? {
        guard let word = Word(text), word.rest.isEmpty else { return nil }
        return try image(word.subject, shell)
    }

    private static func image(_ subject: Word.Subject, _ shell: ShellContext) throws(ShaleError) -> Digest {
        let session = try shell.session()
        try session.refresh()
        let image: Digest
        switch subject {
        case .working(let back): image = try working(session, back)
        case .former(let name, let back): image = try session.formerImage(of: Reference(parsing: name), back: back)
        }
        try shell.images().admit(image)
        return image
    }

    private static func working(_ session: Session, _ back: Int) throws(ShaleError) -> Digest {
        let working = try session.requireWorking()
        guard back <= working.steps.count else {
            throw ShaleError(
                .notFound, "@~\(back): the working image has \(working.steps.count) steps", hint: "steps")
        }
        guard let image = working.image(stepsBack: back) else {
            throw ShaleError(
                .notFound, back == 0 ? "@ is scratch: there is no image yet" : "@~\(back) is scratch: no image")
        }
        return image
    }
}
