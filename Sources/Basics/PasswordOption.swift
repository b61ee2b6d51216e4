/// An option of a program that takes a password.
struct PasswordOption {
    /// `-p` or `--user`.
    var option: String
    /// Whether the password may be the next word; else it stands in the same.
    var takesNext = true
    /// What the password stands behind in the value: `:` in `user:password`; `nil` where it is all of it.
    var separator: UInt8?

    init(_ option: String, takesNext: Bool = true, after separator: Unicode.Scalar? = nil) {
        self.option = option
        self.takesNext = takesNext
        self.separator = separator.map { UInt8(ascii: $0) }
    }

    /// Programs that log in to a registry, as `docker login` does.
    static let registryClients: Set<String> = [
        "docker", "podman", "buildah", "skopeo", "nerdctl", "helm", "oras", "crane", "shale", "registry",
    ]

    /// By program.
    static let known: [String: [PasswordOption]] = {
        var all: [String: [PasswordOption]] = [
            "sshpass": [.init("-p")], "redis-cli": [.init("-a")], "login": [.init("-p")],
            "http": [.init("-a", after: ":")], "https": [.init("-a", after: ":")],
            "curl": [
                .init("-u", after: ":"), .init("--user", after: ":"), .init("-U", after: ":"),
                .init("--proxy-user", after: ":"), .init("-b", after: "="), .init("--cookie", after: "="),
            ],
            "openssl": ["-passin", "-passout", "-pass"].map { .init($0, after: ":") },
            "unzip": [.init("-P")], "zip": [.init("-P")], "7z": [.init("-p", takesNext: false)],
            "useradd": [.init("-p")], "usermod": [.init("-p")], "smbclient": [.init("-U", after: "%")],
        ]
        for name in ["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "mariadb-admin"] {
            all[name] = [.init("-p", takesNext: false)]
        }
        for name in ["mongo", "mongosh", "mongodump", "mongorestore"] { all[name] = [.init("-p")] }
        for name in ["ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami"] { all[name] = [.init("-w")] }
        return all
    }()

    /// Where the value stands in a word that begins with the option; empty where it is the next word, `nil` where the
    /// word is another.
    func value(in word: Range<Int>, of bytes: [UInt8]) -> Range<Int>? {
        let option = Array(option.utf8)
        var rest = bytes[word]
        if rest.starts(with: option) {
            rest = rest.dropFirst(option.count)
        } else if let letter = clusterEnd(of: rest) {
            // `-su me:x`: letters of options without a value before it.
            rest = rest[letter...]
        } else {
            return nil
        }
        guard let first = rest.first else { return word.upperBound..<word.upperBound }
        if option.count > 2 {
            guard first == UInt8(ascii: "=") else { return nil }
            return (rest.startIndex + 1)..<word.upperBound
        }
        return (rest.startIndex + (first == UInt8(ascii: "=") ? 1 : 0))..<word.upperBound
    }

    /// Behind the option's letter in `-abp`, where only it ends a word of such letters.
    private func clusterEnd(of word: ArraySlice<UInt8>) -> Int? {
        let option = Array(option.utf8)
        guard option.count == 2, takesNext, word.count > 2, word.first == UInt8(ascii: "-"), word.last == option[1],
            word.dropFirst().allSatisfy(\.isLetter)
        else { return nil }
        return word.endIndex
    }
}
