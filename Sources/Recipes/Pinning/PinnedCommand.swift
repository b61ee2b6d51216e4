import Basics
import Building
import Explorer
import Images
import OCI

/// A command of a `RUN` with its packages at versions and its downloads with checksums.
struct PinnedCommand {
    /// Every package that a lock names.
    struct Locked: Hashable {
        var package: InstalledPackage
        /// Whether the command names it; otherwise it came in beside a named one.
        var isNamed: Bool
    }

    struct File: Hashable {
        var address: String
        var path: String
        var checksum: String
    }

    private(set) var text: String
    /// What could not be pinned, in sentences.
    private(set) var notes: [String] = []
    /// What is otherwise than without the pins, in sentences.
    private(set) var remarks: [String] = []
    private(set) var locked: [Locked] = []
    private(set) var files: [File] = []

    private let facts: StepFacts
    private let installsExactly: Bool
    private var edits: [(range: Range<Int>, text: String)] = []
    private var spellings: [Installer: PackageSpelling] = [:]
    private let script: ShellCommands
    private let calls: [Installer.Call?]

    /// Reads a text for the shell, from a byte on.
    ///
    /// With `locked` the packages that came in beside the named ones are named too.
    init(_ text: String, from start: Int = 0, _ facts: StepFacts, locked installsExactly: Bool) {
        self.text = text
        self.facts = facts
        self.installsExactly = installsExactly
        script = ShellCommands(text, from: start)
        calls = script.commands.map { Installer.call($0.words.map(\.value)) }
    }

    /// The packages that its commands name, and the indexes of the commands that name one at least.
    var named: (packages: Set<InstalledPackage>, commands: Set<Int>) {
        var packages: Set<InstalledPackage> = []
        var commands: Set<Int> = []
        for (number, (command, call)) in zip(script.commands, calls).enumerated() {
            guard let call else { continue }
            if !call.lists.isEmpty { commands.insert(number) }
            let spelling = PackageSpelling(call.installer, facts.after, added: facts.added)
            for index in call.packages {
                let word = command.words[index]
                guard let value = word.value,
                    case .pinned(_, let package) = spelling.pin(value, isPattern: word.isPattern)
                else { continue }
                packages.insert(package)
                commands.insert(number)
            }
        }
        return (packages, commands)
    }

    /// Pins it; what came in beside the packages that any line of the step names is taken out of `others`.
    ///
    /// Throws what reading files throws.
    mutating func pin(others: inout [InstalledPackage]) throws(ShaleError) {
        if let obstacle = script.obstacle {
            if Self.mayInstall(text) { notes.append(obstacle) }
            return
        }
        let mains = Self.mains(script, calls, pinned: named.commands)
        for (index, (command, call)) in zip(script.commands, calls).enumerated() {
            if let call {
                pin(command, call)
                if mains.contains(index) { pin(&others, besideThoseOf: command, call) }
            } else if let download = Download.reading(command) {
                try pin(command, download, at: index)
            } else if let other = Installer.other(command.words.map(\.value)) {
                notes.append("\(other): shale knows no word that pins what it installs")
            }
        }
        carryOut()
        if !calls.allSatisfy({ $0 == nil }) { notes += facts.warnings }
    }

