package import Basics

/// One statement of the shell language: what stands between two `;`, `&&`, `||` or newlines.
package struct Statement: Sendable, Equatable {
    /// When a statement runs, seen from the one before it.
    package enum Condition: Sendable, Equatable {
        /// After `;`, a newline, or at the start.
        case always
        /// After `&&`: only when the one before succeeded.
        case success
        /// After `||`: only when the one before failed.
        case failure
    }

    /// What a statement does.
    package enum Body: Sendable, Equatable {
        /// A command of shale's own.
        case command(Command)
        /// `name = …`.
        case assignment(Assignment)
        /// `!text`: a command line for the host's `/bin/sh`; empty means an interactive host shell.
        case host(String)
        /// A Dockerfile instruction, kept as written, with its continuation lines and here-documents.
        case step(String)
        /// `!!`, `!12`, `!-2`: an earlier line again, as a reference for the history.
        case recall(String)
    }

    package var condition: Condition
    package var body: Body
    /// The statement as typed, without its joining operator.
    package var source: String
    /// The 1-based line it starts on, in the file or buffer it came from.
    package var line: Int
    /// Typed with a space in front: kept out of history and journal.
    package var isPrivate: Bool
    /// What was dropped in front because it belongs to a tutorial, not to us, such as `$`, `sudo`, `docker`.
    package var dropped: [String]
    /// Whether its line stood behind a prompt sign.
    package var isSigned = false
    /// The texts of its here-documents with the lines that end them, as the host's shell reads them behind the source.
    package var hereDocuments = ""

    package init(
        _ body: Body, condition: Condition = .always, source: String = "", line: Int = 1, isPrivate: Bool = false,
        dropped: [String] = []
    ) {
        self.condition = condition
        self.body = body
        self.source = source
        self.line = line
        self.isPrivate = isPrivate
        self.dropped = dropped
    }

    /// The source of a command without so many of its first words; the whole where it does not begin with these.
    package func source(withoutWords count: Int) -> String {
        guard case .command(let command) = body, count < command.words.count else { return source }
        var rest = Substring(source).unicodeScalars
        for word in command.words.prefix(count) {
            rest = rest.drop(while: \.isBlank)
            guard rest.starts(with: word.source.unicodeScalars) else { return source }
            rest = rest.dropFirst(word.source.unicodeScalars.count)
        }
        return String(rest.drop(while: \.isBlank))
    }
}

/// A command: its words, where its streams go, and the host's pipeline that reads its output.
package struct Command: Sendable, Equatable {
    package var words: [Word]
    /// In the order written; a later one wins.
    package var redirections: [Redirection]
    /// What follows `|`, for the host's `/bin/sh -c`; it reads what the command prints.
    package var pipeline: HostPipeline?

    package init(words: [Word] = [], redirections: [Redirection] = [], pipeline: HostPipeline? = nil) {
        self.words = words
        self.redirections = redirections
        self.pipeline = pipeline
    }
}

/// The host's side of `COMMAND | …`.
package struct HostPipeline: Sendable, Equatable {
    /// A command line for `/bin/sh`, as typed.
    package var text: String
    /// `|&`: the pipeline reads the command's errors as well.
    package var includesErrors: Bool

    package init(text: String, includesErrors: Bool = false) {
        self.text = text
        self.includesErrors = includesErrors
    }
}

/// Where one stream of a command comes from or goes to.
package enum Redirection: Sendable, Equatable {
    /// `> file`, or `>> file` when `append`.
    case output(Word, append: Bool)
    /// `2> file` or `2>> file`.
    case errors(Word, append: Bool)
    /// `&> file`: both.
    case both(Word, append: Bool)
    /// `2>&1`.
    case errorsToOutput
    /// `>&2` or `1>&2`.
    case outputToErrors
    /// `< file`.
    case input(Word)
    /// `<<EOF` and `<<-EOF`: the text itself, or what its variables make of it.
    case hereDocument(Word)
    /// `<<< word`.
    case hereString(Word)
}

/// `name = value`, `name = COMMAND …` or `name = !host command`.
package struct Assignment: Sendable, Equatable {
    /// What stands to the right of the sign.
    package enum Source: Sendable, Equatable {
        /// Words: a value or a command, see ``meaning(isVerb:)``.
        case command(Command)
        /// `!text`: the host command's trimmed output.
        case host(String)
    }

    /// What an assignment comes to once it is known which verbs exist.
    package enum Meaning: Sendable, Equatable {
        /// The words' text, joined by spaces.
        case value([Word])
        /// The command's output, without trailing newlines.
        case capture(Command)
        /// The host command's output, likewise.
        case captureHost(String)
    }

    package var name: String
    package var source: Source

    package init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// A capture when the first word is an unquoted verb, else a value.
    package func meaning(isVerb: (String) -> Bool) -> Meaning {
        switch source {
        case .host(let text): return .captureHost(text)
        case .command(let command):
            let isCapture = command.words.first?.plain.map(isVerb) ?? false
            return isCapture ? .capture(command) : .value(command.words)
        }
    }
}

/// Why a text is not a whole command yet.
package enum Incomplete: Sendable, Equatable {
    case singleQuote
    case doubleQuote
    /// A `\` before the newline.
    case continuation
    /// A here-document's last line, which must read exactly so.
    case hereDocument(String)
    /// `&&`, `||` or `|` with nothing after it.
    case operand(String)
    /// `$(` without its `)`.
    case substitution
    /// A command between backquotes that has no end yet.
    case backquote
    /// `${` without its `}`.
    case variable
    /// A compound command of the host's shell: `while`, `if`, `case`, `{`, `(`.
    case hostBlock(String)

    /// What is missing, in words: `no closing quote`.
    package var reason: String {
        switch self {
        case .singleQuote: "unterminated quote: no closing '"
        case .doubleQuote: "unterminated quote: no closing \""
        case .continuation: "the line ends with \\ and nothing follows"
        case .hereDocument(let delimiter): "here-document without its closing \(delimiter)"
        case .operand(let text): "nothing follows \(text)"
        case .substitution: "$( without )"
        case .backquote: "unterminated quote: no closing `"
        case .variable: "${ without }"
        case .hostBlock(let word): "\(word) without its end"
        }
    }

    /// The same as an error, for a script that ends here.
    package var error: ShaleError { ShaleError(.usage, "syntax error", cause: "unexpected end: \(reason)") }
}

/// What a text turned out to be.
package enum ParseResult: Sendable, Equatable {
    /// Whole statements; none for a blank line or a comment.
    case complete([Statement])
    /// More lines are needed.
    case incomplete(Incomplete)
}
