/// What a text says as lines of a POSIX shell: whether it is whole, and how it reads in one line.
///
/// It does not check the syntax: the shell itself reports errors. POSIX.1-2024, XCU 2.3 and 2.10, with what bash adds
/// (`[[`, `((`, `function`, `<<<`).
package struct ShellScan: Sendable {
    /// More lines must follow: an open quote, a here-document, `do` without `done`, an operator at the end.
    package private(set) var isIncomplete = false
    package private(set) var hasHeredoc = false
    /// The line that ends the here-document it stops in.
    package private(set) var openHeredoc: String?
    /// Whether something is started with `&`.
    package private(set) var startsBackground = false
    /// Whether it defines functions and does nothing else: their names.
    package private(set) var definedFunctions: [String] = []
    /// Functions defined on the way, and not inside of something else, with their texts.
    package private(set) var functionTexts: [String: String] = [:]
    /// The same command without a newline in it; `nil` where there is none that certainly means the same.
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
