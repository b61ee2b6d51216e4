import Glibc
import Linux

/// A request to a source: the values of one kind that can be typed at the cursor.
package struct CompletionRequest: Sendable, Equatable {
    package var kind: ValueKind
    /// What is typed of it, quotes removed.
    package var prefix: String
    /// The verb of the command, and its operands before this one.
    package var verb: String
    package var operands: [String]

    package init(_ kind: ValueKind, prefix: String = "", verb: String = "", operands: [String] = []) {
        self.kind = kind
        self.prefix = prefix
        self.verb = verb
        self.operands = operands
    }

    /// The command's type; `nil` for a word that is no command.
    var type: (any Verb.Type)? {
        CommandTable.shared.find(words: verb.split(separator: " ").map(String.init))
    }
    /// What a path means to the command that names no image and no container.
    var plainPaths: PlainPaths { type?.plainPaths ?? .ofBoth }
}

/// A value that exists, with one line on it.
package struct CompletionValue: Sendable, Equatable {
    package var text: String
    package var summary: String
    /// False where more may follow it without a space: `repository:`.
    package var isWhole: Bool

    package init(_ text: String, _ summary: String = "", isWhole: Bool = true) {
        self.text = text
        self.summary = summary
        self.isWhole = isWhole
    }
}

/// One entry of a directory, on the host or inside an image or container.
package struct PathEntry: Sendable, Equatable {
    package var name: String
    package var isDirectory: Bool

    package init(_ name: String, isDirectory: Bool = false) {
        self.name = name
        self.isDirectory = isDirectory
    }
}

/// Lists what exists.
///
/// It is called while the user types, so it returns quickly, or returns nothing.
package protocol CompletionSource {
    /// The values of a kind, in the order to show them; those that do not start with the prefix are left out by the
    /// caller.
    func values(for request: CompletionRequest) -> [CompletionValue]

    /// What a directory inside an image, layer or container holds; `object` is what stands before `:/`.
    func entries(in object: String, directory: String) -> [PathEntry]

    /// Where in an image or container the shell is, if `cd` went there: what stands before `:`, and the path behind it.
    var place: (object: String, path: String)? { get }

    /// What a directory of the host holds; relative ones are below the shell's own.
    func hostEntries(in directory: String) -> [PathEntry]
}

extension CompletionSource {
    package var place: (object: String, path: String)? { nil }

    package func hostEntries(in directory: String) -> [PathEntry] { HostDirectory.entries(in: directory) }
}

/// The host's directories.
package enum HostDirectory {
    /// The most entries that are read; a longer list would not help.
    private static let most = 20_000

    /// The entries of a directory, sorted, `.` and `..` left out; none when it cannot be read.
    package static func entries(in directory: String) -> [PathEntry] {
        let folder = directory.isEmpty ? "." : directory
        guard let opened = try? OwnedFD.open(folder, O_RDONLY | O_DIRECTORY),
            let found = try? DirectoryEntries.entries(of: opened, most: most)
        else { return [] }
        let entries = found.map { name, kind in
            // Of a link or an unknown kind, what it leads to counts.
            guard kind == nil || kind == .symlink else { return PathEntry(name, isDirectory: kind == .directory) }
            let path = (directory.isEmpty ? "" : directory.hasSuffix("/") ? directory : directory + "/") + name
            let target = try? FileStatus.of(hostPath: path, followingLink: true)
            return PathEntry(name, isDirectory: target?.kind == .directory)
        }
        return entries.sorted { $0.name < $1.name }
    }
}
