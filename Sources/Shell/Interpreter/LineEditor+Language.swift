import LineEditing
import ShellLanguage

extension LineEditor.Questions {
    /// Uses shale's parser, which is made again for each line, because aliases may have changed.
    init(parser: @escaping () -> LineParser = { LineParser(origin: .prompt) }) {
        self.init(
            isIncomplete: { text in
                if case .incomplete? = try? parser().parse(text) { true } else { false }
            },
            lastWord: { Word.last(in: $0)?.source })
    }
}
