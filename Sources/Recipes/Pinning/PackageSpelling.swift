import Basics
import Explorer
import Images

/// What a word of an installer's command line names, and how the same package is named with its version.
struct PackageSpelling {
    /// What is written in place of a word.
    enum Pin: Hashable {
        case pinned(String, InstalledPackage)
        /// The word is right as it is: a version already, a file, a removal.
        case unchanged
        /// Why it cannot be pinned.
        case impossible(String)
    }

    private let installer: Installer
    private let packages: [String: [InstalledPackage]]
    private let added: Set<InstalledPackage>
    /// Packages by the other names for which they stand.
    private let providers: [String: [InstalledPackage]]

    /// `packages` are what is installed when the step has ended; `added` are those of them that are new then.
    init(_ installer: Installer, _ packages: [InstalledPackage], added: [InstalledPackage]) {
        self.installer = installer
        let own = packages.filter { package in
            package.manager == installer.manager && (installer != .npm || Self.isTopLevel(package))
        }
        self.added = Set(added)
        self.packages = Dictionary(grouping: own) { Self.key($0.name, installer) }
        var providers: [String: [InstalledPackage]] = [:]
        for package in added where package.manager == installer.manager {
            for name in package.provides { providers[name, default: []].append(package) }
        }
        self.providers = providers
    }

    func pin(_ word: String, isPattern: Bool) -> Pin {
        if isPattern, installer != .pip { return .impossible("the shell or the installer reads it as a pattern") }
        return switch installer {
        case .apt: apt(word)
        case .apk: apk(word)
        case .dnf: dnf(word)
        case .pip: pip(word)
        case .npm: npm(word)
        case .gem: gem(word)
        }
    }

    /// The word that installs exactly a package.
    static func word(_ package: InstalledPackage, _ installer: Installer, as name: String? = nil) -> String {
        let name = name ?? package.name
        switch installer {
        case .apt, .apk: return "\(name)=\(package.version)"
        case .dnf: return "\(name)-\(withoutEpoch(package.version))"
        case .pip: return "\(name)==\(package.version)"
        case .npm: return "\(name)@\(package.version)"
        case .gem: return "\(name):\(package.version)"
        }
    }

    /// The installed package of a name: the one that the step brought, where several are installed.
    private func found(_ name: String, architecture: String? = nil) -> InstalledPackage? {
        var all = packages[Self.key(name, installer)] ?? []
        if let architecture { all = all.filter { $0.architecture == architecture } }
        if Set(all.map(\.version)).count > 1 {
            let new = all.filter(added.contains)
            guard Set(new.map(\.version)).count == 1 else { return nil }
            return new.first
        }
        return all.first
    }

    private func pinned(_ name: String, _ written: String? = nil, architecture: String? = nil) -> Pin {
        guard let package = found(name, architecture: architecture) else {
            // A name that only one new package stands for means that package.
            if let only = providers[name], only.count == 1 {
                return .pinned(Self.word(only[0], installer), only[0])
            }
            let isHere = packages[Self.key(name, installer)] != nil
            return .impossible(
                isHere
                    ? "several versions of it are installed when the step has ended"
                    : "no package of this name is installed when the step has ended")
        }
        return .pinned(Self.word(package, installer, as: written ?? name), package)
    }

    // MARK: Each installer

    /// `NAME[:ARCH][=VERSION][/RELEASE][+|-]`; a path is a file.
    private func apt(_ word: String) -> Pin {
        if found(word) != nil { return pinned(word) }
        if word.contains("="), !word.hasPrefix("=") { return .unchanged }
        if word.hasPrefix("/") || word.hasPrefix("./") || word.hasPrefix("../") || word.hasSuffix(".deb") {
            return .unchanged
        }
        // `NAME-` removes it, `NAME^` is a task.
        if word.hasSuffix("-") { return .unchanged }
        if word.hasSuffix("^") { return .impossible("it is a task, of many packages") }
        var name = word.hasSuffix("+") ? String(word.dropLast()) : word
        if let slash = name.firstIndex(of: "/") { name = String(name[..<slash]) }
        if let colon = name.lastIndex(of: ":") {
            let architecture = String(name[name.index(after: colon)...])
            let isAny = architecture == "any" || architecture == "native" || architecture == "all"
            return pinned(String(name[..<colon]), name, architecture: isAny ? nil : architecture)
        }
        return pinned(name)
    }

