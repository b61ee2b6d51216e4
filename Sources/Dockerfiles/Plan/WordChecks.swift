/// A source of `ADD` that is fetched.
enum RemoteSource: Hashable {
    case http
    case git

    /// `nil` for a path of the build context.
    init?(_ source: String) {
        let (bare, _) = source.cut(at: "#")
        if source.hasPrefix("http://") || source.hasPrefix("https://") {
            self = bare.cut(at: "?").before.hasSuffix(".git") ? .git : .http
        } else if source.hasPrefix("git@") || source.hasPrefix("git://") || source.hasPrefix("ssh://") {
            self = .git
        } else {
            return nil
        }
    }
}

/// `--chmod`.
package enum FileMode {
    /// The permissions of an octal text; `nil` for a symbolic one.
    package static func octal(_ text: String) -> UInt32? {
        guard text.utf8.first != UInt8(ascii: "+"), let mode = UInt32(text, radix: 8), mode <= 0o7777 else {
            return nil
        }
        return mode
    }

    /// Throws docker's words for what is neither octal nor symbolic (`u+rwX,go=r`, chmod(1)).
    static func check(_ text: String) throws(Complaint) {
        if ModeChange(parsing: text) == nil {
            throw Complaint("invalid chmod parameter: '\(text)'. it should be octal string and between 0 and 07777")
        }
    }
}

/// `STOPSIGNAL`.
package enum SignalName {
    private static let names: [String: Int32] = [
        "ABRT": 6, "ALRM": 14, "BUS": 7, "CHLD": 17, "CLD": 17, "CONT": 18, "FPE": 8, "HUP": 1, "ILL": 4, "INT": 2,
        "IO": 29, "IOT": 6, "KILL": 9, "PIPE": 13, "POLL": 29, "PROF": 27, "PWR": 30, "QUIT": 3, "SEGV": 11,
        "STKFLT": 16, "STOP": 19, "SYS": 31, "TERM": 15, "TRAP": 5, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23,
        "USR1": 10, "USR2": 12, "VTALRM": 26, "WINCH": 28, "XCPU": 24, "XFSZ": 25,
    ]

    /// The signals that are sent by hand, the most usual first, each with what it is for (signal(7)).
    package static let usual: [(name: String, meaning: String)] = [
        ("TERM", "end, with time to tidy up"), ("KILL", "end at once"), ("INT", "as Ctrl-C"),
        ("HUP", "read the configuration again, or the terminal is gone"), ("QUIT", "end with a core file"),
        ("USR1", "what the program makes of it"), ("USR2", "what the program makes of it"), ("STOP", "stand still"),
        ("CONT", "go on"), ("WINCH", "the window's size changed"), ("ABRT", "abort"), ("ALRM", "a timer ran out"),
    ]

    /// The number of a signal named `SIGTERM`, `term` or `15`; real-time signals as `RTMIN+n`, `RTMAX-n`.
    package static func number(_ text: String) -> Int32? {
        if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let number = names[name] { return number }
        for (base, number, sign) in [("RTMIN", Int32(34), "+"), ("RTMAX", Int32(64), "-")] where name.hasPrefix(base) {
            let rest = name.dropFirst(base.count)
            if rest.isEmpty { return number }
            guard rest.hasPrefix(sign), let offset = Int32(rest.dropFirst()), (0...15).contains(offset) else {
                return nil
            }
            return sign == "+" ? number + offset : number - offset
        }
        return nil
    }

    static func isKnown(_ text: String) -> Bool { number(text) != nil }
}
