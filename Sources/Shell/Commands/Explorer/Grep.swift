package import ArgumentParser
package import Basics
import Explorer
import Linux
import OCI
import Rendering

/// `grep PATTERN PLACE`: lines of files.
package struct Grep: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "grep", abstract: "Look for lines in files of an image, a layer or a container",
        usage: "grep [-r] [-i] [-n] [-l] [-c] [-v] [-w] [-E|-F] PATTERN PLACE...")
    package static let operandKinds: [ValueKind] = [.none, .place]
    package static let isWorthKeeping = false
    package static let examples = [
        "grep root ubuntu:22.04:/etc/passwd", "grep -rin password app:1:/etc", "grep -rl root app:1:/etc",
    ]
    package static let differences = ["Docker has no such command. Exit status 1 when nothing was found."]

    @Flag(name: [.customShort("r"), .customShort("R")], help: "All files below a directory.") var recursive = false
    @Flag(name: .customShort("i"), help: "Small or capital.") var ignoresCase = false
    @Flag(name: .customShort("n"), help: "Line numbers.") var numbers = false
    @Flag(name: .customShort("l"), help: "Names of files only.") var names = false
    @Flag(name: .customShort("c"), help: "How many lines only.") var counts = false
    @Flag(name: .customShort("v"), help: "Lines that do not match.") var inverted = false
    @Flag(name: .customShort("w"), help: "Whole words.") var words = false
    @Flag(name: .customShort("E"), help: "Extended regular expression.") var extended = false
    @Flag(name: .customShort("F"), help: "Plain text.") var fixed = false
    @Flag(name: .customShort("q"), help: "Exit status only.") var quiet = false
    @Flag(name: .customShort("h"), help: "No names of files.") var bare = false
    @Option(help: "json, or a template.") var format: String?
    @OptionGroup var remote: RemoteOptions
    @Argument(help: "A regular expression.") var pattern: String
    @Argument(help: "IMAGE:/path, IMAGE#N:/path or CONTAINER:/path.") var places: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let pattern = try LinePattern(
            self.pattern, fixed ? .fixed : extended ? .extended : .basic, ignoringCase: ignoresCase, wholeWords: words,
            isNegated: inverted)
        let search = LineSearch(pattern)
        let views = try PlaceWords(shell, remote).views(places)
        var rows = Rows(["path", "line", "text"].map { .init(key: $0, header: $0.uppercased()) })
        var isFound = false
        for (place, view) in views {
            let top = try view.require(place.path)
            if top.kind == .directory, !recursive {
                throw ShaleError(
                    .invalid, "\(view.label):\(place.path): is a directory",
                    hint: "grep -r \(self.pattern) \(view.label):\(place.path)")
            }
            try view.walk(top, shell.cancellation) { entry throws(ShaleError) in
                guard entry.kind == .file, !(quiet && isFound) else {
                    return entry.kind == .directory && !(quiet && isFound)
                }
                guard let found = try search.matches(entry, in: view, shell.cancellation) else { return false }
                isFound = true
                if format == nil { show(found, withName: (recursive || views.count > 1) && !bare, shell) }
                for line in found.lines where format != nil {
                    let text = String(decoding: line.bytes, as: UTF8.self)
                    rows.add(
                        [found.path, String(line.number), text],
                        .members([
                            "path": .string(found.path), "line": .integer(Int64(line.number)), "text": .string(text),
                        ]))
                }
                return false
            }
        }
        let status: Int32 = isFound ? 0 : 1
        return format == nil
            ? .status(status) : rows.outcome(format: format, width: shell.console.width, status: status)
    }

    private func show(_ found: FileMatches, withName hasName: Bool, _ shell: ShellContext) {
        if quiet { return }
        let name = hasName ? found.path.visible : nil
        if names {
            shell.console.line(found.path.visible)
        } else if counts {
            shell.console.line((name.map { $0 + ":" } ?? "") + String(found.count))
        } else if found.isBinary {
            shell.console.line("Binary file \(found.path.visible) matches")
        } else {
            let isTerminal = shell.console.isTerminal(.output)
            for line in found.lines {
                let prefix = (name.map { $0 + ":" } ?? "") + (numbers ? "\(line.number):" : "")
                let text = isTerminal ? Array(TerminalText.visible(line.bytes[...]).utf8) : line.bytes
                shell.console.write(prefix.pathBytes + text + [0x0A], to: .output)
            }
        }
    }
}
