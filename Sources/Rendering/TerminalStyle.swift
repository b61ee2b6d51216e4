/// The few colours shale uses, and whether a stream gets them.
package enum TerminalStyle: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case yellow = "33"
    case blue = "34"
    case cyan = "36"

    /// Whether text for a stream may hold colours: <https://no-color.org> and <https://bixense.com/clicolors>.
    ///
    /// - Parameters:
    ///   - isTerminal: Whether the stream is a terminal.
    ///   - environment: `NO_COLOR`, `CLICOLOR_FORCE` and `TERM` are looked at, in this order.
    /// - Returns: True when it may.
    package static func isOn(isTerminal: Bool, environment: [String: String]) -> Bool {
        if let value = environment["NO_COLOR"], !value.isEmpty { return false }
        if let value = environment["CLICOLOR_FORCE"], !value.isEmpty, value != "0" { return true }
        return isTerminal && !isDumb(environment)
    }

    /// Whether the terminal cannot move its cursor.
    package static func isDumb(_ environment: [String: String]) -> Bool {
        let term = environment["TERM"] ?? ""
        return term.isEmpty || term == "dumb"
    }

    /// The text between this style and its end.
    package func callAsFunction(_ text: String) -> String { "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" }
}
