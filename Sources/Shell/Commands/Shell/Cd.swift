package import ArgumentParser
package import Basics
import Glibc
import Linux

/// `cd`: to a directory of the host, or into an image or container.
package struct Cd: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "cd", abstract: "Change the host directory, or go into an image: cd ubuntu:22.04:/etc")
    package static let isWorthKeeping = false
    package static let examples = ["cd src", "cd busybox:/etc", "cd"]

    @Argument(help: "A directory of the host, or IMAGE:/path; home without one.") var directory: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let target = directory ?? shell.console.environment["HOME"] ?? "/"
        if target.contains(":/") {
            shell.place = target
            return .done
        }
        if let place = shell.place, directory != nil, !target.hasPrefix("/") {
            shell.place = PlaceText.join(place, target)
            return .done
        }
        guard chdir(target) == 0 else {
            throw SystemCallError("chdir", path: target).shaleError("cd: \(target.visible)")
        }
        shell.place = nil
        return .done
    }
}

/// `pwd`: where relative paths start.
package struct Pwd: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "pwd", abstract: "Print the directory, or the place inside an image")
    package static let isWorthKeeping = false
    package static let examples = ["pwd"]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        .line(shell.place ?? shell.hostDirectory)
    }
}

/// `IMAGE:/path` as text: split at the first `:/`.
enum PlaceText {
    /// A path below a place, `..` included, never above the image's root.
    static func join(_ place: String, _ path: String) -> String {
        guard let colon = colonBeforeSlash(in: place) else { return path }
        let object = place[..<colon]
        let inside = place[place.index(after: colon)...]
        var parts = path.hasPrefix("/") ? [] : inside.split(separator: "/")
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "\(object):/\(parts.joined(separator: "/"))"
    }

    static func colonBeforeSlash(in text: String) -> String.Index? {
        text.indices.first { index in
            text[index] == ":" && text.index(after: index) < text.endIndex && text[text.index(after: index)] == "/"
        }
    }
}
