package import Basics
import Glibc
import Linux

/// Lets the user change a text in `$VISUAL` or `$EDITOR`, outside of any prompt.
package struct TextEditor {
    private let console: Console

    package init(_ console: Console) { self.console = console }

    /// Answers the changed text without its last newline.
    ///
    /// Throws `io` when the editor fails.
    package func edit(_ text: String) throws(ShaleError) -> String {
        let environment = console.environment
        let editor = [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }.first { !$0.isEmpty } ?? "vi"
        var template = Array("\(environment["TMPDIR"] ?? "/tmp")/shale-edit-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw SystemCallError("mkstemp").shaleError("a file for the editor") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        do throws(SystemCallError) {
            try OwnedFD(adopting: descriptor).write(Array((text + "\n").utf8))
        } catch {
            throw error.shaleError(path)
        }
        guard LineEditor.runShell("\(editor) \"$1\"", argument: path, environment: environment) else {
            throw ShaleError(.io, "the editor \(editor.visible) failed: nothing was changed")
        }
        guard let changed = LineEditor.contents(of: path) else { throw ShaleError(.io, "the editor left no file") }
        return changed
    }
}
