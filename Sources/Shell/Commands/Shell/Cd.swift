package import ArgumentParser
package import Basics
import Explorer
import Glibc
import Linux
import Rendering

/// `cd`: to a directory of the host, or into an image or container.
package struct Cd: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "cd", abstract: "Change the host directory, or go into an image: cd ubuntu:22.04:/etc",
        usage: "cd [DIR|IMAGE:/path|CONTAINER:/path|-]")
    package static let operandKinds: [ValueKind] = [.placeOrHostPath]
    package static let isWorthKeeping = false
    package static let plainPaths = PlainPaths.ofPlace
    package static let examples = ["cd src", "cd busybox:/etc", "cd -"]
    package static let differences = [
        "Inside an image all paths are the image's; cd - goes back, cd alone to the host's home."
    ]

    @Argument(help: "A directory of the host, or IMAGE:/path; - for the one before; home without one.")
    var directory: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let before = shell.place ?? shell.hostDirectory
        if directory == "-" {
            guard let back = shell.previousPlace else { throw ShaleError(.usage, "cd: there is no place before this") }
            try go(to: back, isBack: true, shell)
            shell.previousPlace = before
            return .line(shell.place ?? shell.hostDirectory)
        }
        try go(to: directory ?? shell.console.environment["HOME"] ?? "/", isBack: directory == nil, shell)
        shell.previousPlace = before
        return .done
    }

    /// `isBack` leaves an image for a path of the host.
    private func go(to target: String, isBack: Bool, _ shell: ShellContext) throws(ShaleError) {
        if PlaceText.colonBeforeSlash(in: target) != nil || shell.place != nil && !isBack {
            let words = try PlaceWords(shell)
            let place = try words.place(target)
            let view = try words.view(place)
            let entry = try requireEntry(place.path, of: view, for: target)
            guard entry.kind == .directory else {
                throw ShaleError(
                    .invalid, "\(view.label):\(place.path): not a directory",
                    hint: "cat \(view.label):\(entry.path)")
            }
            shell.place = "\(place.label):\(place.path.cleanPath)"
            return
        }
        guard chdir(target) == 0 else {
            let error = SystemCallError("chdir", path: target).shaleError("cd: \(target.visible)")
            guard let meant = (try? PlaceWords(shell, isQuiet: true))?.meant(by: target) else { throw error }
            throw error.hinting("cd \(meant.shellQuoted)")
        }
        shell.place = nil
    }

    /// What lies there; for a directory of the host's that is asked for inside an image, the way out first.
    private func requireEntry(_ path: String, of view: PlaceView, for target: String) throws(ShaleError)
        -> ViewEntry
    {
        do throws(ShaleError) {
            return try view.require(path)
        } catch {
            guard target.hasPrefix("/"), (try? FileStatus.of(hostPath: target))?.kind == .directory else { throw error }
            var error = error
            error.hint = "cd - leaves the image; then cd \(target.shellQuoted)"
            throw error
        }
    }
}

/// `pwd`: where relative paths start.
package struct Pwd: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "pwd", abstract: "Print the directory, or the place inside an image")
    package static let isWorthKeeping = false
    package static let examples = ["pwd", "cd busybox:/etc", "pwd > place.txt"]
    package static let differences = ["Docker has none."]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .line(shell.place ?? shell.hostDirectory)
    }
}

/// `IMAGE:/path` as text: split at the first `:/`.
enum PlaceText {
    static func colonBeforeSlash(in text: String) -> String.Index? {
        text.indices.first { index in
            text[index] == ":" && text.index(after: index) < text.endIndex && text[text.index(after: index)] == "/"
        }
    }
}
