import Basics
import Rendering
import ShellLanguage

/// A pasted block of which only the lines behind a prompt sign run: shown before it runs.
struct PastedBlock {
    /// The lines that run, with those that they go on with; the sign of each command is taken away.
    private let lines: [String]
    /// The lines that do not run.
    private let left: [Substring]

    /// Most lines that are shown.
    private static let mostLines = 30
    private static let sign = "$ "

    /// `nil` where nothing is left out: then what stands on the screen is what runs.
    ///
    /// `commands` is the text with its commands alone, an empty line in the place of each other one.
    init?(_ text: String, _ commands: String) {
        func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        let (all, kept) = (lines(text), lines(commands))
        left = zip(all, kept).filter { !$0.isEmpty && $1.isEmpty }.map(\.0)
        if left.isEmpty { return nil }
        self.lines = kept.filter { !$0.isEmpty }.map { line in
            line.hasPrefix(Self.sign) ? String(line.dropFirst(Self.sign.count)) : "  \(line)"
        }
    }

    /// Shows what would run, and waits for Enter.
    ///
    /// Throws `cancelled` for a Ctrl-C and for any other answer than `y`.
    func ask(_ shell: ShellContext) throws(ShaleError) {
        let start = String(left.first ?? "").trimmingBlanks.visible.ellipsis(40)
        let more = left.count > 1 ? " and \(left.count - 1) more" : ""
        shell.console.note("not run, because lines beside it bear a prompt sign: \(start)\(more)")
        shell.console.note("to run:")
        for line in lines.prefix(Self.mostLines) { shell.console.note("  \(line.visible)") }
        if lines.count > Self.mostLines { shell.console.note("  … and \(lines.count - Self.mostLines) lines more") }
        let answer = try SecretInput(descriptor: shell.input).ask(
            "Enter runs it, Ctrl-C drops it: ", console: shell.console, isHidden: false,
            needsLine: true)
        guard answer.isEmpty || ["y", "yes"].contains(answer.lowercased()) else {
            throw ShaleError(.cancelled, "nothing of it was run", exitStatus: Interrupt.status)
        }
    }
}
