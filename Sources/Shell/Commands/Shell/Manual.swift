package import ArgumentParser
package import Basics
import Glibc
import Linux
import Rendering

/// `manual`: the manual pages, made from the command table as `help` is; for scripts/install.
package struct Manual: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Print a manual page, or write all of them",
        usage: "manual [COMMAND]\nmanual --to DIR", shouldDisplay: false)
    package static let operandKinds: [ValueKind] = [.verb]
    package static let isWorthKeeping = false
    package static let asksOnlyTheProgram = true
    package static let examples = ["manual | man -l -", "manual volume create", "manual --to man1"]

    @Option(help: "Write every page into this directory, which is made when it is not there") var to: String?
    @Argument(help: "A command; without one, the page of shale itself") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let date = try EngineOpening.sourceDate(shell.console.environment) ?? .now()
        guard let to else {
            guard !words.isEmpty else { return .text(ShaleManual.overview(date: date)) }
            let name = words.joined(separator: " ")
            guard let type = CommandTable.shared.find(words: words), words.count == 1 || type.verb == name else {
                throw CommandTable.shared.unknown(name)
            }
            return .text(VerbManual.page(of: type, date: date))
        }
        guard words.isEmpty else { throw ShaleError(.usage, "manual: --to writes all pages, and takes no command") }
        let folder = to.hasPrefix("/") ? to : "\(shell.hostDirectory)/\(to)"
        try translating(to) {
            if mkdir(folder, 0o777) != 0, errno != EEXIST { throw SystemCallError("mkdir", path: folder, errno: errno) }
        }
        for page in ShaleManual.pages(date: date) {
            try translating(page.file) {
                try UnnamedFile.write(
                    page.text.pathBytes, to: "\(folder)/\(page.file)", mode: CallersUmask.applied(to: 0o666),
                    followingLink: false)
            }
        }
        return .done
    }
}
