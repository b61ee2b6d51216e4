# Adds what exists of a kind.
_shale_offer() {
    local kind=$1 IFS=$'\n'
    case $kind in
    none | '') ;;
    host.path) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur")) ;;
    host.directory) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$cur")) ;;
    =*) COMPREPLY+=($(IFS=, ; compgen -W "${kind#=}" -- "$cur")) ;;
    *)
        COMPREPLY+=($(compgen -W "$(shale complete "$kind" "$cur" "${done[@]}" 2>/dev/null)" -- "$cur"))
        if [[ $kind == *.host ]]; then COMPREPLY+=($(compgen -f -- "$cur")); fi
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:] ]] && compopt -o nospace 2>/dev/null
        ;;
    esac
}

_shale() {
    local line=${COMP_LINE:0:COMP_POINT} cur verb= word previous= flags values operands
    local -a words done
    COMPREPLY=()
    # Words by blanks: bash itself would split names at their colons.
    read -ra words <<<"$line"
    cur=
    if [[ $line != *[[:space:]] ]]; then
        cur=${words[-1]}
        unset 'words[-1]'
    fi
    for word in "${words[@]:1}"; do
        if [[ -z $verb ]]; then
            case $previous in
            --home | -S | --session | -l | --log-level) previous= ; continue ;;
            esac
            case $word in
            -*) previous=$word ;;
            *) verb=$word previous= ; _shale_command "$verb" || return ;;
            esac
            continue
        fi
        if [[ -n $previous ]]; then
            previous=
        elif [[ $word == -* ]]; then
            [[ $word != *=* && " $values" == *" $word:"* ]] && previous=$word
        else
            done+=("$word")
        fi
    done
    if [[ -z $verb ]]; then
        case $previous in
        --home) _shale_offer host.directory ;;
        -S | --session) _shale_offer session ;;
        -l | --log-level) _shale_offer =debug,info,warning,error ;;
        *) COMPREPLY=($(compgen -W "$_shale_verbs --home --session --offline --no-rc --keep-going --log-level --debug --version --help" -- "$cur")) ;;
        esac
    elif [[ -n $previous ]]; then
        word=" $values "
        word=${word#*" $previous:"}
        _shale_offer "${word%% *}"
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    else
        local -a kinds=($operands)
        local index=${#done[@]}
        (( index >= ${#kinds[@]} )) && index=$(( ${#kinds[@]} - 1 ))
        (( index >= 0 )) && _shale_offer "${kinds[index]}"
    fi
    # What stands before the last colon is on the line already.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
    fi
}
complete -F _shale shale
