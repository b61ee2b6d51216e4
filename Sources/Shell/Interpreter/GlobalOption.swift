/// An option that stands before the command, as `--help` and the manual list it.
struct GlobalOption {
    /// Every name it has, the one to show last.
    let names: [String]
    /// What its value is called; `nil` for a switch.
    let value: String?
    let meaning: String

    static let all: [GlobalOption] = [
        .init(["--home"], "DIR", "everything shale keeps is below it ($SHALE_HOME)"),
        .init(["-S", "--session"], "N", "the session to be in ($SHALE_SESSION)"),
        .init(["--offline"], "ask no server; what is not here is an error"),
        .init(["--no-rc"], "do not read rc.shale"),
        .init(["--keep-going"], "a script goes on after a failure"),
        .init(
            ["-l", "--log-level"], "L", "how much DIR/log keeps: debug, info, warning or error ($SHALE_LOG)"),
        .init(["-D", "--debug"], "the same as --log-level debug"),
        .init(["--version"], "print the version"),
        .init(["-h", "--help"], "this page"),
    ]

    /// How shale is called.
    static let forms = ["shale [OPTIONS] [COMMAND [ARG…] | -c 'COMMANDS' | SCRIPT [ARG…]]"]

    /// What `shale --help` says of them.
    static var usage: String {
        let rows = all.map { ($0.typed, $0.meaning) }
        let width = rows.map(\.0.count).max() ?? 0
        return "Usage: \(forms.joined(separator: "\n       "))\n\n"
            + rows.map { "  \($0)\(String(repeating: " ", count: width - $0.count + 1))\($1)\n" }.joined() + "\n"
    }

    /// As it is typed: `-S, --session N`.
    var typed: String { names.joined(separator: ", ") + (value.map { " \($0)" } ?? "") }

    private init(_ names: [String], _ value: String, _ meaning: String) {
        self.init(names, value: value, meaning: meaning)
    }

    private init(_ names: [String], _ meaning: String) { self.init(names, value: nil, meaning: meaning) }

    private init(_ names: [String], value: String?, meaning: String) {
        self.names = names
        self.value = value
        self.meaning = meaning
    }
}