    /// Makes the changes from the end of the text on; of two at one place, the one noted first stands first.
    private mutating func carryOut() {
        var bytes = Array(text.utf8)
        let ordered = edits.enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) > ($1.element.range.lowerBound, $1.offset)
        }
        for (_, edit) in ordered { bytes.replaceSubrange(edit.range, with: edit.text.utf8) }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Whether a text that is not taken apart may install something.
    private static func mayInstall(_ text: String) -> Bool {
        ["install", "apk add", "upgrade", "curl ", "wget "].contains { text.contains($0) }
    }

    // MARK: Packages

    /// For each installer, the command that brought what came in beside: the first that installed what it names, or the
    /// first that reads a list.
    private static func mains(_ script: ShellCommands, _ calls: [Installer.Call?], pinned: Set<Int>) -> Set<Int> {
        var mains: [Installer: Int] = [:]
        for (index, call) in calls.enumerated() where pinned.contains(index) {
            guard let call else { continue }
            let known = mains[call.installer].flatMap { calls[$0] }
            if known == nil || (known?.lists.isEmpty == true && !call.lists.isEmpty) { mains[call.installer] = index }
        }
        return Set(mains.values)
    }

    private mutating func pin(_ command: ShellCommands.Command, _ call: Installer.Call) {
        if call.isUpgrade {
            let words = command.words[...call.verb].map { $0.value ?? "" }.joined(separator: " ")
            return notes.append("\(words): it takes what the repository has on the day")
        }
        let spelling = spelling(call.installer)
        for index in call.packages {
            let word = command.words[index]
            guard let value = word.value else {
                notes.append("\(written(word)): the shell makes the name")
                continue
            }
            switch spelling.pin(value, isPattern: word.isPattern) {
            case .unchanged: break
            case .impossible(let why): notes.append("\(value): \(why)")
            case .pinned(let text, let package):
                edits.append((word.range, text.shellQuoted))
                locked.append(Locked(package: package, isNamed: true))
            }
        }
    }

    /// Pins what came in beside the named packages: all of it for a list, and with `--locked`.
    private mutating func pin(
        _ others: inout [InstalledPackage], besideThoseOf command: ShellCommands.Command, _ call: Installer.Call
    ) {
        let beside = others.filter { $0.manager == call.installer.manager }
        guard !beside.isEmpty else { return }
        others.removeAll { $0.manager == call.installer.manager }
        locked += beside.map { Locked(package: $0, isNamed: false) }
        guard installsExactly || !call.lists.isEmpty else { return }
        let words = beside.map { package in
            PackageSpelling.word(package, call.installer, as: name(of: package)).shellQuoted
        }
        switch call.installer {
        case .apt:
            insert(" " + words.joined(separator: " "), behind: command)
            // The mark of a package that came in by itself is kept (apt-mark(8)); one that was there keeps its own.
            let known = Set(facts.before.map(\.name))
            let new = beside.filter { !known.contains($0.name) }.map(name(of:))
            guard !new.isEmpty else { return }
            append("apt-mark auto \(new.joined(separator: " ")) >/dev/null", to: command, because: "apt-mark")
        case .apk, .dnf, .gem:
            insert(" " + words.joined(separator: " "), behind: command)
            remarks.append("\(call.installer.rawValue) counts what came in beside as asked for, and keeps it")
        case .pip: constrain(command, words)
        case .npm: notes.append("npm: what a package depends on cannot be named beside it")
        }
    }

    private mutating func spelling(_ installer: Installer) -> PackageSpelling {
        if let known = spellings[installer] { return known }
        let spelling = PackageSpelling(installer, facts.after, added: facts.added)
        spellings[installer] = spelling
        return spelling
    }

    /// A package's name; of another architecture than the system's, with it.
    private func name(of package: InstalledPackage) -> String {
        guard package.manager == .dpkg, package.architecture != "all",
            let own = facts.after.first(where: { $0.manager == .dpkg && $0.name == "dpkg" })?.architecture,
            package.architecture != own
        else { return package.name }
        return "\(package.name):\(package.architecture)"
    }

    /// Gives pip a file of constraints, which holds what comes in at one version (pip's user guide, "Constraints Files").
    private mutating func constrain(_ command: ShellCommands.Command, _ words: [String]) {
        guard !command.isInPipe else { return notes.append("pip: what it reads from a pipe is not held at versions") }
        let file = "/tmp/shale-constraints.txt"
        let list = "{ printf '%s\\n' \(words.joined(separator: " ")) > \(file) && "
        edits.append((command.range.lowerBound..<command.range.lowerBound, list))
        insert(" -c \(file)", behind: command)
        edits.append(
            (command.range.upperBound..<command.range.upperBound, "; s=$?; rm -f \(file); [ $s = 0 ]; }"))
    }

    /// Inserts words behind the last word of a command, before its redirections.
    private mutating func insert(_ text: String, behind command: ShellCommands.Command) {
        guard let last = command.words.last else { return }
        edits.append((last.range.upperBound..<last.range.upperBound, text))
    }

    /// Appends a command that runs when the command succeeds, so that what stands around means the same.
    private mutating func append(_ text: String, to command: ShellCommands.Command, because subject: String) {
        guard !command.isInPipe else {
            return notes.append("\(subject): the command is a part of a pipe, and nothing can be added behind it")
        }
        // `set -e` does not count to the left of `&&`, and `||` binds no more loosely than `&&` does.
        let endsAtFailure = script.endsAtFailure && !command.isFollowedByList
        let needsBraces = script.endsAtFailure || script.hasAlternatives
        let (start, end) = (command.range.lowerBound, command.range.upperBound)
        if needsBraces { edits.append((start..<start, "{ ")) }
        edits.append((end..<end, "\(endsAtFailure ? "; " : " && ")\(text)\(needsBraces ? "; }" : "")"))
    }

    private func written(_ word: ShellCommands.Word) -> String {
        String(decoding: Array(text.utf8)[word.range], as: UTF8.self)
    }

    // MARK: Downloads

    private mutating func pin(
        _ command: ShellCommands.Command, _ reading: Download.Reading, at index: Int
    ) throws(ShaleError) {
        let download: Download
        switch reading {
        case .impossible(let why): return notes.append("\(command.words[0].value ?? "download"): \(why)")
        case .file(let found): download = found
        }
        guard case .known(let folder) = command.directory else {
            return notes.append("\(download.address): the directory of its file is not known")
        }
        let directory = folder.hasPrefix("/") ? folder : facts.directory.appendingPath(folder)
        let path = ImagePath.clean(
            download.file.hasPrefix("/") ? download.file : directory.appendingPath(download.file))
        guard !script.hasSubshell else {
            return notes.append("\(download.address): in parentheses a wrong checksum would not end the step")
        }
        guard !mayChange(download.file.lastPart, from: index + 1) else {
            return notes.append("\(download.address): a later command may change its file")
        }
        guard let checksum = try facts.checksum(of: path) else {
            return notes.append("\(download.address): its file is not there when the step has ended")
        }
        guard try facts.hasProgram("sha256sum") else {
            return notes.append("\(download.address): the image has no sha256sum to check it with")
        }
        files.append(File(address: download.address, path: path, checksum: checksum.description))
        let line = "\(checksum.hex)  \(download.file)".shellQuoted
        // A wrong checksum ends the step whatever stands behind; what is said of it is no output of the step's.
        append(
            "{ echo \(line) | sha256sum -c - >&2 || exit 1; }", to: command, because: download.address)
    }

    /// Programs that read a file that is named to them.
    private static let readers: Set<String> = [
        "tar", "unzip", "chmod", "chown", "ls", "cat", "sh", "bash", "dpkg", "rpm", "apt-get", "apt", "apk", "gpg",
        "gpgv", "sha256sum", "sha512sum", "md5sum", "test", "[", "echo", "python3", "pip", "pip3", "cd", "grep",
    ]

    /// Whether a command from an index on may write to a file of this name.
    private func mayChange(_ name: String, from index: Int) -> Bool {
        script.commands[index...].contains { command in
            let written = command.output.map(self.written) ?? ""
            if written.contains(name) { return true }
            guard let program = command.words.first?.value?.lastPart else { return true }
            return !Self.readers.contains(program)
                && command.words.dropFirst().contains { self.written($0).contains(name) }
        }
    }
}
