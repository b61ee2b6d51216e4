package import Basics
package import Recipes
package import Sessions

/// The texts of `explain TOPIC` and `explain COMMAND`: files of `Resources`, filled in from this home.
///
/// A section begins with `## NAME, OTHER NAME`. In its lines `{name}` stands for a fact (``StoreFacts``); a line that
/// names one that is not here is left out, and a line that begins with `else: ` stands in the place of the line before
/// it where that was left out.
package struct Topics: Sendable {
    /// A text by one of its names.
    private struct Section: Sendable {
        var names: [String]
        var lines: [String]
    }

    private let sections: [Section]

    private init(_ bytes: [UInt8]) {
        var sections: [Section] = []
        // Each start of the program reads the names for its help: lines are found by bytes, in a tenth of the time.
        for bytes in bytes.split(separator: UInt8(ascii: "\n")) {
            let line = String(decoding: bytes, as: UTF8.self)
            if line.hasPrefix("## ") {
                let names = line.dropFirst(3).split(separator: ",").map { String($0).trimmingBlanks }
                sections.append(Section(names: names, lines: []))
            } else if !sections.isEmpty {
                sections[sections.count - 1].lines.append(line)
            }
        }
        self.sections = sections
    }

    /// What things are: `layer`, `whiteout`.
    package static let things = Topics(PackageResources.topics_md)
    /// What commands do to the home: `run`, `volume create`.
    package static let commands = Topics(PackageResources.commands_md)

    /// The first name of every text, in their order.
    package var names: [String] { sections.compactMap(\.names.first) }
    /// Every name that finds a text.
    package var allNames: [String] { sections.flatMap(\.names) }

    /// The text of a name with the facts of this home, at most ``Explainer/mostLines`` lines; `nil` for another name.
    ///
    /// `subjects` are words that may name an image, a container or a volume to speak of. Throws what listing what is
    /// in the home throws.
    package func lines(
        of name: String, about subjects: [String] = [], _ engine: Engine, _ session: Session?
    ) throws(ShaleError) -> [String]? {
        guard let section = sections.first(where: { $0.names.contains(name) }) else { return nil }
        let facts = try StoreFacts(engine, session, about: subjects)
        return Array(Self.filled(section.lines) { facts.value($0) }.prefix(Explainer.mostLines))
    }

    /// The lines with each `{name}` replaced.
    static func filled(_ lines: [String], _ value: (String) -> String?) -> [String] {
        var result: [String] = []
        var wasLeftOut = false
        for line in lines {
            var text = line[...]
            if text.hasPrefix(other) {
                guard wasLeftOut else { continue }
                text = text.dropFirst(other.count)
            }
            let filled = filled(text, value)
            wasLeftOut = filled == nil
            if let filled { result.append(filled) }
        }
        return result
    }

    private static let other = "else: "

    /// `nil` where a name has no value.
    private static func filled(_ line: Substring, _ value: (String) -> String?) -> String? {
        var result = ""
        var rest = line
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            // `NAME@{1}` is a name of shale's.
            guard rest[rest.index(after: open)...].first?.isLetter ?? false else {
                result += "{"
                rest = rest[rest.index(after: open)...]
                continue
            }
            guard let close = rest[open...].firstIndex(of: "}") else {
                rest = rest[open...]
                break
            }
            guard let text = value(String(rest[rest.index(after: open)..<close])) else { return nil }
            result += text.visible
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}
