/// The environment of a container's processes.
package enum ContainerEnvironment {
    package static let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// docker's order: `PATH`, `HOSTNAME`, `TERM` for a terminal, and what image and user set, each in its first place.
    ///
    /// An entry without `=` removes that variable.
    package static func complete(_ given: [String], hostname: String?, terminal: Bool) -> [String] {
        var entries = [path]
        if let hostname { entries.append("HOSTNAME=\(hostname)") }
        if terminal { entries.append("TERM=xterm") }
        return merge(entries, given)
    }

    /// Replaces entries of the same name, appends new ones, removes those named without a value.
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
