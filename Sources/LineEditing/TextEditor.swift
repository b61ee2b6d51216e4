package import Basics
import Glibc
import Linux
import Rendering

/// Lets the user change a text in an editor of the host's.
package struct TextEditor {
    private let command: String
    private let environment: [String: String]

    /// The editor that `$VISUAL` or `$EDITOR` names, `vi` without either.
    package init(_ environment: [String: String]) {
        command = Self.chosen(in: environment) ?? "vi"
        self.environment = environment
    }

    /// What `$VISUAL` or, without it, `$EDITOR` names.
    package static func chosen(in environment: [String: String]) -> String? {
        [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }.first { !$0.isEmpty }
    }

    /// Returns the changed text without its last newlines.
    ///
    /// Throws `io` when the editor fails.
    package func edit(_ text: String) throws(ShaleError) -> String {
        let path = try temporaryFile(holding: text)
        defer { unlink(path) }
        guard try HostCommand.run("\(command) \(path.shellQuoted)", environment: environment) == 0 else {
            throw ShaleError(.io, "the editor \(command.visible) failed: nothing was changed")
        }
        do throws(SystemCallError) {
            return String(decoding: try WholeFile.read(path), as: UTF8.self).trimmingFinalNewlines
        } catch {
            throw error.shaleError("the editor's file \(path)")
        }
    }

    private func temporaryFile(holding text: String) throws(ShaleError) -> String {
        var template = Array("\(environment["TMPDIR"] ?? "/tmp")/shale-edit-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw SystemCallError("mkstemp").shaleError("a file for the editor") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do throws(SystemCallError) {
            try OwnedFD(adopting: descriptor).write(Array((text + "\n").utf8))
        } catch {
            unlink(path)
            throw error.shaleError(path)
        }
        return path
    }
}
