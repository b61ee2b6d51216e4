/// One instruction, its flags and arguments understood; variables in them are not replaced yet.
package enum Instruction: Sendable, Hashable {
    case from(FromInstruction)
    case run(RunInstruction)
    case copy(CopyInstruction)
    case add(AddInstruction)
    case env([KeyValue])
    case label([KeyValue])
    case arg(ArgInstruction)
    case workdir(String)
    case user(String)
    case cmd(CommandLine)
    case entrypoint(CommandLine)
    case expose([String])
    case volume([String])
    case shell([String])
    case stopsignal(String)
    case maintainer(String)
    case healthcheck(HealthCheck)
    /// The instruction kept for later, as text with its heredocs.
    case onbuild(String)

    /// Every keyword in upper case, sorted.
    package static let keywords = [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]

    static let chainingOnbuild = "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"

    /// The keyword in upper case.
    package var keyword: String {
        switch self {
        case .from: "FROM"
        case .run: "RUN"
        case .copy: "COPY"
        case .add: "ADD"
        case .env: "ENV"
        case .label: "LABEL"
        case .arg: "ARG"
        case .workdir: "WORKDIR"
        case .user: "USER"
        case .cmd: "CMD"
        case .entrypoint: "ENTRYPOINT"
        case .expose: "EXPOSE"
        case .volume: "VOLUME"
        case .shell: "SHELL"
        case .stopsignal: "STOPSIGNAL"
        case .maintainer: "MAINTAINER"
        case .healthcheck: "HEALTHCHECK"
        case .onbuild: "ONBUILD"
        }
    }

    /// Reads ONE instruction: a line typed at the prompt (heredocs and continuations may follow it), an `ONBUILD`
    /// trigger, a `commit -c` change.
    ///
    /// Throws the error of a text that cannot be parsed, that has no instruction, or that has more than one.
    package static func parse(line text: String) throws(DockerfileError) -> Located<Instruction> {
        let file = try Dockerfile(parsing: text)
        guard let node = file.nodes.first else { throw DockerfileError(line: 1, message: "file with no instructions") }
        if file.nodes.count > 1 {
            throw file.error(file.nodes[1].line, Complaint("only one instruction is expected here"))
        }
        return try file.instruction(node)
    }
}

/// Something of a Dockerfile with the place it stands at.
@dynamicMemberLookup
package struct Located<Value: Sendable & Hashable>: Sendable, Hashable {
    package var value: Value
    /// First and last line, counted from 1.
    package var line: Int
    package var endLine: Int
    /// The keyword as written.
    package var spelling: String
    /// The instruction on one line, as docker prints it after `Step N/M : `.
    package var original: String
    package var heredocs: [Heredoc]
    /// The comments directly above, without `#`.
    package var comments: [String]

    package init(_ value: Value, at node: Node) {
        self.value = value
        line = node.line
        endLine = node.endLine
        spelling = node.spelling
        original = node.original
        heredocs = node.heredocs
        comments = node.comments
    }

    package subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }

    /// The text with its heredocs below it, enough to parse it again.
    package var text: String {
        heredocs.reduce(original) { text, heredoc in "\(text)\n\(heredoc.content)\(heredoc.name)" }
    }
}

/// `NAME=value` of `ENV` and `LABEL`, quotes and variables as written.
package struct KeyValue: Sendable, Hashable {
    package var key: String
    package var value: String
    /// Written in the old form, `NAME value`.
    package var isLegacy: Bool

    package init(key: String, value: String, isLegacy: Bool = false) {
        self.key = key
        self.value = value
        self.isLegacy = isLegacy
    }
}

/// `FROM [--platform=P] BASE [AS NAME]`.
package struct FromInstruction: Sendable, Hashable {
    package var baseName: String
    /// In lower case.
    package var stageName: String?
    package var platform: String?
}

