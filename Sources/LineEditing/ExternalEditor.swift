import Basics
import CEditline
import Rendering

/// Ctrl-X Ctrl-E: the line in `$VISUAL` or `$EDITOR`.
extension LineEditor {
    func editOutside() -> KeyOutcome {
        guard let handle else { return .error }
        console.write("\r\n")
        shale_editline_lend_terminal(handle, true)
        let edited = try? TextEditor(console.environment).edit(line.text)
        shale_editline_lend_terminal(handle, false)
        if let edited { replaceLine(with: edited) }
        shale_editline_refresh(handle)
        return .normal
    }
}
