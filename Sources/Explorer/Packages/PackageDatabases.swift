import Basics
import Images

/// The formats of package databases.
enum PackageDatabases {
    /// Reads deb822 paragraphs (deb-control(5)); only installed packages.
    ///
    /// `Installed-Size` is in KiB.
    static func dpkg(_ text: String, path: String, needsStatus: Bool) -> [InstalledPackage] {
        paragraphs(text).compactMap { fields in
            guard let name = fields["package"], let version = fields["version"] else { return nil }
            let status = (fields["status"] ?? "").split(separator: " ")
            if needsStatus || !status.isEmpty, status.last != "installed" { return nil }
            let size = fields["installed-size"].flatMap { Int64($0) }.flatMap { kibibytes in
                kibibytes >= 0 && kibibytes < 1 << 50 ? kibibytes << 10 : nil
            }
            return InstalledPackage(
                manager: .dpkg, name: name, version: version, architecture: fields["architecture"] ?? "", size: size,
                path: path, provides: names(fields["provides"] ?? "", separator: ","))
        }
    }

    /// The names in a list of provided packages, without versions: `a, b (= 1)`, or `a=1 b`.
    private static func names(_ list: String, separator: Character) -> [String] {
        list.split(separator: separator).map { entry in
            String(String(entry).trimmedBlanks.prefix { !" (=<>~".contains($0) })
        }
    }

    /// Paragraphs of `NAME: value` lines, separated by empty lines.
    ///
    /// Continuation lines, which begin with a space, are skipped.
    private static func paragraphs(_ text: String) -> [[String: String]] {
        var all: [[String: String]] = []
        var current: [String: String] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty || line == "\r" {
                if !current.isEmpty { all.append(current) }
                current = [:]
                continue
            }
            guard line.first != " ", line.first != "\t", let colon = line.firstIndex(of: ":") else { continue }
            let key = line[..<colon].lowercased()
            if current[key] == nil { current[key] = String(line[line.index(after: colon)...]).trimmedBlanks }
        }
        if !current.isEmpty { all.append(current) }
        return all
    }

    /// Reads Alpine's database: paragraphs with the lines `P:name`, `V:version`, `A:arch`, `I:bytes`.
    static func apk(_ text: String, path: String) -> [InstalledPackage] {
        var found: [InstalledPackage] = []
        var fields: [Character: String] = [:]
        func finish() {
            if let name = fields["P"], let version = fields["V"] {
                found.append(
                    InstalledPackage(
                        manager: .apk, name: name, version: version, architecture: fields["A"] ?? "",
                        size: fields["I"].flatMap { Int64($0) }, path: path,
                        provides: names(fields["p"] ?? "", separator: " ")))
            }
            fields = [:]
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard let key = line.first else {
                finish()
                continue
            }
            let value = line.dropFirst()
            if value.first == ":", fields[key] == nil { fields[key] = String(value.dropFirst()).trimmedBlanks }
        }
        finish()
        return found
    }

    /// Reads Python's core metadata, which has headers as in mail.
    static func pip(_ text: String, path: String) -> InstalledPackage? {
        guard let fields = paragraphs(text).first, let name = fields["name"], let version = fields["version"] else {
            return nil
        }
        return InstalledPackage(manager: .pip, name: name, version: version, path: path)
    }

    /// Whether a path is `…/node_modules/NAME/package.json` or `…/node_modules/@SCOPE/NAME/package.json`.
    static func isNodePackage(_ path: String) -> Bool {
        guard path.hasSuffix("/package.json") else { return false }
        let parts = path.pathParts.dropLast()
        if parts.dropLast().last == "node_modules" { return true }
        return parts.count > 2 && parts.dropLast().last?.first == "@" && parts.dropLast(2).last == "node_modules"
    }

    static func npm(_ bytes: [UInt8], path: String) -> InstalledPackage? {
        guard let document = try? JSONDocument(parsing: bytes, naming: path),
            let name = document["name"]?.string, let version = document["version"]?.string
        else { return nil }
        return InstalledPackage(manager: .npm, name: name, version: version, path: path)
    }

    /// Whether a path is `…/specifications/NAME-VERSION.gemspec`, or one of Ruby's own in `specifications/default`.
    static func isGemSpecification(_ path: String) -> Bool {
        guard path.hasSuffix(".gemspec") else { return false }
        let folders = path.pathParts.dropLast()
        return folders.last == "specifications"
            || (folders.last == "default" && folders.dropLast().last == "specifications")
    }

    /// Reads the name and the version that RubyGems writes into an installed specification: `s.name = "NAME".freeze`.
    static func gem(_ text: String, path: String) -> InstalledPackage? {
        func value(_ member: String) -> String? {
            for line in text.split(separator: "\n", maxSplits: 64) {
                let line = String(line).trimmedBlanks
                guard line.hasPrefix("s.\(member) = ") else { continue }
                let quoted = line.split(separator: "\"", omittingEmptySubsequences: false)
                return quoted.count > 2 ? String(quoted[1]) : nil
            }
            return nil
        }
        guard let name = value("name"), let version = value("version") else { return nil }
        return InstalledPackage(manager: .gem, name: name, version: version, path: path)
    }
}
