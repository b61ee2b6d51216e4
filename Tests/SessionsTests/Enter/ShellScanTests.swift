import Sessions
import Testing

/// Which texts want more lines, and how several lines read in one.
struct ShellScanTests {
    @Test(arguments: [
        "ls", "ls -l /etc", "echo 'a b' \"c $d\" `e`", "a && b || c; d", "if a; then b; fi",
        "for i in 1 2; do echo $i; done", "while read x; do :; done < /f", "case $x in a) b ;; *) c ;; esac",
        "f() { echo hi; }", "f() ( echo hi )", "function f { echo hi; }", "{ a; b; }", "(a; b)", "echo ${a:-\"b c\"}",
        "echo $(ls | wc -l)", "echo $(case x in x) echo y;; esac)", "echo $((1 + (2 * 3)))", "((i++))",
        "[[ a < b && ( c ) ]]", "cat <<EOF\nhi\nEOF", "cat <<-'EOF'\n\thi\n\tEOF", "cat <<A <<B\n1\nA\n2\nB",
        "echo fi done esac }", "echo a#b", "# only a comment", "", "echo done", "A=b make", "! true",
        "if a\nthen b\nfi", "a |\nb", "echo 'two\nlines'", "case x in\nx)\n y\n;;\nesac",
        "select x in 1 2; do break; done",
        "echo \\\n more", "cat <<< word", "until false; do break; done", "for x; do :; done", "[ -f /a ] && b",
        "time { a; }", "echo $'it\\'s'", "git log --format='%(refname)'", "case a in (a) b;; esac", "a & b &",
        "echo if; echo then", "echo \"$(echo \")\")\"", "if true; then { a; } fi",
    ])
    func isWhole(_ text: String) { #expect(!ShellScan(text).isIncomplete, "\(text)") }

    @Test(arguments: [
        "echo 'a", "echo \"a", "echo `a", "echo $(ls", "echo ${a", "if a", "if a; then", "for i in 1 2",
        "for i in 1; do",
        "while true", "case x in", "case x in a)", "f() {", "f()", "{ a", "(a", "a |", "a &&", "a ||", "echo \\\n",
        "echo \\", "cat <<EOF", "cat <<EOF\nhi", "cat <<-EOF\n\thi", "[[ a", "function f", "if a; then b; else",
        "echo $'a", "echo \"$(echo 'a)\"", "a |\n", "for i in 1; do echo ')'",
    ])
    func isIncomplete(_ text: String) { #expect(ShellScan(text).isIncomplete, "\(text)") }

    @Test(
        arguments: [
            ("ls -l", "ls -l"),
            ("for i in 1 2\ndo\n  echo $i\ndone", "for i in 1 2; do   echo $i; done"),
            ("if a\nthen\nb\nelse\nc\nfi", "if a; then b; else c; fi"),
            ("a |\nb &&\nc", "a | b && c"),
            ("case x in\na)\nb\n;;\nesac", "case x in a) b; ;; esac"),
            ("f() {\n  a\n  b\n}", "f() {   a;   b; }"),
            ("f()\n{\na\n}", "f() { a; }"),
            ("echo a \\\n  b", "echo a   b"),
            ("ec\\\nho a", "echo a"),
            ("a # first\nb # second", "a ; b # second"),
            ("(a\nb)", "(a; b)"),
            ("a &\nb", "a & b"),
            ("a;\nb", "a; b"),
        ] as [(String, String)])
    func readsInOneLine(_ text: String, _ joined: String) { #expect(ShellScan(text).joined == joined) }

    @Test(arguments: ["cat <<EOF\nhi\nEOF", "echo 'a\nb'", "echo \"a\nb\"", "echo $(a\nb)", "echo 'a"])
    func hasNoSafeLine(_ text: String) { #expect(ShellScan(text).joined == nil) }

    @Test func whatItHolds() {
        #expect(ShellScan("sleep 9 & touch a").startsBackground)
        #expect(!ShellScan("a && b 2>&1 >&2 &> f").startsBackground)
        #expect(ShellScan("f() { a; }").definedFunctions == ["f"])
        #expect(ShellScan("f() { a; }; g() { b; }").definedFunctions == ["f", "g"])
        #expect(ShellScan("function f { a; }").definedFunctions == ["f"])
        #expect(ShellScan("f() { a; }; f").definedFunctions == [])
        #expect(ShellScan("x; f() { a; } >&2 2>b; f").functionTexts == ["f": "f() { a; } >&2 2>b"])
        #expect(ShellScan("f()\n{\n a; g() { b; }; } && h() (c)\nf").functionTexts.keys.sorted() == ["f", "h"])
        #expect(
            ShellScan("function f { if a; then b; fi; }; f >x").functionTexts == [
                "f": "function f { if a; then b; fi; }"
            ])
        #expect(ShellScan("if a; then f() { b; }; fi").functionTexts.isEmpty)
        #expect(ShellScan("f() { cat; } <<EOF\nhi\nEOF").functionTexts.isEmpty)
        #expect(ShellScan("a; f() { b; }").definedFunctions == [])
        #expect(ShellScan("cat <<EOF\nhi").openHeredoc == "EOF")
        #expect(ShellScan("cat <<EOF\nhi\nEOF").openHeredoc == nil)
    }
}