    /// `NAME[(=|<|>|~)VERSION][@REPOSITORY]`, `!NAME`.
    private func apk(_ word: String) -> Pin {
        if word.hasPrefix("!") || word.hasPrefix("/") || word.hasPrefix("./") || word.hasSuffix(".apk") {
            return .unchanged
        }
        if word.contains("@") { return .impossible("it names a repository of its own") }
        let name = String(word.prefix { !"=<>~".contains($0) })
        let rest = word.dropFirst(name.count)
        if rest.hasPrefix("="), !rest.hasPrefix("=~") { return .unchanged }
        return pinned(name)
    }

    /// `NAME[-VERSION[-RELEASE]][.ARCH]`, a path that a package provides, `@GROUP`, a file or a URL.
    private func dnf(_ word: String) -> Pin {
        if word.hasPrefix("@") { return .impossible("it is a group of packages") }
        if word.hasSuffix(".rpm") || word.contains("://") { return .unchanged }
        if word.hasPrefix("/") { return .impossible("it is a path that some package provides") }
        if found(word) != nil { return pinned(word) }
        if let dot = word.lastIndex(of: ".") {
            let (name, architecture) = (String(word[..<dot]), String(word[word.index(after: dot)...]))
            if let package = found(name, architecture: architecture), package.architecture == architecture {
                return .pinned("\(Self.word(package, installer)).\(architecture)", package)
            }
        }
        // A version in the word already; the release behind it may be missing.
        for package in packages.values.joined() where word.hasPrefix("\(package.name)-") {
            let whole = Self.word(package, installer)
            if word == whole || word == "\(whole).\(package.architecture)" { return .unchanged }
            if whole.hasPrefix("\(word)-") { return .pinned(whole, package) }
        }
        return pinned(word)
    }

    /// `NAME[EXTRAS] [SPECIFIERS] [; MARKER]` (PEP 508), a path, an archive or a URL.
    private func pip(_ word: String) -> Pin {
        if word.contains("://") || word.contains(" @ ") {
            return .impossible("it is fetched from an address: what lies there can change")
        }
        if word == "." || word.contains("/") || [".whl", ".tar.gz", ".zip"].contains(where: word.hasSuffix) {
            return .unchanged
        }
        let head = word.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String((head.first ?? "").prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) })
        let rest = String((head.first ?? "").dropFirst(name.count)).trimmedBlanks
        var extras = ""
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") { extras = String(rest[...end]) }
        let specifier = rest.dropFirst(extras.count).drop { $0 == " " }
        if specifier.hasPrefix("=="), !specifier.contains("*"), !specifier.contains(",") { return .unchanged }
        guard !name.isEmpty, let package = found(name) else { return pinned(word) }
        let marker = head.count > 1 ? "; \(String(head[1]).trimmedBlanks)" : ""
        return .pinned(Self.word(package, installer, as: name + extras) + marker, package)
    }

    /// `[@SCOPE/]NAME[@RANGE|@TAG]`, a folder, an archive, a git address or a URL.
    private func npm(_ word: String) -> Pin {
        let isScoped = word.hasPrefix("@")
        if word.contains("://") || word.hasPrefix("git+") || word.contains(":") || word.contains("@npm:") {
            return .impossible("it is fetched from an address: what lies there can change")
        }
        if word.hasPrefix(".") || word.hasPrefix("/") || word.hasSuffix(".tgz") { return .unchanged }
        if !isScoped, word.contains("/") { return .impossible("it is a git repository") }
        let start = isScoped ? word.index(after: word.startIndex) : word.startIndex
        guard let sign = word[start...].firstIndex(of: "@") else { return pinned(word) }
        let version = word[word.index(after: sign)...]
        if version.split(separator: ".").count == 3, version.first?.isNumber == true { return .unchanged }
        return pinned(String(word[..<sign]))
    }

    private func gem(_ word: String) -> Pin {
        if word.contains("/") || word.hasSuffix(".gem") || word.contains(":") { return .unchanged }
        return pinned(word)
    }

    // MARK: Names

    /// The name by which two spellings of one package are the same (PEP 503 for Python).
    static func key(_ name: String, _ installer: Installer) -> String {
        guard installer == .pip else { return name }
        var key = ""
        for character in name.lowercased() {
            let isSeparator = "-_.".contains(character)
            if isSeparator, key.hasSuffix("-") { continue }
            key.append(isSeparator ? "-" : character)
        }
        return key
    }

    /// Whether a Node package is installed for the whole system, and is no dependency inside another one.
    static func isTopLevel(_ package: InstalledPackage) -> Bool {
        package.path.contains("/lib/node_modules/") && package.path.pathParts.count { $0 == "node_modules" } == 1
    }

    private static func withoutEpoch(_ version: String) -> String {
        guard let colon = version.firstIndex(of: ":"), version[..<colon].allSatisfy(\.isNumber) else { return version }
        return String(version[version.index(after: colon)...])
    }
}
