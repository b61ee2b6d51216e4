package import OCI

/// The instructions that lead from one config to another.
package enum ConfigInstructions {
    package static func lines(from old: ContainerConfig, to new: ContainerConfig) -> [String] {
        var lines: [String] = []
        lines += environment(old.env ?? [], new.env ?? [])
        for (name, value) in (new.labels ?? [:]).sorted(by: { $0.key < $1.key }) where old.labels?[name] != value {
            lines.append("LABEL \(quoted(name))=\(quoted(value))")
        }
        let ports = Set((new.exposedPorts ?? [:]).keys).subtracting((old.exposedPorts ?? [:]).keys)
        if !ports.isEmpty { lines.append("EXPOSE \(ports.sorted().joined(separator: " "))") }
        let volumes = Set((new.volumes ?? [:]).keys).subtracting((old.volumes ?? [:]).keys)
        if !volumes.isEmpty { lines.append("VOLUME \(array(volumes.sorted()))") }
        if let directory = new.workingDir, !directory.isEmpty, directory != old.workingDir {
            lines.append("WORKDIR \(directory)")
        }
        if (new.user ?? "") != (old.user ?? "") {
            lines.append("USER \(new.user.flatMap { $0.isEmpty ? nil : $0 } ?? "root")")
        }
        if new.shell != old.shell, let shell = new.shell { lines.append("SHELL \(array(shell))") }
        if new.stopSignal != old.stopSignal, let signal = new.stopSignal { lines.append("STOPSIGNAL \(signal)") }
        let hasNewEntrypoint = (new.entrypoint ?? []) != (old.entrypoint ?? [])
        if hasNewEntrypoint { lines.append("ENTRYPOINT \(array(new.entrypoint ?? []))") }
        // A new entrypoint drops the command that was inherited.
        if (new.cmd ?? []) != (old.cmd ?? []) || (hasNewEntrypoint && !(new.cmd ?? []).isEmpty) {
            lines.append("CMD \(array(new.cmd ?? []))")
        }
        let known = old.onBuild ?? []
        for trigger in (new.onBuild ?? []).dropFirst(known.count) { lines.append("ONBUILD \(trigger)") }
        return lines
    }

    private static func environment(_ old: [String], _ new: [String]) -> [String] {
        new.filter { !old.contains($0) }.map { assignment in
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return "ENV \(parts[0])=\(quoted(parts.count > 1 ? String(parts[1]) : ""))"
        }
    }

    /// A word that an instruction takes as it is, whatever is in it.
    package static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_./:,@%+".utf8.contains($0) }
        if isPlain { return word }
        var text = "\""
        for character in word {
            if character == "\"" || character == "\\" || character == "$" { text += "\\" }
            text.append(character)
        }
        return text + "\""
    }

    /// The JSON form of a list of words.
    package static func array(_ words: [String]) -> String {
        "[" + words.map { JSONDocument.string($0).text() }.joined(separator: ", ") + "]"
    }
}
