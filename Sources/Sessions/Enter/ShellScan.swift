/// What a text is as lines of a POSIX shell: whether it is complete, and how it can be written on one line.
///
/// The syntax is not checked: the shell reports errors. See POSIX.1-2024, XCU 2.3 and 2.10; bash's `[[`, `((`,
/// `function`
/// and `<<<` are supported as well.
package struct ShellScan: Sendable {
    /// Whether more lines must follow: an open quote or heredoc, `do` without `done`, an operator at the end.
    package private(set) var isIncomplete = false
    package private(set) var hasHeredoc = false
    /// The delimiter of the heredoc that is still open.
    package private(set) var openHeredoc: String?
    /// Whether a command is started with `&`.
    package private(set) var startsBackground = false
    /// The names of the functions that the text defines, when it does nothing else.
    package private(set) var definedFunctions: [String] = []
    /// Functions that are defined at the top level, with their texts.
    package private(set) var functionTexts: [String: String] = [:]
    /// The same command without a newline; `nil` when it is not certain to mean the same.
    package private(set) var joined: String?

    package init(_ text: String) {
        var scanner = ShellScanner(text)
        isIncomplete = !scanner.scan()
        hasHeredoc = scanner.hasHeredoc
        openHeredoc = scanner.openHeredoc
        startsBackground = scanner.startsBackground
        definedFunctions = scanner.onlyDefines ? scanner.functions : []
        functionTexts = isIncomplete ? [:] : scanner.definedTexts
        joined = isIncomplete || scanner.hasHeredoc || scanner.hasQuotedNewline ? nil : scanner.joinedText
    }
}
