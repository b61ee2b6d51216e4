import Basics
import Dockerfiles
import OCI

/// A recipe as a POSIX shell script that makes the same changes to the root file system on which it runs: in a
/// container
/// of the base image, a chroot, or a new machine.
///
/// Settings that only an image has (`CMD`, `EXPOSE`, `LABEL` …) become comments.
struct ShellScript {
    private let recipe: Recipe
    private let name: String

    init(_ recipe: Recipe, _ name: String) {
        self.recipe = recipe
        self.name = name
    }

    var text: String {
        var lines = [
            "#!/bin/sh",
            "# Does to the root file system it runs on what the recipe of \(name.visible) does to its base.",
            "# Run it as root, in a container of the base or on a machine like it.",
        ]
        if !recipe.attachments.isEmpty {
            lines.append("# The files it copies lie beside it: recipe save DIR --to sh writes both.")
        }
        lines += ["set -e", "here=$(cd \"$(dirname \"$0\")\" && pwd)", "cd /"]
        if recipe.lines.contains(where: { $0.text.hasPrefix("COPY") }) { lines += Self.copyFunction }
        var user = ""
        for line in recipe.lines {
            switch line {
            case .comment: lines += line.text.split(separator: "\n").map(String.init)
            case .instruction(let text): lines += written(text, &user)
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The shell function `put OWNER DESTINATION SOURCE…`, with the rules of `COPY`.
    private static let copyFunction = """
        put() (
            owner=$1 to=$2
            shift 2
            for from; do
                if [ -d "$here/$from" ] && [ ! -L "$here/$from" ]; then
                    [ -d "$to" ] || { mkdir -p "$to" && chown "$owner" "$to"; }
                    (cd "$here/$from" && tar -cf - .) | tar -xf - -C "$to"
                    (cd "$here/$from" && find . ! -name . -exec sh -c 'o=$1 t=$2 && shift 2 &&
                        for f; do chown -h "$o" "$t/$f"; done' sh "$owner" "$to" {} +)
                else
                    case $to in */) mkdir -p "$to" ;; *) mkdir -p "$(dirname "$to")" ;; esac
                    if [ -d "$to" ]; then into=$to/${from##*/}; else into=$to; fi
                    mode=$(stat -L -c %a "$here/$from")
                    rm -f "$into" && cat "$here/$from" > "$into" && chown "$owner" "$into" && chmod "$mode" "$into"
                fi
            done
        )
        """.split(separator: "\n").map(String.init)

    private func written(_ text: String, _ user: inout String) -> [String] {
        guard let parsed = try? Instruction.parse(line: text) else { return ["# \(text.visible)"] }
        switch parsed.value {
        case .run(let run): return [command(run, user: user)]
        case .env(let pairs):
            return pairs.map { pair in
                // A shell allows fewer variable names than a config.
                let isName =
                    pair.key.utf8.first.map { !(48...57).contains($0) } == true
                    && pair.key.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") }
                return isName
                    ? "export \(pair.key)=\(word(pair.value))" : "# ENV \("\(pair.key)=\(pair.value)".visible)"
            }
        case .arg(let argument):
            return argument.arguments.map { entry in
                let value = entry.value.map(word) ?? ""
                return "export \(entry.key)=\"${\(entry.key)-\(value.filter { $0 != "\"" })}\""
            }
        case .workdir(let path):
            let path = word(path)
            return ["mkdir -p \(path) && cd \(path)"]
        case .user(let name):
            user = name == "${NO_USER}" ? "" : name
            return ["# USER \(name)"]
        case .copy(let copy): return [put(copy.files)]
        case .add(let add):
            if add.files.destination == "/", add.files.paths.count == 1, add.files.paths[0].hasPrefix("step-") {
                return ["tar -xpf \"$here/\(add.files.paths[0])\" -C /"]
            }
            return [put(add.files)]
        case .from: return ["# base: \(text.dropFirst(5))"]
        default: return text.unicodeScalars.split(separator: "\n").map { "# \(String($0).visible)" }
        }
    }

    private func put(_ files: FileSources) -> String {
        let owner = files.owner ?? "0:0"
        return
            "put \(owner) \(word(files.destination)) \(files.paths.map(\.shellQuoted).joined(separator: " "))"
    }

    private func command(_ run: RunInstruction, user: String) -> String {
        let words = run.command.arguments(shell: ["/bin/sh", "-c"]).map(\.shellQuoted).joined(separator: " ")
        guard !["", "root", "0", "0:0", "root:root"].contains(user) else { return words }
        // `:` alone is nobody's name, and means root as an empty one does.
        let parts = user.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, !name.isEmpty else { return words }
        let isNumber = name.allSatisfy(\.isNumber)
        if isNumber {
            let group = parts.count > 1 && !parts[1].isEmpty ? parts[1] : "0"
            return "setpriv --reuid \(name.shellQuoted) --regid \(group.shellQuoted) --clear-groups -- \(words)"
        }
        return "su -s /bin/sh -c \(words.shellQuoted) \(name.shellQuoted)"
    }

    /// A word of a Dockerfile as a word of a shell: it is quoted unless it has quotes already.
    private func word(_ text: String) -> String {
        text.contains("\"") || text.contains("'") || text.contains("\\") ? text : "\"\(text)\""
    }
}
