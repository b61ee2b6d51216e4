import Basics
import Dockerfiles

/// A `curl` or `wget` that writes what it fetches to one file.
struct Download: Hashable {
    var address: String
    /// The file, relative to the directory of the command.
    var file: String

    enum Reading: Hashable {
        case file(Download)
        /// Why what it fetches has no checksum that is known.
        case impossible(String)
    }

    /// Reads a command; `nil` when it downloads nothing.
    static func reading(_ command: ShellCommands.Command) -> Reading? {
        let values = command.words.map(\.value)
        guard let name = values.first??.lastPart, name == "curl" || name == "wget" else { return nil }
        var parser = OptionReader(isCurl: name == "curl")
        for word in values.dropFirst() { parser.read(word) }
        guard !parser.addresses.isEmpty || parser.hasUnknownWord else { return nil }
        guard parser.addresses.count == 1, !parser.hasUnknownWord, let address = parser.addresses.first else {
            return .impossible("its addresses are several, or the shell makes them")
        }
        return parser.reading(of: address, command)
    }

    /// Reads the options that say where the content goes (curl(1), wget(1)).
    private struct OptionReader {
        let isCurl: Bool
        private(set) var addresses: [String] = []
        private(set) var hasUnknownWord = false
        private var output: String?
        private var folder: String?
        private var isNamedAfterAddress = false
        private var awaited: String?

        init(isCurl: Bool) { self.isCurl = isCurl }

        mutating func read(_ word: String?) {
            if let option = awaited {
                awaited = nil
                return take(option, word)
            }
            guard let word else {
                hasUnknownWord = true
                return
            }
            if word.hasPrefix("--") {
                let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                readOption(parts[0], parts.count > 1 ? parts[1] : nil)
            } else if word.hasPrefix("-"), word.count > 1 {
                readLetters(word.dropFirst())
            } else {
                addresses.append(word)
            }
        }

        private mutating func readLetters(_ letters: Substring) {
            var rest = letters
            while let letter = rest.popFirst() {
                guard valuedLetters.contains(letter) else {
                    if isCurl, letter == "O" { isNamedAfterAddress = true }
                    continue
                }
                let value = rest.isEmpty ? nil : String(rest)
                return readOption("-\(letter)", value)
            }
        }

        private mutating func readOption(_ option: String, _ value: String?) {
            if isCurl, option == "--remote-name" {
                isNamedAfterAddress = true
                return
            }
            guard option.count == 2 || valuedNames.contains(option) else { return }
            if let value { take(option, value) } else { awaited = option }
        }

        private mutating func take(_ option: String, _ value: String?) {
            switch (isCurl, option) {
            case (true, "-o"), (true, "--output"), (false, "-O"), (false, "--output-document"):
                guard let value else {
                    hasUnknownWord = true
                    return
                }
                output = value
            case (true, "--output-dir"), (false, "-P"), (false, "--directory-prefix"):
                guard let value else {
                    hasUnknownWord = true
                    return
                }
                folder = value
            case (true, "--url"):
                guard let value else {
                    hasUnknownWord = true
                    return
                }
                addresses.append(value)
            case (false, "-i"), (false, "--input-file"): hasUnknownWord = true
            default: break
            }
        }

        private var valuedLetters: Set<Character> {
            isCurl
                ? [
                    "o", "H", "d", "A", "e", "u", "x", "X", "b", "c", "C", "m", "r", "T", "w", "y", "Y", "z", "E", "F",
                    "K",
                ]
                : ["O", "P", "o", "a", "e", "t", "T", "w", "Q", "U", "i", "B", "l", "A", "R", "D", "I", "X"]
        }

        private var valuedNames: Set<String> {
            isCurl
                ? [
                    "--output", "--output-dir", "--url", "--header", "--data", "--user-agent", "--referer", "--user",
                    "--proxy", "--request", "--cookie", "--connect-timeout", "--max-time", "--retry", "--retry-delay",
                    "--cacert", "--cert", "--key", "--resolve", "--range", "--write-out", "--retry-max-time",
                    "--proto", "--tls-max", "--limit-rate", "--max-redirs",
                ]
                : [
                    "--output-document", "--directory-prefix", "--input-file", "--header", "--user-agent", "--tries",
                    "--timeout", "--user", "--password", "--post-data", "--ca-certificate", "--progress",
                    "--output-file", "--waitretry", "--limit-rate",
                ]
        }

        func reading(of address: String, _ command: ShellCommands.Command) -> Reading {
            let named = Self.lastName(of: address)
            var file = output
            if file == nil, isCurl ? isNamedAfterAddress : true { file = named }
            // To the standard output, which is a file or goes on to another command.
            if file == nil || file == "-" {
                if command.isInPipe { return .impossible("it goes to another command: nothing holds its content") }
                guard let target = command.output else { return .impossible("it goes to the output of the build") }
                guard let path = target.value else { return .impossible("the shell makes the name of its file") }
                return .file(Download(address: address, file: path))
            }
            guard let file, !file.isEmpty else { return .impossible("the server names its file") }
            if file.hasPrefix("/") { return .file(Download(address: address, file: file)) }
            // wget's -P is not for a name that -O gives.
            let below = folder.flatMap { !isCurl && output != nil ? nil : $0 }
            return .file(Download(address: address, file: below.map { "\($0)/\(file)" } ?? file))
        }

        /// The last part of an address' path; empty when it has none.
        private static func lastName(of address: String) -> String {
            var rest = Substring(address)
            if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
            rest = rest.prefix { $0 != "?" && $0 != "#" }
            guard let slash = rest.lastIndex(of: "/") else { return "" }
            return String(rest[rest.index(after: slash)...])
        }
    }
}
