import Basics

/// Reads a history's `created_by` back into the instruction it stands for.
///
/// The classic builder writes `/bin/sh -c #(nop)  CMD ["sh"]` and `|1 A=b /bin/sh -c make`; BuildKit writes
/// `RUN |1 A=b /bin/sh -c make # buildkit` and `COPY a b # buildkit`; others write what they like, which stays.
package enum InstructionText {
    package static func instruction(_ createdBy: String) -> String {
        var text = createdBy.trimmedBlanks
        if text.hasSuffix("# buildkit") { text = String(text.dropLast("# buildkit".count)).trimmedBlanks }
        if let nop = text.firstPlace(of: "#(nop)") {
            return String(text[nop...].dropFirst("#(nop)".count)).trimmedBlanks
        }
        if text.hasPrefix("RUN ") {
            let command = String(text.dropFirst(4)).trimmedBlanks
            return "RUN " + (shellCommand(command) ?? command)
        }
        if let command = shellCommand(text) { return "RUN " + command }
        return text
    }

    /// What follows the shell's `-c`, and before it the build arguments' `|N a=b …`; `nil` for what is no such line.
    private static func shellCommand(_ text: String) -> String? {
        var rest = text[...]
        if rest.first == "|" {
            let words = rest.dropFirst().split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard let count = words.first.flatMap({ Int($0) }), count >= 0, words.count == 2 else { return nil }
            rest = words[1]
            // Values hold blanks unquoted: what begins the shell's path ends them.
            guard let shell = String(rest).firstPlace(of: count == 0 ? "/" : " /") else { return nil }
            rest = Substring(String(String(rest)[shell...]).trimmedBlanks)
        }
        guard rest.first == "/", let dash = String(rest).firstPlace(of: " -c ") else { return nil }
        let program = String(rest)[..<dash]
        guard program.split(separator: " ").dropFirst().allSatisfy({ $0.hasPrefix("-") || $0 == "pipefail" }) else {
            return nil
        }
        return String(String(rest)[dash...].dropFirst(" -c ".count)).trimmedBlanks
    }
}

extension String {
    /// Without blanks at its ends.
    package var trimmedBlanks: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    /// Where a piece of text first begins.
    package func firstPlace(of piece: String) -> String.Index? { firstRange(of: piece)?.lowerBound }
}
