import FoundationEssentials
import Glibc
import Sessions
import TestSupport
import Testing

/// The recorder's script in the host's own shells: what each line leaves, and what is written for it.
@Suite(.serialized)
struct RecorderTests {
    static let shells = [["/bin/dash", "-c"], ["/bin/bash", "-c"], ["/bin/busybox", "sh", "-c"]].filter {
        access($0[0], X_OK) == 0
    }

    /// What one line came to.
    private struct Ran {
        var status: Int32
        var output: String
        var errors: String
        var files: [String: [UInt8]]
    }

    private func run(_ line: String, with shell: [String], in directory: String) throws -> Ran {
        let folder = TemporaryDirectory()
        let script = RecorderScript.text(running: line, in: folder.path)
        let outcome = try Peer("env").run(
            ["-C", directory, "-i", "PATH=/usr/bin:/bin", "IMAGE=own"] + shell + [script], expecting: nil)
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            files[name] = Array(try Data(contentsOf: URL(filePath: folder.path + "/" + name)))
        }
        return Ran(status: outcome.status, output: outcome.text, errors: outcome.errors, files: files)
    }

    /// Runs lines one after the other as the recorded shell does; answers the texts that ran.
    private func session(_ lines: [String], with shell: [String], in directory: String, moving: Bool = false) throws
        -> (
            texts: [String], outputs: [String], state: CarriedState, assignments: [String]
        )
    {
        var state = CarriedState()
        var texts: [String] = []
        var outputs: [String] = []
        var assignments: [String] = []
        for line in lines {
            let (text, uses) = state.complete(line)
            texts.append(text)
            let ran = try run(text, with: shell, in: directory)
            outputs.append(ran.output)
            state.lastStatus = ran.status
            guard ran.status == 0, let before = ShellReport("before", of: ran.files),
                let after = ShellReport("after", of: ran.files)
            else { continue }
            if moving { state.directory = after.directory }
            assignments += state.absorb(
                before: before, after: after, uses: uses, line: line, scan: ShellScan(line)
            ).map { "\($0.name)=\($0.value)" }
        }
        return (texts, outputs, state, assignments)
    }

    @Test(arguments: shells)
    func stateCarriesOver(_ shell: [String]) throws {
        let folder = TemporaryDirectory()
        let made = try session(
            [
                "umask 077", "x='it'\\''s \"so\"'", "echo \"$x\"", "set -eu", "echo $-", "unset x", "set +u",
                "echo ${x-gone}",
                "export A='b c' B=\"d\\$e\"", "IFS=:", "v=a:b; echo $v", "unset IMAGE", "echo ${IMAGE-unset}", "umask",
            ], with: shell, in: folder.path)
        #expect(made.outputs[2] == "it's \"so\"\n")
        #expect(made.texts[2].contains("umask 077; x="), "\(made.texts[2])")
        #expect(made.outputs[4].contains("e") && made.outputs[4].contains("u"))
        #expect(made.texts[4] == "umask 077; set -eu; echo $-")
        #expect(made.outputs[7] == "gone\n")
        #expect(made.assignments == ["A=b c", "B=d$e"])
        #expect(made.outputs[10] == "a b\n")
        #expect(made.outputs[12] == "unset\n")
        #expect(made.texts[12] == "umask 077; unset IMAGE; IFS=:; set -e; echo ${IMAGE-unset}")
        #expect(made.outputs[13].hasSuffix("077\n"))
    }

    @Test(arguments: shells)
    func theDirectoryBefore(_ shell: [String]) throws {
        let folder = TemporaryDirectory()
        let made = try session(["cd /usr", "pwd", "cd - >/dev/null; pwd"], with: shell, in: folder.path)
        #expect(made.texts[1] == "pwd")
        #expect(made.outputs[2].hasSuffix(folder.path + "\n"), "\(made.texts[2])")
    }

    @Test(arguments: shells)
    func functionsAndAliases(_ shell: [String]) throws {
        let folder = TemporaryDirectory()
        let isBash = shell[0].hasSuffix("bash")
        let made = try session(
            [
                "hi() { echo \"hi $1\"; }", "hi you", isBash ? "shopt -s expand_aliases" : ":", "alias say='echo said'",
                "say it",
            ],
            with: shell, in: folder.path)
        #expect(made.outputs[1] == "hi you\n")
        #expect(made.outputs[4] == "said it\n", "\(made.texts[4])")
    }

    @Test(arguments: shells)
    func theStatusBefore(_ shell: [String]) throws {
        let folder = TemporaryDirectory()
        let made = try session(
            ["(exit 3)", "echo $?", "echo ${?}", "umask 077; (exit 4)", "umask 077", "false", "echo $?; set -f"],
            with: shell, in: folder.path)
        #expect(made.texts[1] == "(exit 3); echo $?")
        #expect(made.outputs[1...2] == ["3\n", "0\n"])
        #expect(made.texts[4] == "umask 077")
        #expect(made.outputs[6] == "1\n", "\(made.texts[6])")
        // Where a failure ends the shell none is made up.
        let strict = try session(["set -e", "false", "echo \"now $?\""], with: shell, in: folder.path)
        #expect(strict.outputs[2] == "now 0\n", "\(strict.texts[2])")
    }

    @Test(arguments: shells)
    func functionsBesideOtherCommands(_ shell: [String]) throws {
        let folder = TemporaryDirectory()
        let made = try session(
            [
                "b() { echo \"b $1\"; }; b one", "b two", "cd /; loud() (\n  echo loud\n) >&2; true", "loud 2>&1",
                "unset -f b", "b three 2>/dev/null; true",
            ], with: shell, in: folder.path)
        #expect(made.outputs[1] == "b two\n", "\(made.texts[1])")
        #expect(made.outputs[3] == "loud\n", "\(made.texts[3])")
        #expect(made.outputs[5] == "", "\(made.texts[5])")
    }

    @Test(.enabled(if: access("/bin/bash", X_OK) == 0, "no bash"))
    func theDirectoryStack() throws {
        let made = try session(
            [
                "pushd /usr >/dev/null", "pushd '/tmp' >/dev/null", "echo on", "dirs -l", "echo ~1",
                "popd >/dev/null; pwd",
                "dirs -l | wc -w", "popd >/dev/null; pwd", "popd 2>&1 | grep -c empty",
            ], with: ["/bin/bash", "-c"], in: "/", moving: true)
        #expect(made.texts[2] == "cd /tmp; echo on")
        #expect(made.outputs[3] == "/tmp /usr /\n", "\(made.texts[3])")
        #expect(made.outputs[4] == "/usr\n", "\(made.texts[4])")
        #expect(made.outputs[5] == "/usr\n", "\(made.texts[5])")
        #expect(made.outputs[6].contains("2"))
        #expect(made.outputs[7] == "/\n")
        #expect(made.outputs[8] == "1\n", "\(made.texts[8])")
    }

    /// Whatever a line does, its own status is what comes out, and nothing of the recorder is heard.
    @Test(arguments: shells)
    func survives(_ shell: [String]) throws {
        let folder = TemporaryDirectory()
        let table: [(line: String, status: Int32, output: String, isReported: Bool)] = [
            ("true", 0, "", true), ("exit 3", 3, "", true), ("(exit 3)", 3, "", true), ("cd /usr; exit 0", 0, "", true),
            ("set -e; false; echo no", 1, "", true),
            ("set -u; echo ${nothing}", shell[0].hasSuffix("bash") ? 127 : 2, "", true),
            ("exec echo replaced", 0, "replaced\n", false), ("kill -9 $$", 137, "", false),
            ("trap 'echo bye' EXIT; echo hi", 0, "hi\nbye\n", true), ("trap '' EXIT; exit 4", 4, "", false),
            ("set -x; true", 0, "", true), ("set -C; set -f; IFS=/; cd /tmp", 0, "", true),
            ("set -a; y=1", 0, "", true), ("mkdir d; cd d; rmdir ../d", 0, "", true),
            ("echo $# $0 | grep -c .", 0, "1\n", true), ("false | true", 0, "", true), ("! false", 0, "", true),
            ("printf 'no newline'", 0, "no newline", true), ("cat <<EOF\nhere $((1+1))\nEOF", 0, "here 2\n", true),
        ]
        for row in table {
            let ran = try run(row.line, with: shell, in: folder.path)
            #expect(ran.status == row.status, "\(shell) \(row.line): \(ran.errors)")
            #expect(ran.output == row.output, "\(shell) \(row.line)")
            #expect((ShellReport("after", of: ran.files) != nil) == row.isReported, "\(shell) \(row.line)")
            #expect(!ran.errors.contains("_shale"), "\(shell) \(row.line): \(ran.errors)")
        }
        let broken = try run("echo 'a; for", with: shell, in: folder.path)
        #expect(broken.status != 0)
        #expect(!broken.errors.isEmpty)
    }
}
