import LineEditing
import ShellLanguage

/// A key of `--mount`, as Tab offers it: with its equals sign where it has a value.
struct MountKey {
    let name: String
    let meaning: String

    static let all: [MountKey] = [
        .init(name: "type=", meaning: "bind, volume or tmpfs"),
        .init(name: "source=", meaning: "a path of the host, or a volume"),
        .init(name: "target=", meaning: "where in the container"),
        .init(name: "readonly", meaning: "nothing can be written there"),
        .init(name: "bind-recursive=", meaning: "disabled: the mounts below stay away"),
        .init(name: "volume-nocopy", meaning: "a new volume does not get what the image has there"),
        .init(name: "tmpfs-size=", meaning: "bytes, or 64m"),
        .init(name: "tmpfs-mode=", meaning: "its mode, in octal"),
    ]
}

extension CommandCompleter {
    /// What goes on behind the last comma of a `--mount`: a key, or the value of one.
    func mounts(_ request: CompletionRequest, _ context: CompletionContext) -> [Candidate] {
        let start = context.word.lastIndex(of: ",").map { context.word.index(after: $0) } ?? context.word.startIndex
        let before = String(context.word[..<start])
        let field = context.word[start...]
        guard let equals = field.firstIndex(of: "=") else {
            return quoted(
                MountKey.all.map { CompletionValue(before + $0.name, $0.meaning, isWhole: !$0.name.hasSuffix("=")) },
                context)
        }
        let front = before + field[...equals]
        let typed = String(field[field.index(after: equals)...])
        switch field[..<equals] {
        case "type":
            return quoted(["bind", "volume", "tmpfs"].map { CompletionValue(front + $0, isWhole: false) }, context)
        case "source", "src":
            let volumes = values(CompletionRequest(.volume, prefix: typed))
            let found = quoted(volumes.map { CompletionValue(front + $0.text, $0.summary, isWhole: false) }, context)
            guard typed.hasPrefix("/") || typed.hasPrefix("~") else { return found }
            return found + paths(typed, context, before: front) { source.hostEntries(in: $0) }
        default: return []
        }
    }
}
