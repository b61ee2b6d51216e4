/// One instruction of a Dockerfile as the grammar reads it, before its words are interpreted.
package struct Node: Sendable, Hashable {
    /// How the arguments are written.
    package enum Form: String, Sendable, Hashable {
        /// A command line for the shell.
        case shell
        /// A JSON array.
        case exec
        /// Neither: the instruction takes words.
        case other
    }

    /// The instruction's first and last line, counted from 1; heredocs included.
    package var line: Int
    package var endLine: Int
    /// The keyword in lower case.
    package var keyword: String
    /// The keyword as written.
    package var spelling: String
    /// `--name=value`, as written but for quotes.
    package var flags: [String]
    package var form: Form
    /// The words, with their quotes; for `ENV` and `LABEL` triples of name, value and `=` (or nothing in the old form).
    package var arguments: [String]
    package var heredocs: [Heredoc]
    /// The instruction on one line: continuations joined, comments gone, flags kept; what docker prints as a step.
    package var original: String
    /// The comments directly above, without `#`.
    package var comments: [String]
    /// The instruction that `ONBUILD` keeps for later: none or one.
    package var trigger: [Node]

    /// The words with those of a trigger drawn in, keyword first.
    var flattenedArguments: [String] {
        trigger.reduce(into: arguments) { words, node in
            words.append(node.spelling)
            words += node.flattenedArguments
        }
    }
}

/// A block of text below an instruction.
package struct Heredoc: Sendable, Hashable {
    /// The word that ends it, without quotes.
    package var name: String
    /// The lines, each with its line ending, tabs still there.
    package var content: String
    /// Whether variables in it are replaced: no part of the word was quoted.
    package var expand: Bool
    /// Whether leading tabs are dropped (`<<-`).
    package var chomp: Bool
    /// The number before `<<`; 0 if none.
    package var descriptor: Int

    /// The content as a file receives it.
    package var text: String {
        guard chomp else { return content }
        var text = String.UnicodeScalarView()
        var atStart = true
        for scalar in content.unicodeScalars where !(atStart && scalar == "\t") {
            text.append(scalar)
            atStart = scalar == "\n"
        }
        return String(text)
    }
}
