import Basics

/// The environment of a container's processes.
package enum ContainerEnvironment {
    /// The complete environment in docker's order: `PATH`, `HOSTNAME`, `TERM` for a terminal, and the variables of
    /// image and user.
    ///
    /// A variable that is set again keeps its place.
    ///
    /// An entry without `=` removes that variable.
    package static func complete(_ given: [String], hostname: String?, terminal: Bool) -> [String] {
        var entries = [DefaultPath.entry]
        if let hostname { entries.append("HOSTNAME=\(hostname)") }
        if terminal { entries.append("TERM=xterm") }
        return merge(entries, given)
    }

    /// Replaces entries of the same name and appends new ones.
    ///
    /// An override without `=` removes its entry.
    package static func merge(_ base: [String], _ overrides: [String]) -> [String] {
        var entries = base
        for entry in overrides {
            let name = entry.prefix { $0 != "=" }
            let place = entries.firstIndex { $0.prefix { $0 != "=" } == name }
            if !entry.contains("=") {
                if let place { entries.remove(at: place) }
            } else if let place {
                entries[place] = entry
            } else {
                entries.append(entry)
            }
        }
        return entries
    }
}