/// `ARG NAME[=value] …`.
package struct ArgInstruction: Sendable, Hashable {
    package struct Argument: Sendable, Hashable {
        package var key: String
        /// The default, quotes and variables as written; `nil` if there is none.
        package var value: String?
    }

    package var arguments: [Argument]
}

/// The command of `RUN`, `CMD` or `ENTRYPOINT`.
package struct CommandLine: Sendable, Hashable {
    /// The arguments in exec form; in shell form one text, or nothing.
    package var words: [String]
    /// Whether the `SHELL` runs it.
    package var usesShell: Bool

    package init(words: [String], usesShell: Bool) {
        self.words = words
        self.usesShell = usesShell
    }

    /// The argument vector, with `shell` before a text for the shell.
    package func arguments(shell: [String]) -> [String] { usesShell ? shell + words : words }
}

/// `RUN`.
package struct RunInstruction: Sendable, Hashable {
    package var command: CommandLine
    package var heredocs: [Heredoc]
    /// Each `--mount`, unread; see `RunMount`.
    package var mounts: [String]
    /// `default`, `none` or `host`.
    package var network: String
    /// `sandbox` or `insecure`.
    package var security: String
    package var devices: [String]
    /// Names of the flags in use, sorted.
    package var flagsUsed: [String]

    /// What is to be run, heredocs taken into account.
    package enum Script: Sendable, Hashable {
        /// An argument vector (exec form) or a text for the shell.
        case command(CommandLine)
        /// A file of this name and content, executable, to be run by itself: a heredoc that begins with `#!`.
        case file(name: String, content: String)
    }

    package var script: Script {
        guard let first = heredocs.first, command.usesShell, let line = command.words.first else {
            return .command(command)
        }
        // The line is nothing but one heredoc: its text is the script.
        if let alone = try? HeredocWord.parse(line), alone.name == first.name {
            if first.content.hasPrefix("#!") { return .file(name: first.name, content: first.text) }
            return .command(CommandLine(words: [first.text], usesShell: true))
        }
        let whole = heredocs.reduce(line) { text, heredoc in "\(text)\n\(heredoc.content)\(heredoc.name)" }
        return .command(CommandLine(words: [whole], usesShell: true))
    }
}

/// What `COPY` and `ADD` copy, and where to.
package struct FileSources: Sendable, Hashable {
    /// A file whose content stands in the Dockerfile.
    package struct Inline: Sendable, Hashable {
        package var name: String
        package var content: String
        /// Whether variables in it are replaced.
        package var expand: Bool
    }

    package var paths: [String]
    package var inline: [Inline]
    package var destination: String
    /// `--chown`, as written.
    package var owner: String?
    /// `--chmod`, as written.
    package var mode: String?
    package var link: Bool
    /// Each `--exclude`.
    package var excluding: [String]
}

/// `COPY`.
package struct CopyInstruction: Sendable, Hashable {
    package var files: FileSources
    /// A stage's name or number, or an image.
    package var from: String?
    package var parents: Bool
}

/// `ADD`.
package struct AddInstruction: Sendable, Hashable {
    package var files: FileSources
    package var keepGitDir: Bool?
    package var checksum: String?
    package var unpack: Bool?
}

/// `HEALTHCHECK`; times in nanoseconds, 0 where the default holds.
package struct HealthCheck: Sendable, Hashable {
    /// `NONE`, or `CMD` and an argument vector, or `CMD-SHELL` and a text.
    package var test: [String]
    package var interval: Int64 = 0
    package var timeout: Int64 = 0
    package var startPeriod: Int64 = 0
    package var startInterval: Int64 = 0
    package var retries = 0

    package init(
        test: [String], interval: Int64 = 0, timeout: Int64 = 0, startPeriod: Int64 = 0, startInterval: Int64 = 0,
        retries: Int = 0
    ) {
        self.test = test
        self.interval = interval
        self.timeout = timeout
        self.startPeriod = startPeriod
        self.startInterval = startInterval
        self.retries = retries
    }
}
