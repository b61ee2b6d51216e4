import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// File names, arguments and lines of scripts that are not UTF-8, or that look alike and are not the same.
@Suite("names of odd bytes", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct OddNameTests {
    /// `$n` and `$d` are names in Latin-1; the first command makes the image busybox.
    private static let start = """
        n=$(printf 'caf\\351'); d=$(printf 'dir-\\344'); mkdir "$d" "$d/ctx"; echo hi >"$d/ctx/$n"
        shale images >/dev/null 2>&1
        says() { got=$(cat -v); [ "$got" = "$1" ] || echo "$2: $got, not $1"; }

        """

    private func expectQuiet(_ script: String) throws {
        let said = try ShaleHome().sh(Self.start + script, within: 180)
        // A home of its own may tell of its first image.
        let errors = said.errors.split(separator: "\n").filter { !$0.hasPrefix("made busybox") }
        #expect(said.text.isEmpty && errors.isEmpty, "\(said)")
    }

    @Test("go through the commands that read and write the host's files")
    func hostFiles() throws {
        try expectQuiet(
            """
            shale save busybox -o "$d/$n.tar"; shale export busybox -o "$d/$n.x"; shale load -q -i "$d/$n.tar" >/dev/null
            shale import "$d/$n.x" imp:1 >/dev/null; ls "$d" | says "$(printf 'cafM-i.tar\ncafM-i.x\nctx')" save
            shale create --name cc busybox >/dev/null; shale cp "$d/ctx/$n" "cc:/tmp/$n"; shale cp "cc:/tmp/$n" "out-$n"
            cat "out-$n" | says hi cp; shale diff cc | grep -a tmp/ | says 'A /tmp/cafM-i' diff
            shale cat "cc:/tmp/$n" | says hi cat; shale ls cc:/tmp | says cafM-i ls
            shale ls cc:/tmp | while read -r f; do shale cat "cc:/tmp/$f"; done | says hi 'ls and cat'
            shale ls --format json cc:/tmp | grep -c 'caf.udce9' | says 1 json
            (cd "$d" && shale pwd) | tail -c 6 | says dir-M-d pwd
            shale --home "home-$n" run --rm busybox echo ok | says ok home; [ -d "home-$n" ] || echo 'no such home'
            """)
    }

    @Test("go into containers, images and recipes")
    func containers() throws {
        try expectQuiet(
            """
            shale run --rm -v "$PWD/$d/ctx:/m-$n" -w "/w-$n" -e "V=$n" busybox sh -c 'echo /m-*/* $PWD $V $1' sh "$n" \
              | says '/m-cafM-i/cafM-i /w-cafM-i cafM-i cafM-i' run
            printf 'FROM busybox\nCOPY %s /data/%s\nCOPY caf* /glob/\nWORKDIR /w-%s\nENV V=%s\nRUN echo $V >/v-%s\n' \
              "$n" "$n" "$n" "$n" "$n" >"$d/ctx/Dockerfile-$n"
            shale build -q -t b:1 -f "$d/ctx/Dockerfile-$n" "$d/ctx" >/dev/null
            shale run --rm b:1 sh -c 'echo /data/* /glob/* /v-* $PWD; cat /v-*' \
              | says "$(printf '/data/cafM-i /glob/cafM-i /v-cafM-i /w-cafM-i\ncafM-i')" built
            shale recipe verify b:1 >out 2>&1 || cat out
            printf '%s\n' "$n" >"$d/ctx/.dockerignore"; shale context -a "$d/ctx" 2>/dev/null | grep -ac "$n" | says 2 ignored
            """)
    }

    @Test("stand in scripts, on standard input, in variables and in recordings")
    func scripts() throws {
        try expectQuiet(
            """
            shale -c "record r-$n.shale; run --name cc busybox touch /tmp/$n; record off" >/dev/null 2>&1
            grep -ac "/tmp/$n" "r-$n.shale" | says 1 recorded; shale rm cc >/dev/null; shale "./r-$n.shale"
            printf 'cd %s\nls cc:/tmp > o-%s\nx = ls cc:/tmp\n!printf %%s "$x"\n' "$d" "$n" | shale | says cafM-i script
            cat "$d/o-$n" | says cafM-i redirected
            """)
    }

    @Test("that look alike, or begin with a mark, are taken as they are")
    func marks() throws {
        try expectQuiet(
            """
            mkdir tw; printf a >"tw/$(printf 'e\\314\\201')"; printf b >"tw/$(printf '\\303\\251')"
            m=$(printf '\\314\\201'); mkdir "tw/${m}dir"; printf c >"tw/${m}dir/${m}f"
            printf 'FROM busybox\nCOPY . /tw/\nCOPY /%sdir/%sf /one/%sg\n' "$m" "$m" "$m" >tw/Dockerfile
            shale build -q -t tw:1 tw >/dev/null; shale ls tw:1:/tw | wc -l | says 4 ls
            shale run --rm tw:1 sh -c 'cat /tw/*dir/*f /one/*' | says cc built
            shale create --name tc busybox >/dev/null; shale cp tw/. tc:/tw; shale diff tc | grep -c tw/ | says 5 diff
            shale cp "tc:/tw/${m}dir/${m}f" out; cat out | says c cp
            """)
    }

    @Test("of 255 bytes are names like others")
    func long() throws {
        try expectQuiet(
            """
            l=$(printf '\\351%.0s' $(seq 255)); mkdir lc; echo L >"lc/$l"; printf 'FROM busybox\nCOPY . /l/\n' >lc/Dockerfile
            shale build -q -t l:1 lc >/dev/null; shale cat "l:1:/l/$l" | says L cat
            """)
    }
}
