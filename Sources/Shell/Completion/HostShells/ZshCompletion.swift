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
        return text + "    (*) return 1 ;;\n    esac\n}\n" + functions
    }

    private static let functions = #"""

        # Adds what exists of a kind.
        _shale_offer() {
            local kind=$1
            local -a found
            case $kind in
            (none|'') ;;
            (host.path) _files ;;
            (host.directory) _files -/ ;;
            (\=*) compadd -- ${(s:,:)${kind#=}} ;;
            (*)
                found=(${(f)"$(shale complete $kind "$PREFIX" $done 2>/dev/null)"})
                compadd -S '' -- ${(M)found:#*[/:]}
                compadd -- ${found:#*[/:]}
                [[ $kind == *.host ]] && _files
                ;;
            esac
        }

        _shale() {
            local verb= word previous=
            local -a flags operands done
            local -A values
            for word in ${words[2,CURRENT-1]}; do
                if [[ -z $verb ]]; then
                    case $previous in
                    (--home|-S|--session|--log-level) previous= ; continue ;;
                    esac
                    if [[ $word == -* ]]; then
                        previous=$word
                    else
                        verb=$word previous=
                        _shale_command $verb || return 1
                    fi
                elif [[ -n $previous ]]; then
                    previous=
                elif [[ $word == -* ]]; then
                    [[ $word != *=* && -n ${values[$word]} ]] && previous=$word
                else
                    done+=($word)
                fi
            done
            if [[ -z $verb ]]; then
                case $previous in
                (--home) _shale_offer host.directory ;;
                (-S|--session) _shale_offer session ;;
                (*)
                    _describe command _shale_verbs
                    compadd -- --home --session --offline --no-rc --keep-going --version --help
                    ;;
                esac
            elif [[ -n $previous ]]; then
                _shale_offer ${values[$previous]}
            elif [[ $PREFIX == -* ]]; then
                _describe flag flags
            elif (( $#operands )); then
                local index=$(( $#done + 1 ))
                (( index > $#operands )) && index=$#operands
                _shale_offer $operands[index]
            fi
        }
        if [[ $funcstack[1] == _shale ]]; then _shale "$@"; else compdef _shale shale; fi

        """#
}
