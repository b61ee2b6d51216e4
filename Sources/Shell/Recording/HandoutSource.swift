import Basics
import Lessons
import ShellLanguage

/// The lines of a handout's `console` blocks, each with what it printed when the handout was written.
struct HandoutSource {
    struct Command {
        var line: ReplaySource.Line
        /// Where its output stands in the handout's lines.
        var output: Range<Int>
    }

    struct Block {
        var number: Int
        var content: Range<Int>
        var commands: [Command]
    }

    let handout: Handout
    /// Those with a prompt sign; others are only shown.
    let blocks: [Block]

    /// Throws what reading a block's lines throws.
    init(_ text: String, _ answers: SecretAnswers?) throws(ShaleError) {
        handout = Handout(text)
        var blocks: [Block] = []
        for block in handout.blocks {
            let commands = try Self.commands(of: block, in: handout, answers)
            guard !commands.isEmpty else { continue }
            blocks.append(Block(number: block.number, content: block.content, commands: commands))
        }
        self.blocks = blocks
    }

    var commandCount: Int { blocks.reduce(0) { $0 + $1.commands.count } }

    private static func commands(
        of block: Handout.Block, in handout: Handout, _ answers: SecretAnswers?
    ) throws(ShaleError) -> [Command] {
        let text = handout.signed(block).joined(separator: "\n")
        let parser = LineParser(origin: .script)
        let only = Transcript.commandsOnly(text, by: parser)
        // A block without a prompt sign is none of shale's.
        guard only != text || Transcript.begins(text) else { return [] }
        var reader = ScriptReader(text: only, parser: parser)
        let offset = block.content.lowerBound
        var commands: [Command] = []
        while let read = try reader.next() {
            let command = answers.map { read.filled(by: $0) } ?? read
            let end = min(reader.lines.number + offset, block.content.upperBound)
            let line = ReplaySource.Line(
                number: command.line + offset, lastNumber: end, text: command.text, statements: command.statements)
            if !commands.isEmpty { close(&commands, at: command.line - 1 + offset, handout) }
            commands.append(Command(line: line, output: end..<end))
        }
        if !commands.isEmpty { close(&commands, at: block.content.upperBound, handout) }
        return commands
    }

    /// Gives the last command the lines up to the next one as its output; blank lines at their end are layout.
    private static func close(_ commands: inout [Command], at next: Int, _ handout: Handout) {
        let last = commands.count - 1
        let start = commands[last].output.lowerBound
        var end = max(start, next)
        while end > start, handout.lines[end - 1].trimmingBlanks.isEmpty { end -= 1 }
        commands[last].output = start..<end
        commands[last].line.expected = Array(handout.lines[start..<end])
    }
}
