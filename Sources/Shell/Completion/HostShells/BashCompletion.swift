/// `completions/shale.bash`.
enum BashCompletion {
    static func script(_ table: CompletionTable) -> String {
        var text = CompletionTable.header("bash", install: "Source it, or put it into bash-completion's folder.")
        text += "\n_shale_verbs=" + CompletionTable.quoted(table.rows.flatMap(\.names).joined(separator: " "))
        text += "\n\n# Sets flags, values (FLAG:KIND) and operands of a command.\n_shale_command() {\n    case $1 in\n"
        for row in table.rows {
            let flags = row.flags.flatMap(\.names)
            let values = row.flags.flatMap { flag in
                flag.value.map { value in flag.names.map { "\($0):\(CompletionTable.kind(of: value))" } } ?? []
            }
            text += """
                    \(row.names.joined(separator: " | ")))
                        flags=\(CompletionTable.quoted(flags.joined(separator: " ")))
                        values=\(CompletionTable.quoted(values.joined(separator: " ")))
                        operands=\(CompletionTable.quoted(row.operands.joined(separator: " ")))
                        ;;

                """
        }
        return text + "    *) return 1 ;;\n    esac\n}\n" + CompletionTable.functions(PackageResources.functions_bash)
    }
}
