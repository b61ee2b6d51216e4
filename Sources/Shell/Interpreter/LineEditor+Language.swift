import LineEditing
import ShellLanguage

extension LineEditor.Questions {
    /// Asks shale's language; the parser is made anew for each line, because aliases come and go.
    init(parser: @escaping () -> LineParser = { LineParser(origin: .prompt) }) {
        self.init(
            isIncomplete: { text in
                if case .incomplete? = try? parser().parse(text) { true } else { false }
            },
            lastWord: { Word.last(in: $0)?.source })
    }
}
