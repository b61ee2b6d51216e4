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
            (--home|-S|--session|-l|--log-level) previous= ; continue ;;
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
        (-l|--log-level) _shale_offer =debug,info,warning,error ;;
        (*)
            _describe command _shale_verbs
            compadd -- --home --session --offline --no-rc --keep-going --log-level --debug --version --help
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
