package import Basics
import Glibc
import Linux
import Registries

/// The settings of `set`: one `name = value` on each line of `HOME/settings`; names with several values repeat.
///
/// Every value is checked when it is set. Invalid lines in the file (written by hand, or by an older shale) are
/// skipped: ``ignoreInvalid()`` removes them from the settings that count and says why. Setting the name again replaces
/// them.
package struct SavedSettings: Sendable {
    private struct Line: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// A line of the file that does not count, and why.
    package struct Problem: Sendable {
        package let line: String
        package let reason: String
        package let hint: String
        fileprivate let name: String?
    }

    private let path: String
    private var lines: [Line] = []
    /// Lines that are no setting, as they stand in the file.
    private var unread: [String] = []
    private var problems: [Problem] = []
    private var isChecked = false

    static func load(home: String) -> SavedSettings {
        var settings = SavedSettings(path: "\(home)/settings")
        guard let bytes = try? WholeFile.read(settings.path, limit: 1 << 20) else { return settings }
        for line in bytes.split(separator: 10) {
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix("#") { continue }
            guard let equals = text[...].range(of: " = ") else {
                settings.unread.append(text)
                continue
            }
            settings.lines.append(
                Line(name: String(text[..<equals.lowerBound]), value: String(text[equals.upperBound...])))
        }
        return settings
    }

    private init(path: String) { self.path = path }

    package subscript(name: String) -> String? { lines.last { $0.name == name }?.value }

    package func list(of name: String) -> [String] { lines.filter { $0.name == name }.map(\.value) }

    /// Removes invalid lines from the settings that count; returns them, at the first call only.
    package mutating func ignoreInvalid() -> [Problem] {
        if isChecked { return [] }
        isChecked = true
        problems = unread.filter { !$0.trimmingBlanks.isEmpty }.map { line in
            Problem(line: line, reason: "not NAME = VALUE", hint: "set NAME VALUE", name: nil)
        }
        lines = lines.filter { line in
            guard let problem = Self.problem(line) else { return true }
            problems.append(problem)
            return false
        }
        return problems
    }

    private static func problem(_ line: Line) -> Problem? {
        let text = "\(line.name) = \(line.value)"
        guard let setting = Setting.named(line.name) else {
            return Problem(line: text, reason: "there is no such setting", hint: "set", name: line.name)
        }
        do throws(ShaleError) {
            _ = try setting.checked(line.value)
            return nil
        } catch {
            return Problem(line: text, reason: error.description, hint: "set \(setting.usage)", name: line.name)
        }
    }

    /// Sets a value, or adds it when a name has several; `nil` removes all of the name's values.
    ///
    /// Throws `usage` for a name that is no setting and for a value that it cannot have.
    package mutating func set(_ name: String, to value: String?) throws(ShaleError) {
        // A name that is no setting can be taken out of the file.
        if value == nil, Setting.named(name) == nil, setAside(name) { return try write() }
        let setting = try Setting.known(name)
        let value = try value.map { text throws(ShaleError) in try setting.checked(text) }
        _ = ignoreInvalid()
        problems.removeAll { $0.name == name }
        if value == nil || !setting.isList { lines.removeAll { $0.name == name } }
        if let value {
            lines.removeAll { setting.replaces(value, $0.value) && $0.name == name }
            lines.append(Line(name: name, value: value))
        }
        try write()
    }

    /// Takes one value of a name away; throws `notFound` where it is none of them.
    package mutating func remove(_ value: String, of name: String) throws(ShaleError) {
        let setting = try Setting.known(name)
        _ = ignoreInvalid()
        let text = "\(name) = \(value)"
        let isBad = problems.contains { $0.line == text }
        guard isBad || lines.contains(Line(name: name, value: value)) else {
            throw ShaleError(.notFound, "\(name) is not \(value.visible)", hint: "set \(setting.name)")
        }
        problems.removeAll { $0.line == text }
        lines.removeAll { $0 == Line(name: name, value: value) }
        try write()
    }

    /// Removes the invalid lines of a name; false when there are none.
    private mutating func setAside(_ name: String) -> Bool {
        _ = ignoreInvalid()
        let count = problems.count
        problems.removeAll { $0.name == name }
        return problems.count < count
    }

    private func write() throws(ShaleError) {
        // Skipped lines stay in the file until the name is set again.
        let text = (lines.map { "\($0.name) = \($0.value)" } + problems.filter { $0.name != nil }.map(\.line)).map {
            $0 + "\n"
        }.joined()
        let path = path
        try translating("settings") {
            let folder = path.dropLast("/settings".count)
            if mkdir(String(folder), 0o700) == -1, errno != EEXIST {
                throw SystemCallError("mkdir", path: String(folder))
            }
            try WholeFile.replace(path, with: Array(text.utf8))
        }
    }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
