# Completion of shale for bash. Source it, or put it into bash-completion's folder.
# Made by `shale completions bash` from the command table; scripts/completions writes it anew.

_shale_verbs='ref search tags pull push copy delete manifest platforms referrers ratelimit login logout images tag untag rmi history inspect save load import export squash config rebase append prune df run create start stop kill restart pause unpause rm rename update wait ps logs attach exec top stats port cp diff commit debug volume layers ls cat tree find stat du grep blame waste size packages base compare dockerfile build context why-cache dap enter steps undo redo timeline reflog recipe record replay goto edit drop move fork session lesson explain test expect help ? set unset alias source cd pwd info doctor trace time watch events system version clear tall quit exit'

# Sets flags, values (FLAG:KIND) and operands of a command.
_shale_command() {
    case $1 in
    ref)
        flags='--format --help -h'
        values='--format:format'
        operands='reference'
        ;;
    search)
        flags='--limit --filter -f --no-trunc --sort --format --help -h'
        values='--limit:none --filter:filter -f:filter --sort:=stars,pulls,name --format:format'
        operands='none'
        ;;
    tags)
        flags='--sort --limit --digests --format --help -h'
        values='--sort:none --limit:none --format:format'
        operands='reference reference'
        ;;
    pull)
        flags='--all-tags -a --quiet -q --platform --help -h'
        values='--platform:platform'
        operands='reference.remote'
        ;;
    push)
        flags='--all-tags -a --all-platforms --platform --quiet -q --compression --no-recipe --help -h'
        values='--platform:platform --compression:none'
        operands='image'
        ;;
    copy)
        flags='--all -a --platform --quiet -q --compression --help -h'
        values='--platform:platform --compression:none'
        operands='image image'
        ;;
    delete)
        flags='--remote --force -f --help -h'
        values=''
        operands='reference.remote'
        ;;
    manifest)
        flags='--platform --format --help -h'
        values='--platform:platform --format:format'
        operands='=create,annotate,inspect,push,rm'
        ;;
    platforms)
        flags='--remote --format --help -h'
        values='--format:format'
        operands='reference.remote'
        ;;
    referrers)
        flags='--filter -f --platform --format --quiet -q --help -h'
        values='--filter:filter -f:filter --platform:platform --format:format'
        operands='reference.remote'
        ;;
    ratelimit)
        flags='--format --help -h'
        values='--format:format'
        operands='reference.remote'
        ;;
    login)
        flags='--username -u --password -p --password-stdin --help -h'
        values='--username:none -u:none --password:none -p:none'
        operands='none'
        ;;
    logout)
        flags='--help -h'
        values=''
        operands='none'
        ;;
    images)
        flags='--all -a --digests --filter -f --format --no-trunc --quiet -q --tree --help -h'
        values='--filter:filter -f:filter --format:format'
        operands='image'
        ;;
    tag)
        flags='--help -h'
        values=''
        operands='image reference'
        ;;
    untag)
        flags='--help -h'
        values=''
        operands='image'
        ;;
    rmi)
        flags='--force -f --no-prune --dry-run --help -h'
        values=''
        operands='image'
        ;;
    history)
        flags='--human -H --no-human --no-trunc --quiet -q --layers --format --remote --platform --help -h'
        values='--format:format --platform:platform'
        operands='object'
        ;;
    inspect)
        flags='--format -f --type --size -s --remote --platform --help -h'
        values='--format:format -f:format --type:none --platform:platform'
        operands='object'
        ;;
    save)
        flags='--output -o --format --platform --help -h'
        values='--output:host.path -o:host.path --format:format --platform:platform'
        operands='image'
        ;;
    load)
        flags='--input -i --quiet -q --platform --help -h'
        values='--input:host.path -i:host.path --platform:platform'
        operands=''
        ;;
    import)
        flags='--change -c --message -m --platform --help -h'
        values='--change:none -c:none --message:none -m:none --platform:platform'
        operands='host.path reference'
        ;;
    export)
        flags='--output -o --help -h'
        values='--output:host.path -o:host.path'
        operands='object'
        ;;
    squash)
        flags='--from --to --tag -t --dry-run --help -h'
        values='--from:none --to:none --tag:reference -t:reference'
        operands='image'
        ;;
    config)
        flags='--env -e --unset-env --label -l --unset-label --expose --unexpose --volume -v --unset-volume --cmd --entrypoint --shell --workdir -w --workingdir --user -u --stop-signal --healthcheck --onbuild --author --change -c --message -m --tag -t --dry-run --help -h'
        values='--env:environment -e:environment --unset-env:none --label:none -l:none --unset-label:none --expose:none --unexpose:none --volume:volume.host -v:volume.host --unset-volume:none --cmd:none --entrypoint:none --shell:none --workdir:none -w:none --workingdir:none --user:none -u:none --stop-signal:signal --healthcheck:none --onbuild:none --author:none --change:none -c:none --message:none -m:none --tag:reference -t:reference'
        operands='image'
        ;;
    rebase)
        flags='--old --new --tag -t --dry-run --help -h'
        values='--old:image --new:image --tag:reference -t:reference'
        operands='image'
        ;;
    append)
        flags='--path --tag -t --dry-run --help -h'
        values='--path:none --tag:reference -t:reference'
        operands='image host.path'
        ;;
    prune)
        flags='--dry-run --force -f --all -a --volumes --history --undone --filter --help -h'
        values='--filter:filter'
        operands='none'
        ;;
    df)
        flags='--verbose -v --format --help -h'
        values='--format:format'
        operands=''
        ;;
    run)
        flags='--detach -d --interactive -i --tty -t --rm --name --attach -a --detach-keys --env -e --workdir -w --user -u --env-file --label -l --label-file --group-add --entrypoint --hostname -h --domainname --stop-signal --stop-timeout --volume -v --mount --tmpfs --volumes-from --read-only --device --shm-size --network --net --publish -p --publish-all -P --expose --add-host --dns --dns-search --dns-option --dns-opt --cap-add --cap-drop --privileged --security-opt --ulimit --memory -m --memory-swap --cpus --cpu-shares -c --cpuset-cpus --cpuset-mems --pids-limit --oom-score-adj --sysctl --init --log-driver --log-opt --health-cmd --health-interval --health-timeout --health-retries --health-start-period --health-start-interval --no-healthcheck --cidfile --pull --platform --quiet -q --restart --help'
        values='--name:none --attach:none -a:none --detach-keys:none --env:environment -e:environment --workdir:none -w:none --user:none -u:none --env-file:host.path --label:none -l:none --label-file:host.path --group-add:none --entrypoint:none --hostname:none -h:none --domainname:none --stop-signal:signal --stop-timeout:none --volume:volume.host -v:volume.host --mount:mount --tmpfs:none --volumes-from:none --device:none --shm-size:none --network:network --net:network --publish:none -p:none --expose:none --add-host:none --dns:none --dns-search:none --dns-option:none --dns-opt:none --cap-add:capability --cap-drop:capability --security-opt:none --ulimit:none --memory:none -m:none --memory-swap:none --cpus:none --cpu-shares:none -c:none --cpuset-cpus:none --cpuset-mems:none --pids-limit:none --oom-score-adj:none --sysctl:none --log-driver:none --log-opt:none --health-cmd:none --health-interval:none --health-timeout:none --health-retries:none --health-start-period:none --health-start-interval:none --cidfile:host.path --pull:none --platform:platform --restart:none'
        operands='image program'
        ;;
    create)
        flags='--interactive -i --tty -t --rm --name --attach -a --detach-keys --env -e --workdir -w --user -u --env-file --label -l --label-file --group-add --entrypoint --hostname -h --domainname --stop-signal --stop-timeout --volume -v --mount --tmpfs --volumes-from --read-only --device --shm-size --network --net --publish -p --publish-all -P --expose --add-host --dns --dns-search --dns-option --dns-opt --cap-add --cap-drop --privileged --security-opt --ulimit --memory -m --memory-swap --cpus --cpu-shares -c --cpuset-cpus --cpuset-mems --pids-limit --oom-score-adj --sysctl --init --log-driver --log-opt --health-cmd --health-interval --health-timeout --health-retries --health-start-period --health-start-interval --no-healthcheck --cidfile --pull --platform --quiet -q --restart --help'
        values='--name:none --attach:none -a:none --detach-keys:none --env:environment -e:environment --workdir:none -w:none --user:none -u:none --env-file:host.path --label:none -l:none --label-file:host.path --group-add:none --entrypoint:none --hostname:none -h:none --domainname:none --stop-signal:signal --stop-timeout:none --volume:volume.host -v:volume.host --mount:mount --tmpfs:none --volumes-from:none --device:none --shm-size:none --network:network --net:network --publish:none -p:none --expose:none --add-host:none --dns:none --dns-search:none --dns-option:none --dns-opt:none --cap-add:capability --cap-drop:capability --security-opt:none --ulimit:none --memory:none -m:none --memory-swap:none --cpus:none --cpu-shares:none -c:none --cpuset-cpus:none --cpuset-mems:none --pids-limit:none --oom-score-adj:none --sysctl:none --log-driver:none --log-opt:none --health-cmd:none --health-interval:none --health-timeout:none --health-retries:none --health-start-period:none --health-start-interval:none --cidfile:host.path --pull:none --platform:platform --restart:none'
        operands='image program'
        ;;
    start)
        flags='--attach -a --interactive -i --detach-keys --help -h'
        values='--detach-keys:none'
        operands='container.stopped'
        ;;
    stop)
        flags='--timeout -t --time --signal -s --help -h'
        values='--timeout:none -t:none --time:none --signal:signal -s:signal'
        operands='container.running'
        ;;
    kill)
        flags='--signal -s --help -h'
        values='--signal:signal -s:signal'
        operands='container.running'
        ;;
    restart)
        flags='--timeout -t --time --signal -s --help -h'
        values='--timeout:none -t:none --time:none --signal:signal -s:signal'
        operands='container'
        ;;
    pause)
        flags='--help -h'
        values=''
        operands='container.running'
        ;;
    unpause)
        flags='--help -h'
        values=''
        operands='container.paused'
        ;;
    rm)
        flags='--force -f --volumes -v --help -h'
        values=''
        operands='container'
        ;;
    rename)
        flags='--help -h'
        values=''
        operands='container none'
        ;;
    update)
        flags='--memory -m --memory-swap --cpus --cpu-shares -c --cpuset-cpus --cpuset-mems --pids-limit --restart --help -h'
        values='--memory:none -m:none --memory-swap:none --cpus:none --cpu-shares:none -c:none --cpuset-cpus:none --cpuset-mems:none --pids-limit:none --restart:none'
        operands='container'
        ;;
    wait)
        flags='--help -h'
        values=''
        operands='container'
        ;;
    ps)
        flags='--all -a --latest -l --last -n --quiet -q --size -s --no-trunc --filter -f --format --help -h'
        values='--last:none -n:none --filter:filter -f:filter --format:format'
        operands=''
        ;;
    logs)
        flags='--follow -f --tail -n --timestamps -t --since --until --details --help -h'
        values='--tail:none -n:none --since:none --until:none'
        operands='container'
        ;;
    attach)
        flags='--detach-keys --no-stdin --sig-proxy --no-sig-proxy --help -h'
        values='--detach-keys:none'
        operands='container.running'
        ;;
    exec)
        flags='--interactive -i --tty -t --detach -d --env -e --workdir -w --user -u --env-file --privileged --detach-keys --help'
        values='--env:environment -e:environment --workdir:none -w:none --user:none -u:none --env-file:host.path --detach-keys:none'
        operands='container.running program'
        ;;
    top)
        flags='--help -h'
        values=''
        operands='container.running'
        ;;
    stats)
        flags='--all -a --no-stream --no-trunc --format --help -h'
        values='--format:format'
        operands='container.running'
        ;;
    port)
        flags='--format --help -h'
        values='--format:format'
        operands='container container'
        ;;
    cp)
        flags='--archive -a --follow-link -L --quiet -q --chown --help -h'
        values='--chown:none'
        operands='place.host'
        ;;
    diff)
        flags='--stat --why -u --format --help -h'
        values='-u:none --format:format'
        operands='object'
        ;;
    commit)
        flags='--author -a --message -m --change -c --no-pause --keep-config --help -h'
        values='--author:none -a:none --message:none -m:none --change:none -c:none'
        operands='container reference'
        ;;
    debug)
        flags='--command -c --env -e --workdir -w --user -u --help'
        values='--command:none -c:none --env:environment -e:environment --workdir:none -w:none --user:none -u:none'
        operands='object program'
        ;;
    volume)
        flags='--help -h'
        values=''
        operands='=create,inspect,ls,prune,rm volume'
        ;;
    layers)
        flags='--tree --draw --html --no-trunc --format --remote --platform --help -h'
        values='--html:host.path --format:format --platform:platform'
        operands='object'
        ;;
    ls)
        flags='-l -a -A --recursive -R -h -d -1 -n -t -S -r --format --remote --platform --help -h'
        values='--format:format --platform:platform'
        operands='place'
        ;;
    cat)
        flags='--force -f --remote --platform --help -h'
        values='--platform:platform'
        operands='place'
        ;;
    tree)
        flags='-L -a -d -s --format --remote --platform --help -h'
        values='-L:none --format:format --platform:platform'
        operands='place'
        ;;
    find)
        flags='-name -iname -path -type -size -newer -maxdepth -print -l --format --remote --platform --help -h'
        values='-name:none -iname:none -path:host.path -type:none -size:none -newer:none -maxdepth:none --format:format --platform:platform'
        operands='place'
        ;;
    stat)
        flags='--format --remote --platform --help -h'
        values='--format:format --platform:platform'
        operands='place'
        ;;
    du)
        flags='--max-depth -d -s -b -h --format --remote --platform --help -h'
        values='--max-depth:none -d:none --format:format --platform:platform'
        operands='place'
        ;;
    grep)
        flags='-r -R -i -n -l -c -v -w -E -F -q -h --format --remote --platform --help -h'
        values='--format:format --platform:platform'
        operands='none place'
        ;;
    blame)
        flags='-r --no-trunc --format --remote --platform --help -h'
        values='--format:format --platform:platform'
        operands='place'
        ;;
    waste)
        flags='--check --ci-config --limit -n --format --help -h'
        values='--ci-config:none --limit:none -n:none --format:format'
        operands='object'
        ;;
    size)
        flags='--format --remote --platform --help -h'
        values='--format:format --platform:platform'
        operands='object'
        ;;
    packages)
        flags='--manager --quiet -q --format --remote --platform --help -h'
        values='--manager:none --format:format --platform:platform'
        operands='object'
        ;;
    base)
        flags='--format --help -h'
        values='--format:format'
        operands='object'
        ;;
    compare)
        flags='--semantic --limit -n --format --help -h'
        values='--limit:none -n:none --format:format'
        operands='object'
        ;;
    dockerfile)
        flags='--extract --help -h'
        values='--extract:host.directory'
        operands='object'
        ;;
    build)
        flags='--tag -t --file -f --build-arg --label --target --platform --network --allow --add-host --iidfile --progress --no-cache --pull --quiet -q --rm --no-rm --squash --force-rm --cgroup-parent --ulimit --memory -m --memory-swap --cpu-shares -c --cpu-quota --cpu-period --cpuset-cpus --cpuset-mems --resource --shm-size --security-opt --build-context --cache-from --cache-to --no-cache-filter --output -o --metadata-file --annotation --push --load --compress --builder --isolation --call --provenance --sbom --attest --disable-content-trust --no-disable-content-trust --secret --ssh --check --step --help -h'
        values='--tag:none -t:none --file:host.path -f:host.path --build-arg:none --label:none --target:none --platform:platform --network:network --allow:none --add-host:none --iidfile:host.path --progress:none --cgroup-parent:none --ulimit:none --memory:none -m:none --memory-swap:none --cpu-shares:none -c:none --cpu-quota:none --cpu-period:none --cpuset-cpus:none --cpuset-mems:none --resource:none --shm-size:none --security-opt:none --build-context:none --cache-from:none --cache-to:none --no-cache-filter:none --output:host.path -o:host.path --metadata-file:none --annotation:none --builder:none --isolation:none --call:none --provenance:none --sbom:none --attest:none --secret:none --ssh:none'
        operands='host.directory'
        ;;
    context)
        flags='--all -a --top --file -f --format --help -h'
        values='--top:none --file:host.path -f:host.path --format:format'
        operands='host.directory'
        ;;
    why-cache)
        flags='--working --format --help -h'
        values='--format:format'
        operands='step'
        ;;
    dap)
        flags='--help -h'
        values=''
        operands='none'
        ;;
    enter)
        flags='--keep-failed --help -h'
        values=''
        operands='object'
        ;;
    steps)
        flags='--format --no-trunc --help -h'
        values='--format:format'
        operands=''
        ;;
    undo)
        flags='--help -h'
        values=''
        operands='none'
        ;;
    redo)
        flags='--help -h'
        values=''
        operands='none'
        ;;
    timeline)
        flags='--format --help -h'
        values='--format:format'
        operands=''
        ;;
    reflog)
        flags='--format --help -h'
        values='--format:format'
        operands='image'
        ;;
    recipe)
        flags='--tidy --pin --locked --reproducible --lock --minimal -i --to --output -o --show-secrets --format --progress --lines --remote --platform --target --build-arg --base-config --help -h'
        values='--lock:none --to:none --output:host.path -o:host.path --format:format --progress:none --platform:platform --target:none --build-arg:none --base-config:host.path'
        operands='=save,verify,diff,explain,drift,check,parse,plan,rules object'
        ;;
    record)
        flags='--output --cast --md --html --append --force -f --help -h'
        values=''
        operands='host.path'
        ;;
    replay)
        flags='--step --until --var --keep-going --check --help -h'
        values='--until:none --var:none'
        operands='host.path'
        ;;
    goto)
        flags='--force -f --help -h'
        values=''
        operands='state'
        ;;
    edit)
        flags='--help -h'
        values=''
        operands='step step'
        ;;
    drop)
        flags='--help -h'
        values=''
        operands='step'
        ;;
    move)
        flags='--help -h'
        values=''
        operands='step step'
        ;;
    fork)
        flags='--help -h'
        values=''
        operands='state'
        ;;
    session)
        flags='--format --quiet -q --force -f --yes --help -h'
        values='--format:format'
        operands='=list,new,switch,rename,rm,export,import,push,pull none'
        ;;
    lesson)
        flags='--help -h'
        values=''
        operands='=list,start,next,hint,check,solution,skip,restart,stop,report,lint'
        ;;
    explain)
        flags='--help'
        values=''
        operands='topic'
        ;;
    test)
        flags='--update --timeout --here --allow-host --help -h'
        values='--timeout:none'
        operands='host.path'
        ;;
    expect)
        flags='--is --has --lacks --some --none --fails --help'
        values='--is:none --has:none --lacks:none'
        operands='verb'
        ;;
    help | ?)
        flags='--help -h'
        values=''
        operands='topic'
        ;;
    set)
        flags='--unset --format --help -h'
        values='--format:format'
        operands='setting setting.value'
        ;;
    unset)
        flags='--help -h'
        values=''
        operands='variable'
        ;;
    alias)
        flags='--help -h'
        values=''
        operands='none'
        ;;
    source)
        flags='--help -h'
        values=''
        operands='host.path host.path'
        ;;
    cd)
        flags='--help -h'
        values=''
        operands='place.host'
        ;;
    pwd)
        flags='--help -h'
        values=''
        operands=''
        ;;
    info)
        flags='--format -f --help -h'
        values='--format:format -f:format'
        operands=''
        ;;
    doctor)
        flags='--help -h'
        values=''
        operands=''
        ;;
    trace)
        flags='--format --help'
        values='--format:format'
        operands='verb'
        ;;
    time)
        flags='--help'
        values=''
        operands='verb'
        ;;
    watch)
        flags='--count --help'
        values='--count:none'
        operands='verb'
        ;;
    events)
        flags='--since --until --filter -f --format --follow --help -h'
        values='--since:none --until:none --filter:filter -f:filter --format:format'
        operands=''
        ;;
    system)
        flags='--repair --help -h'
        values=''
        operands='=check,df,prune,info'
        ;;
    version)
        flags='--format --license --help -h'
        values='--format:format'
        operands=''
        ;;
    clear)
        flags='--help -h'
        values=''
        operands=''
        ;;
    tall)
        flags='--help -h'
        values=''
        operands='none'
        ;;
    quit | exit)
        flags='--help -h'
        values=''
        operands='none'
        ;;
    *) return 1 ;;
    esac
}

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
