# The Debian packages shale stands on; sourced by scripts/shale, scripts/test and scripts/bench.

# What a build needs (headers), and what the program loads when it runs.
shale_packages="libedit-dev libcurl4-openssl-dev libarchive-dev libseccomp-dev busybox-static uidmap slirp4netns"
# The peers that tests compare with, and a real registry.
test_packages="$shale_packages docker-registry skopeo umoci crun buildah docker.io jq bzip2 xz-utils zstd apache2-utils curl chromium asciinema bsdutils openssh-client zsh fish strace git openssl e2fsprogs python3 mandoc dpkg-dev binutils"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# need_packages NAME…: installs those that are missing; without root, says what to type.
need_packages() {
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=sudo
    else
        die "missing packages:$missing; as root, run: apt-get install$missing"
    fi
    say "installing$missing"
    # Debian's docker.io and docker-registry must not start services of their own.
    made_policy=
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
        $as_root chmod +x /usr/sbin/policy-rc.d
        made_policy=1
    fi
    log=$(mktemp)
    status=0
    # shellcheck disable=SC2086
    { $as_root apt-get update -q && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing; } \
        >"$log" 2>&1 || status=$?
    [ -z "$made_policy" ] || $as_root rm -f /usr/sbin/policy-rc.d
    [ $status -eq 0 ] || die "installing$missing failed; the log is in $log: $(grep -m1 '^E:' "$log")"
    rm -f "$log"
}

need_swift() {
    if ! command -v swift >/dev/null; then
        [ -x /opt/swift/usr/bin/swift ] && PATH="/opt/swift/usr/bin:$PATH" && export PATH && return 0
        die "no swift here: install the Swift 6.2 toolchain or newer, and put its bin folder on PATH"
    fi
}

# watched LOG COMMAND…: runs a build whose output goes to the log's end, and says how far it is: each second in one line
# of a terminal, elsewhere each half a minute.
watched() {
    watched_log=$1
    shift
    "$@" >>"$watched_log" 2>&1 &
    watched_job=$!
    trap 'kill $watched_job 2>/dev/null; exit 130' INT TERM
    began=$(date +%s) last=0
    while kill -0 $watched_job 2>/dev/null; do
        sleep 1
        seconds=$(($(date +%s) - began))
        steps=$(tail -n 1 "$watched_log" | sed -nE 's|^\[([0-9]+)/([0-9]+)\].*|step \1 of \2, |p')
        told="$(basename "$0"): building: $steps$((seconds / 60)) min $((seconds % 60)) s"
        if [ -t 2 ]; then
            printf '\r%s\033[K' "$told" >&2
        elif [ $((seconds - last)) -ge 30 ]; then
            last=$seconds
            printf '%s\n' "$told" >&2
        fi
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
    trap - INT TERM
    wait $watched_job
}

# build_release: builds shale and shale-runner, in seconds when nothing changed.
build_release() {
    stamp=.build/release.stamp
    if [ -e "$stamp" ] && [ -x .build/release/shale ] && [ -x .build/release/shale-runner ] &&
        [ -z "$(find Package.swift Sources -newer "$stamp" -print -quit)" ]; then
        return 0
    fi
    need_swift
    first=
    [ -x .build/release/shale ] || first="; the first time takes 5 to 10 minutes on two processors"
    say "building shale (release)$first"
    mkdir -p .build
    touch "$stamp.new"
    : >.build/release.log
    for product in shale shale-runner; do
        watched .build/release.log swift build -c release --static-swift-stdlib --product $product || {
            grep -m 20 'error:' .build/release.log >&2 || tail -n 5 .build/release.log >&2
            die "the build failed; the whole log is in $PWD/.build/release.log"
        }
    done
    mv "$stamp.new" "$stamp"
}
