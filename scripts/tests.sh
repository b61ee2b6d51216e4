# Running the built tests, and saying what failed; sourced by scripts/test after scripts/packages.sh.

user=shale-test

# The tests that passed only at their second try, of the whole run: one a line, and who ran it.
second_tries=.build/second-tries

# second_try FILE COMMAND…: what failed by that xunit file once more, alone, where it is no more than three tests; true if
# they all pass now. A test that waits for a busy machine is not red for it, and is written to the list.
second_try() {
    tests=$(awk -F'"' '/<testcase/ { test = $2 "/" $4 } /<failure/ { print test }' "$1" 2>/dev/null | sort -u)
    shift
    [ -n "$tests" ] && [ "$(printf '%s\n' "$tests" | wc -l)" -le 3 ] || return 1
    for test in $tests; do
        # Any letter for what a pattern would take for its own.
        set -- "$@" --filter "^$(printf %s "$test" | tr -c 'A-Za-z0-9_' .)"
    done
    "$@" || return 1
    printf '%s\n' "$tests" | sed "s/\$/ as ${half_of:-$(id -un)}/" >>"$second_tries"
}

# tried_again: prints that list, and is false where it has more than three lines: then it is not the machine any more.
tried_again() {
    [ -s "$second_tries" ] || return 0
    say "failed once and passed when tried again alone:"
    cat "$second_tries" >&2
    [ "$(wc -l <"$second_tries")" -le 3 ] || {
        say "these are more than three: the run has failed"
        return 1
    }
}

# skips WHO LOG: prints how many tests were skipped there and why, and is false where a reason is not in skips-allowed.
skips() {
    case $1 in root | "$user") kind=$1 ;; *) kind=$user ;; esac
    # The line of a skipped suite is followed by one for each of its tests.
    reasons=$(sed -nE 's/^[^ ]+ Test .* skipped(: "(.*)")?$/\2/p' "$2" | sed 's/^$/no reason given/')
    [ -n "$reasons" ] || {
        say "no test was skipped as $1"
        return 0
    }
    say "$(printf '%s\n' "$reasons" | wc -l) tests were skipped as $1:"
    printf '%s\n' "$reasons" | sort | uniq -c | sort -rn >&2
    allowed=$(sed -nE "s/^($kind|any) +//p" scripts/skips-allowed)
    unexpected=$(printf '%s\n' "$reasons" | grep -vxF "$allowed" | sort -u)
    [ -n "$unexpected" ] || return 0
    say "not expected, so the run has failed (scripts/skips-allowed has the reasons that are):"
    printf '%s\n' "$unexpected" >&2
    return 1
}

# warnings LOG: prints what the compiler warned of in files of our own, and is false where it did.
#
# Not by -warnings-as-errors, which hits the packages that we depend on; a warning of the linker's has no column, and does
# not count. The files are touched: the next build compiles them, and says it, again.
warnings() {
    found=$(grep -E "^$PWD/(Package\.swift|Sources/.*|Tests/.*):[0-9]+:[0-9]+: warning:|^warning: '$(basename "$PWD")':" "$1" | sort -u)
    [ -n "$found" ] || return 0
    printf '%s\n' "$found" >&2
    printf '%s\n' "$found" | sed -nE 's/^(\/[^:]*):.*/\1/p' | sort -u | xargs -r touch -c
    return 1
}

# failures WHO LOG: what failed there, said where it is read: at the end.
failures() {
    say "tests failed $1; the whole log is in $PWD/$2"
    grep -A 3 '^✘ Test\|^error:\|Fatal error\|^shale-runner:' "$2" | grep -v '^✔\|^◇\|^--' | head -n 80 >&2 || true
    grep -q 'Test run with' "$2" || tail -n 20 "$2" >&2
}

# What shale does in its user namespace is tested in one; the rest tests the program, or needs none.
inside='^(LinuxTests|LayersTests|StoresTests|ImagesTests|ContainersTests|RecipesTests|RuntimeTests|ExplorerTests)\.'
outside='^(BasicsTests|DiagnosticsTests|OCITests|RegistriesTests|DockerfilesTests|SessionsTests|LessonsTests|ShellLanguageTests|RenderingTests|LineEditingTests|GoTemplatesTests|ShellTests|IntegrationTests|TerminalTests)\.'

# Whom `half` runs its tests as, for the list of second tries.
half_of=
become() { setpriv --reuid $user --regid $user --init-groups "$@"; }

# half COMMAND…: some of the tests, as the user.
half() {
    status=0
    half_of=$user
    rm -f "$TMPDIR/xunit.xml"
    become "$@" --xunit-output "$TMPDIR/xunit.xml" || status=$?
    case $status in
    # What came to its end has said so.
    0) [ -s "$TMPDIR/xunit.xml" ] ;;
    # No test of this half was asked for.
    69) ;;
    *) second_try "$TMPDIR/xunit.xml" become "$@" ;;
    esac
}

# both_halves FOLDER ARGUMENT…: all of them, in a mount namespace of this shell's own.
#
# The package and the corpora are put where others may read them, wherever they lie; /dev/net/tun is open to all.
both_halves() {
    folder=$1
    shift
    mount --bind . "$folder/package"
    export SHALE_PACKAGE="$folder/package"
    if [ -d ../shared/corpora ]; then
        mount --bind ../shared/corpora "$folder/shared"
        export SHALE_CORPORA="$folder/shared"
    fi
    [ ! -e /dev/net/tun ] || mount --bind "$folder/tun" /dev/net/tun || true
    cd "$folder/package"
    export SHALE="$PWD/.build/release/shale"
    export HOME="$folder/home" TMPDIR="$folder/tmp"
    unset XDG_RUNTIME_DIR XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME
    built="$PWD/.build/debug/shalePackageTests.xctest"
    failed=0
    half .build/debug/shale-runner --inside "$HOME/namespace" "$built" --testing-library swift-testing \
        --skip "$outside" "$@" || failed=1
    half "$built" --testing-library swift-testing --skip "$inside" "$@" || failed=1
    return $failed
}

# as_user ARGUMENT…: the built tests as the ordinary user; what they say goes to .build/rootless.log.
as_user() {
    folder=$(mktemp -d "/var/tmp/$user-XXXXXX")
    mkdir "$folder/package" "$folder/shared" "$folder/home" "$folder/tmp"
    chmod 755 "$folder"
    chown $user: "$folder/home" "$folder/tmp"
    mknod -m 666 "$folder/tun" c 10 200 2>/dev/null || true
    # The clone may be of a narrow umask.
    chmod -R a+rX .
    failed=0
    unshare --mount sh -uc '. scripts/packages.sh; . scripts/tests.sh; both_halves "$@"' "$0" "$folder" "$@" \
        >.build/rootless.log 2>&1 || failed=1
    rm -rf "$folder"
    grep 'Test run with' .build/rootless.log >&2 || true
    return $failed
}
