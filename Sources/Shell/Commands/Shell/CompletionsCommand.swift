package import ArgumentParser
package import Basics

/// `completions`: the completion script of a host's shell, made from the command table.
package struct CompletionsCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Print the completion script of bash, zsh or fish", shouldDisplay: false)
    package static let isWorthKeeping = false
    package static let asksOnlyTheProgram = true
    package static let examples = [
        "completions bash > shale.bash", "completions zsh > _shale", "completions fish > shale.fish",
    ]

    @Argument(help: "bash, zsh or fish.") var shellName: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        switch shellName {
        case "bash": return .text(BashCompletion.script(CompletionTable()))
        case "zsh": return .text(ZshCompletion.script(CompletionTable()))
        case "fish": return .text(FishCompletion.script(CompletionTable()))
        default:
            throw ShaleError(.usage, "completions: no script for \(shellName.visible)", hint: "completions bash")
        }
    }
}

/// `complete`: what exists of a kind, a line each, for the completion scripts.
package struct CompleteCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "complete", abstract: "Print the values of a kind that begin with a word", shouldDisplay: false)
    package static let isWorthKeeping = false
    package static let examples = [
        "complete image bus", "complete place busybox:/etc/", "complete container we",
    ]

    @Argument(help: "The kind.") var kind: String
    @Argument(parsing: .captureForPassthrough, help: "What is typed of the word, and the operands before it.")
    var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let kind = ValueKind(rawValue: kind) else {
            throw ShaleError(.usage, "complete: no kind \(kind.visible)", hint: "complete image")
        }
        let prefix = words.first ?? ""
        let source = StoreCompletion(shell)
        if kind == .place || kind == .placeOrHostPath, let colon = prefix.firstRange(of: ":/") {
            return .lines(Self.paths(prefix, object: String(prefix[..<colon.lowerBound]), source))
        }
        let request = CompletionRequest(kind, prefix: prefix, operands: Array(words.dropFirst()))
        let values = source.values(for: request).map(\.text).filter { $0.hasPrefix(prefix) }
        return .lines(values.map(\.visible))
    }

    /// The entries of the directory inside an image or container that is being typed, directories with a slash.
    private static func paths(_ prefix: String, object: String, _ source: StoreCompletion) -> [String] {
        guard let slash = prefix.lastIndex(of: "/") else { return [] }
        let directory = String(prefix[...slash].dropFirst(object.count + 1))
        return source.entries(in: object, directory: directory).compactMap { entry in
            let text = prefix[...slash] + entry.name + (entry.isDirectory ? "/" : "")
            return text.hasPrefix(prefix) ? String(text).visible : nil
        }
    }
}
