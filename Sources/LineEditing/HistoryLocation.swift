import Glibc

/// Where histories are kept: `$XDG_STATE_HOME/shale`, or wherever `SHALE_HISTORY` says.
package struct HistoryLocation {
    private let environment: [String: String]

    package init(_ environment: [String: String]) { self.environment = environment }

    /// The file for a history of this name, its folder made; `nil` for none.
    ///
    /// `SHALE_HISTORY` names the prompt's own file; others stand beside it.
    package func path(_ name: String) -> String? {
        if let path = environment["SHALE_HISTORY"] {
            return path.isEmpty ? nil : name == "history" ? path : "\(path).\(name)"
        }
        guard let folder = environment["XDG_STATE_HOME"] ?? environment["HOME"].map({ "\($0)/.local/state" }) else {
            return nil
        }
        var path = ""
        for part in "\(folder)/shale".split(separator: "/") {
            path += "/\(part)"
            mkdir(path, 0o700)
        }
        return "\(path)/\(name)"
    }
}
