import Basics

/// `COPY` and `ADD` of a stage.
extension Planner {
    func checkSource(
        of copy: CopyInstruction, _ command: PlannedStage.Command, in place: Int
    ) throws(Complaint) {
        if let source = command.sources.first ?? nil, !stages[source].isDone || source == place {
            throw Complaint(
                "cannot copy from stage \(goQuoted(copy.from ?? "")), it needs to be defined before current stage "
                    + goQuoted(stages[place].name))
        }
        for path in copy.files.paths where RemoteSource(path) != nil {
            throw Complaint(
                RemoteSource(path) == .git
                    ? "source can't be a git ref for COPY" : "source can't be a URL for COPY")
        }
    }

    func checkChecksum(_ add: AddInstruction) throws(Complaint) {
        guard let checksum = add.checksum, !checksum.isEmpty else { return }
        guard add.files.paths.count == 1, let path = add.files.paths.first else {
            throw Complaint("checksum can't be specified for multiple sources")
        }
        if RemoteSource(path) == nil { throw Complaint("checksum requires HTTP(S) or Git sources") }
    }

    mutating func line(
        _ keyword: String, _ files: FileSources, flag: String, _ located: Located<Instruction>, ignores: Bool
    ) throws(Complaint) -> String {
        var text = keyword + flag
        if let owner = files.owner, !owner.isEmpty { text += " --chown=\(owner)" }
        if let mode = files.mode, !mode.isEmpty {
            try FileMode.check(mode)
            text += " --chmod=\(mode)"
        }
        for path in files.paths {
            text += " \(path)"
            if ignores, RemoteSource(path) == nil { warnAboutIgnored(path, keyword, located) }
        }
        for inline in files.inline { text += " <<\(inline.name)" }
        return "\(text) \(files.destination) # buildkit"
    }

    private mutating func warnAboutIgnored(_ path: String, _ keyword: String, _ located: Located<Instruction>) {
        // With exceptions it cannot be decided from the name alone.
        guard let list = options.ignoreList, !list.patterns.contains(where: { $0.hasPrefix("!") }) else { return }
        let cleaned = CleanPath.clean(path)
        if cleaned == "." || cleaned == "/", !list.patterns.contains(where: ["*", "**", "**/*"].contains) { return }
        guard list.matches(cleaned) != nil else { return }
        report.add(
            .copyIgnoredFile,
            "Attempting to \(keyword == "ADD" ? "Add" : "Copy") file \(goQuoted(cleaned)) that is excluded by "
                + ".dockerignore",
            at: located)
    }
}
