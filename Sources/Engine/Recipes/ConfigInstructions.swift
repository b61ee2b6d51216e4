import Dockerfiles
package import OCI

/// The instructions that lead from one config to another.
package enum ConfigInstructions {
    package static func lines(from old: ContainerConfig, to new: ContainerConfig) -> [String] {
        var lines: [String] = []
        lines += environment(old.env ?? [], new.env ?? [])
        for (name, value) in (new.labels ?? [:]).sorted(by: { $0.key < $1.key })
        where old.labels?[name] != value && canSay(value) {
            lines.append("LABEL \(quoted(name))=\(quoted(value))")
        }
        let ports = Set((new.exposedPorts ?? [:]).keys).subtracting((old.exposedPorts ?? [:]).keys)
        if !ports.isEmpty { lines.append("EXPOSE \(ports.sorted().joined(separator: " "))") }
        let volumes = Set((new.volumes ?? [:]).keys).subtracting((old.volumes ?? [:]).keys)
        if !volumes.isEmpty { lines.append("VOLUME \(array(volumes.sorted()))") }
        if let directory = new.workingDir, !directory.isEmpty, directory != old.workingDir {
            lines.append("WORKDIR \(quoted(directory))")
        }
        if (new.user ?? "") != (old.user ?? "") {
            lines.append("USER \(new.user.flatMap { $0.isEmpty ? nil : quoted($0) } ?? "${NO_USER}")")
        }
        if new.shell != old.shell, let shell = new.shell { lines.append("SHELL \(array(shell))") }
        if new.stopSignal != old.stopSignal, let signal = new.stopSignal { lines.append("STOPSIGNAL \(signal)") }
        let hasNewEntrypoint = (new.entrypoint ?? []) != (old.entrypoint ?? [])
        if hasNewEntrypoint { lines.append("ENTRYPOINT \(array(new.entrypoint ?? []))") }
        // A new entrypoint drops the command that was inherited.
        if (new.cmd ?? []) != (old.cmd ?? []) || (hasNewEntrypoint && !(new.cmd ?? []).isEmpty) {
            lines.append("CMD \(array(new.cmd ?? []))")
        }
        if new.healthcheck != old.healthcheck, let check = new.healthcheck { lines.append(healthcheck(check)) }
        let known = old.onBuild ?? []
        for trigger in (new.onBuild ?? []).dropFirst(known.count) { lines.append("ONBUILD \(trigger)") }
        return lines
    }

    /// Whether the instructions lead all the way: nothing was taken away, and no value has line breaks.
    static func canSay(from old: ContainerConfig, to new: ContainerConfig) -> Bool {
        let names = Set((new.env ?? []).map { $0.prefix { $0 != "=" } })
        let changed = (new.env ?? []).filter { !(old.env ?? []).contains($0) } + (new.labels ?? [:]).values
        return (old.env ?? []).allSatisfy { names.contains($0.prefix { $0 != "=" }) }
            && Set((old.labels ?? [:]).keys).isSubset(of: (new.labels ?? [:]).keys)
            && Set((old.exposedPorts ?? [:]).keys).isSubset(of: (new.exposedPorts ?? [:]).keys)
            && Set((old.volumes ?? [:]).keys).isSubset(of: (new.volumes ?? [:]).keys)
            && changed.allSatisfy(canSay)
    }

    private static func canSay(_ text: String) -> Bool {
        !text.unicodeScalars.contains { $0 == "\n" || $0 == "\r" }
    }

    private static func environment(_ old: [String], _ new: [String]) -> [String] {
        new.filter { !old.contains($0) && canSay($0) }.map { assignment in
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return "ENV \(parts[0])=\(quoted(parts.count > 1 ? String(parts[1]) : ""))"
        }
    }

    private static func healthcheck(_ check: HealthConfig) -> String {
        guard let kind = check.test?.first, kind != "NONE" else { return "HEALTHCHECK NONE" }
        var value = HealthCheck(test: check.test ?? [])
        value.interval = check.interval ?? 0
        value.timeout = check.timeout ?? 0
        value.startPeriod = check.startPeriod ?? 0
        value.startInterval = check.startInterval ?? 0
        value.retries = check.retries ?? 0
        return Instruction.healthcheck(value).printed()
    }

    /// A word that an instruction takes as it is, whatever is in it.
    package static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy { $0.isASCIIAlphanumeric || "-_./:,@%+".utf8.contains($0) }
        if isPlain { return word }
        var text = "\""
        for character in word.unicodeScalars {
            if character == "\"" || character == "\\" || character == "$" { text.unicodeScalars.append("\\") }
            text.unicodeScalars.append(character)
        }
        return text + "\""
    }

    /// The JSON form of a list of words.
    package static func array(_ words: [String]) -> String {
        "[" + words.map { JSONDocument.string($0).text() }.joined(separator: ", ") + "]"
    }
}
