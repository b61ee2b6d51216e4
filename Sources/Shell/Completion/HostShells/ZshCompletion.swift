/// `completions/_shale`.
enum ZshCompletion {
    static func script(_ table: CompletionTable) -> String {
        var text =
            "#compdef shale\n" + CompletionTable.header("zsh", install: "Put it as _shale into a folder of $fpath.")
        text += "\n_shale_verbs=(\n"
        for row in table.rows {
            for name in row.names { text += "    \(CompletionTable.quoted("\(name):\(row.summary)"))\n" }
        }
        text +=
            ")\n\n# Sets flags (FLAG:SUMMARY), values (FLAG:KIND) and operands of a command.\n_shale_command() {\n    case $1 in\n"
        for row in table.rows {
            text += "    (\(row.names.joined(separator: "|")))\n        flags=(\n"
            for flag in row.flags {
                for name in flag.names {
                    text += "            \(CompletionTable.quoted("\(name):\(flag.summary)"))\n"
                }
            }
            text += "        )\n        values=("
            let values = row.flags.flatMap { flag in
                flag.value.map { value in flag.names.map { "\($0) \(CompletionTable.kind(of: value))" } } ?? []
            }
            text += values.joined(separator: " ") + ")\n"
            text += "        operands=(\(row.operands.joined(separator: " ")))\n        ;;\n"
        }
        return text + "    (*) return 1 ;;\n    esac\n}\n" + CompletionTable.functions(PackageResources.functions_zsh)
    }
}
