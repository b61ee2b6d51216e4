import Basics
import Dockerfiles
import Layers
package import OCI

/// The instructions that lead from one config to another.
package enum ConfigInstructions {
    /// The instructions, and the members that they cannot set.
    package struct Plan {
        package var lines: [String] = []
        /// Members of the config, by docker's names, that no instruction can set to their value.
        package var unsaid: [String] = []
    }

    package static func lines(from old: ContainerConfig, to new: ContainerConfig) -> [String] {
        plan(from: old, to: new).lines
    }

    /// Each line is read again as a builder reads it, and left out unless it sets what it is meant to and no more.
    package static func plan(from old: ContainerConfig, to new: ContainerConfig) -> Plan {
        let wanted = ConfigMembers.pieces(of: old).union(ConfigMembers.pieces(of: new))
        var plan = Plan()
        var reached = old
        for line in candidates(from: old, to: new) {
            guard line.hasPrefix("ONBUILD ") || isOneLine(line) else { continue }
            var next = reached
            guard (try? ConfigChange.carryOut(line, on: &next)) != nil,
                ConfigMembers.pieces(of: next).isSubset(of: wanted)
            else { continue }
            reached = next
            plan.lines.append(line)
        }
        plan.unsaid = ConfigMembers(reached).differences(from: ConfigMembers(new))
        return plan
    }

    /// `MAINTAINER` with exactly this author; `nil` when the instruction cannot express it.
    package static func maintainer(_ author: String) -> String? {
        let line = "MAINTAINER \(author)"
        guard isOneLine(line), case .maintainer(let read)? = (try? Instruction.parse(line: line))?.value,
            PathOrder.same(read, author)
        else { return nil }
        return line
    }

    /// Whether a text is read as one line, whole: no line break, not even one that `String` holds for a
    /// letter with its neighbour (CR LF), no escape at the end.
    package static func isOneLine(_ text: String) -> Bool {
        text.utf8.last != UInt8(ascii: "\\")
            && !text.unicodeScalars.contains { $0 == "\n" || $0 == "\r" || $0.value == 0 }
    }

    private static func candidates(from old: ContainerConfig, to new: ContainerConfig) -> [String] {
        var lines = environment(old.env ?? [], new.env ?? [])
        let known = old.labels ?? [:]
        for (name, value) in (new.labels ?? [:]).sorted(by: { PathOrder.precedes($0.key, $1.key) })
        where !same(known[name], value) || !known.keys.contains(where: { PathOrder.same($0, name) }) {
            lines.append("LABEL \(DockerfileWord.quoted(name))=\(DockerfileWord.quoted(value))")
        }
        let ports = added((old.exposedPorts ?? [:]).keys, (new.exposedPorts ?? [:]).keys)
        if !ports.isEmpty { lines.append("EXPOSE \(ports.joined(separator: " "))") }
        let volumes = added((old.volumes ?? [:]).keys, (new.volumes ?? [:]).keys)
        if !volumes.isEmpty { lines.append("VOLUME \(array(volumes.map(unexpanded)))") }
        if let directory = new.workingDir, !directory.isEmpty, !same(directory, old.workingDir) {
            lines.append("WORKDIR \(DockerfileWord.quoted(directory))")
        }
        if !same(new.user ?? "", old.user ?? "") {
            lines.append("USER \(new.user.flatMap { $0.isEmpty ? nil : DockerfileWord.quoted($0) } ?? "${NO_USER}")")
        }
        if !same(new.shell, old.shell), let shell = new.shell { lines.append("SHELL \(array(shell))") }
        if !same(new.stopSignal, old.stopSignal), let signal = new.stopSignal {
            lines.append("STOPSIGNAL \(DockerfileWord.quoted(signal))")
        }
        let hasNewEntrypoint = !same(new.entrypoint ?? [], old.entrypoint ?? [])
        if hasNewEntrypoint { lines.append("ENTRYPOINT \(array(new.entrypoint ?? []))") }
        // A new entrypoint drops the command that was inherited.
        if !same(new.cmd ?? [], old.cmd ?? []) || (hasNewEntrypoint && !(new.cmd ?? []).isEmpty) {
            lines.append("CMD \(array(new.cmd ?? []))")
        }
        if let check = new.healthcheck,
            new.healthcheck != old.healthcheck || !same(check.test, old.healthcheck?.test)
        {
            lines.append(healthcheck(check))
        }
        let triggers = old.onBuild ?? []
        for trigger in (new.onBuild ?? []).dropFirst(triggers.count) { lines.append("ONBUILD \(trigger)") }
        return lines
    }

    private static func environment(_ old: [String], _ new: [String]) -> [String] {
        let known = Set(old.map(PathKey.init))
        return new.filter { !known.contains(PathKey($0)) }.map { assignment in
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            return "ENV \(DockerfileWord.quoted(String(parts[0])))=\(DockerfileWord.quoted(value))"
        }
    }

    private static func added(
        _ old: Dictionary<String, EmptyObject>.Keys, _ new: Dictionary<String, EmptyObject>.Keys
    ) -> [String] {
        let known = Set(old.map(PathKey.init))
        return new.filter { !known.contains(PathKey($0)) }.sorted(by: PathOrder.precedes)
    }

    private static func same(_ left: String?, _ right: String?) -> Bool {
        left.map(PathKey.init) == right.map(PathKey.init)
    }

    private static func same(_ left: [String]?, _ right: [String]?) -> Bool {
        left?.map(PathKey.init) == right?.map(PathKey.init)
    }

    /// A word of a list whose words are expanded and not split.
    private static func unexpanded(_ word: String) -> String {
        word.utf8.contains { "\"'\\$".utf8.contains($0) } ? DockerfileWord.quoted(word) : word
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

    /// The JSON form of a list of words.
    package static func array(_ words: [String]) -> String {
        "[" + words.map { JSONDocument.string($0).text() }.joined(separator: ", ") + "]"
    }
}
