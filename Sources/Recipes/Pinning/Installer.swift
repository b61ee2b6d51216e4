import Basics
import Explorer

/// A program that installs packages, and how its command line names them.
///
/// Sources: apt-get(8), apk-add(8), dnf(8), `pip install --help`, `npm help install`, `gem help install`.
enum Installer: String, CaseIterable {
    case apt, apk, dnf, pip, npm, gem

    /// A command of an installer that was found in a text.
    struct Call: Hashable {
        var installer: Installer
        /// The index of the word behind which options and packages stand.
        var verb: Int
        /// The indexes of the words that name packages.
        var packages: [Int] = []
        /// The indexes of words that name a list of packages: `-r FILE` of pip.
        var lists: [Int] = []
        /// Whether it changes packages without naming them one by one, as `apt-get upgrade` and `build-dep` do.
        var isUpgrade = false
    }

    /// The database in which its packages stand.
    var manager: InstalledPackage.Manager {
        switch self {
        case .apt: .dpkg
        case .apk: .apk
        case .dnf: .rpm
        case .pip: .pip
        case .npm: .npm
        case .gem: .gem
        }
    }

    /// Installers that are known, and whose packages cannot be pinned by a word.
    private static let others: Set<String> = [
        "zypper", "pacman", "cargo", "go", "conda", "mamba", "brew", "composer", "cpan", "cpanm", "luarocks", "yarn",
        "pnpm", "emerge", "xbps-install", "nix-env", "uv", "pipx", "poetry",
    ]

    /// The name of an installer that a command calls and that is not one of these; `nil` for any other command.
    static func other(_ values: [String?]) -> String? {
        guard let name = program(values).map({ values[$0] ?? "" })?.lastPart, others.contains(name) else { return nil }
        let verbs: Set<String> = [
            "install", "in", "add", "get", "-S", "-Sy", "-Syu", "tool", "global", "require", "-i",
        ]
        return values.contains { verbs.contains($0 ?? "") } || name == "cpanm" ? name : nil
    }

    /// The index of the program's word, behind `sudo`, `env`, `exec` and the like.
    private static func program(_ values: [String?]) -> Int? {
        var index = 0
        while index < values.count, let word = values[index] {
            let isWrapper = ["sudo", "env", "exec", "command", "nice", "eatmydata"].contains(word.lastPart)
            // Assignments stand behind env, options behind both.
            guard isWrapper || (index > 0 && (word.contains("=") || word.hasPrefix("-"))) else { return index }
            index += 1
        }
        return nil
    }

    /// The call that a command's words are; `nil` for any other command.
    ///
    /// A word whose value is not known is an option or a package by its place.
    static func call(_ values: [String?]) -> Call? {
        guard var index = program(values), let name = values[index]?.lastPart else { return nil }
        var installer: Installer
        switch name {
        case "apt-get", "apt", "aptitude": installer = .apt
        case "apk": installer = .apk
        case "dnf", "yum", "microdnf", "tdnf", "dnf5": installer = .dnf
        case "npm": installer = .npm
        case "gem": installer = .gem
        case _ where isVersioned(name, "pip"): installer = .pip
        case _ where isVersioned(name, "python"):
            guard values.count > index + 2, values[index + 1] == "-m", values[index + 2] == "pip" else { return nil }
            (installer, index) = (.pip, index + 2)
        default: return nil
        }
        return installer.call(values, from: index + 1)
    }

    /// `pip`, `pip3`, `pip3.11`.
    private static func isVersioned(_ name: String, _ program: String) -> Bool {
        name.hasPrefix(program) && name.dropFirst(program.count).allSatisfy { $0 == "." || $0.isNumber }
    }

    private func call(_ values: [String?], from start: Int) -> Call? {
        var verb: Int?
        var found = Call(installer: self, verb: 0)
        var isGlobal = false
        var index = start
        var onlyOperands = false
        while index < values.count {
            defer { index += 1 }
            guard let word = values[index] else {
                if verb != nil { found.packages.append(index) }
                continue
            }
            if word == "--" {
                onlyOperands = true
            } else if word.hasPrefix("-"), word.count > 1, !onlyOperands {
                if ["-g", "--global", "--location=global"].contains(word) { isGlobal = true }
                if self == .pip, let list = listWord(word, at: index, values.count) { found.lists.append(list) }
                // A version of its own option pins all packages of the call.
                if self == .gem, word == "-v" || word.hasPrefix("--version") { return nil }
                if valued.contains(word) { index += 1 }
            } else if verb == nil {
                verb = index
                guard installs.contains(word) else {
                    found.isUpgrade = upgrades.contains(word)
                    guard found.isUpgrade else { return nil }
                    continue
                }
            } else {
                found.packages.append(index)
            }
        }
        guard let verb, !(self == .npm && !isGlobal) else { return nil }
        found.verb = verb
        return found
    }

    /// The word that names pip's list of packages, when an option does.
    private func listWord(_ option: String, at index: Int, _ count: Int) -> Int? {
        if option == "-r" || option == "--requirement" { return index + 1 < count ? index + 1 : nil }
        return option.hasPrefix("--requirement=") || (option.hasPrefix("-r") && option.count > 2) ? index : nil
    }

    private var installs: Set<String> {
        switch self {
        case .apt: ["install", "reinstall"]
        case .apk: ["add"]
        case .dnf: ["install", "reinstall", "groupinstall", "localinstall"]
        case .pip: ["install"]
        case .npm: ["install", "i", "add"]
        case .gem: ["install", "i"]
        }
    }

    private var upgrades: Set<String> {
        switch self {
        case .apt: ["upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "build-dep", "satisfy"]
        case .apk: ["upgrade"]
        case .dnf: ["update", "upgrade", "distro-sync"]
        case .pip: []
        case .npm: ["update", "upgrade"]
        case .gem: ["update"]
        }
    }

    /// Options whose value is the next word.
    private var valued: Set<String> {
        switch self {
        case .apt:
            ["-o", "-c", "-t", "-a", "--option", "--config-file", "--target-release", "--default-release", "-P"]
        case .apk:
            [
                "-t", "--virtual", "-X", "--repository", "-p", "--root", "--keys-dir", "--repositories-file", "--arch",
                "--cache-dir", "--cache-max-age", "--wait", "--timeout",
            ]
        case .dnf:
            [
                "--enablerepo", "--disablerepo", "--repo", "--setopt", "-x", "--exclude", "--installroot",
                "--releasever", "-c", "--config", "-d", "-e", "--forcearch", "--advisory",
            ]
        case .pip:
            [
                "-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-t", "--target", "--root", "--prefix",
                "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--platform", "--python-version",
                "--implementation", "--abi", "--upgrade-strategy", "--no-binary", "--only-binary", "--proxy",
                "--timeout", "--retries", "--cache-dir", "--cert", "--client-cert", "--trusted-host", "--log", "--src",
                "--report", "--progress-bar", "-C", "--config-settings", "--global-option", "--python", "-b",
            ]
        case .npm:
            [
                "--prefix", "--registry", "--cache", "--omit", "--include", "--tag", "--loglevel", "--location",
                "--userconfig", "--globalconfig", "-C", "-w", "--workspace",
            ]
        case .gem:
            [
                "-i", "--install-dir", "-n", "--bindir", "-s", "--source", "-P", "--trust-policy", "--platform",
                "--build-root", "-p", "--http-proxy", "--config-file", "-m", "--document",
            ]
        }
    }
}
