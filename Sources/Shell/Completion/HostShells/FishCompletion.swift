/// `completions/shale.fish`.
enum FishCompletion {
    static func script(_ table: CompletionTable) -> String {
        var text =
            CompletionTable.header("fish", install: "Put it into ~/.config/fish/completions.")
            + CompletionTable.functions(PackageResources.functions_fish) + "\n"
        for (flag, kind) in CompletionTable.globalValues where flag.hasPrefix("--") {
            text += "complete -c shale -n __fish_use_subcommand -l \(flag.dropFirst(2)) -r\(offer(kind))\n"
        }
        for flag in CompletionTable.globalSwitches {
            text += "complete -c shale -n __fish_use_subcommand -l \(flag.dropFirst(2))\n"
        }
        for row in table.rows {
            text += "\n"
            for name in row.names {
                text +=
                    "complete -c shale -n __fish_use_subcommand -f -a \(name) -d \(CompletionTable.quoted(row.summary))\n"
            }
            let seen = "-n '__fish_seen_subcommand_from \(row.names.joined(separator: " "))'"
            for flag in row.flags {
                let names = flag.names.map { name in
                    if name.hasPrefix("--") { return "-l \(name.dropFirst(2))" }
                    return name.count == 2 ? "-s \(name.dropFirst())" : "-o \(name.dropFirst())"
                }
                let value = flag.value.map { " -r" + offer(CompletionTable.kind(of: $0)) } ?? ""
                text +=
                    "complete -c shale \(seen) \(names.joined(separator: " "))\(value)"
                    + " -d \(CompletionTable.quoted(flag.summary))\n"
            }
            if !row.operands.isEmpty {
                let takesFiles = row.operands.contains { $0.hasPrefix("host.") || $0 == "place.host" }
                text +=
                    "complete -c shale \(seen)\(takesFiles ? "" : " -f") -a '(__shale_operand \(row.operands.joined(separator: " ")))'\n"
            }
        }
        return text
    }

    /// The words behind `-r` that say what a flag's value may be.
    private static func offer(_ kind: String) -> String {
        if kind.hasPrefix("=") { return " -f -a '\(kind.dropFirst().replacing(",", with: " "))'" }
        switch kind {
        case "none": return " -f"
        case "host.path": return " -F"
        case "host.directory": return " -f -a '(__fish_complete_directories)'"
        case "volume.host": return " -F -a '(shale complete \(kind) (commandline -ct) 2>/dev/null)'"
        default: return " -f -a '(shale complete \(kind) (commandline -ct) 2>/dev/null)'"
        }
    }
}
