import Basics
import Glibc
import Images
import Layers
import Linux
import Stores

/// The commands typed into the shells of a container, as the shells wrote them into their history files.
///
/// It may be incomplete or wrong: a shell that is killed writes nothing, and a user can edit the file.
enum ShellHistory {
    private static let names: Set<String> = [
        ".ash_history", ".bash_history", ".sh_history", ".zsh_history", ".history",
    ]
    /// The most lines that are returned; of a longer history, the last ones.
    private static let most = 200
    /// Bytes of a file that are read.
    private static let limit = 4 << 20

    /// The lines that a container added to the history files of its image, oldest first in each.
    static func lines(
        in changes: [Change], upper: RootDirectory, lowers: [RootDirectory], form: OverlayForm
    ) -> [String] {
        var lines: [String] = []
        for change in changes where change.status?.kind == .regular {
            guard names.contains(change.path.pathParts.last.map(String.init) ?? ""),
                let bytes = try? upper.contents(of: change.path, limit: limit)
            else { continue }
            // Lines that the image's history file has already were not typed in this container.
            let below = (try? MergedTree(layers: lowers, form: form).contents(of: change.path, limit: limit)) ?? nil
            let added = below.map { bytes.starts(with: $0) ? Array(bytes.dropFirst($0.count)) : bytes } ?? bytes
            lines += Self.lines(of: String(pathBytes: added))
        }
        return lines.count > most ? ["(\(lines.count - most) lines before these)"] + lines.suffix(most) : lines
    }

    /// One file's commands: bash's times (`#1700000000`) and zsh's (`: 1700000000:0;`) left out.
    static func lines(of text: String) -> [String] {
        text.split(separator: "\n").compactMap { line -> String? in
            if line.hasPrefix("#"), line.count > 1, line.dropFirst().allSatisfy(\.isNumber) { return nil }
            guard line.hasPrefix(": "), let semicolon = line.firstIndex(of: ";"),
                line[line.index(line.startIndex, offsetBy: 2)..<semicolon].allSatisfy({ $0.isNumber || $0 == ":" })
            else { return String(line) }
            return String(line[line.index(after: semicolon)...])
        }
    }
}

extension ContainerEngine {
    /// The lines typed into a container's shells, as far as the shells' history files have them; `nil` where nobody
    /// could type.
    func typedLines(of container: ContainerRecord) -> [String]? {
        let wasTyped =
            container.console.tty || container.console.openStdin
            || store.containers.events(of: container.id).contains { $0.isInteractive == true }
        guard wasTyped, let changes = try? changes(of: container), let lowers = try? lowers(of: container),
            let upper = try? images.open(store.containers.folder(container.id).upper)
        else { return nil }
        let lines = ShellHistory.lines(in: changes, upper: upper, lowers: lowers, form: form)
        return lines.isEmpty ? nil : lines
    }
}
