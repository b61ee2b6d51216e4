import Basics

/// Reads a lesson from Markdown: front matter, prose, and steps that begin with `## `.
///
/// In a step the fenced blocks `console`, `needs`, `check`, `hint` and `solution` mean what their names say; any other
/// is shown as it stands. Every mistake is kept with its line.
package struct LessonReader {
    /// The largest file that is read, in bytes.
    package static let largest = 1 << 20
    private static let kinds = ["console", "needs", "check", "hint", "solution"]

    private let lines: [String]
    private var position = 0
    private var problems: [LessonProblem] = []
    private var front: [String: (value: String, line: Int)] = [:]
    private var introduction: [LessonBlock] = []
    private var steps: [(step: LessonStep, line: Int)] = []
    private var paragraph: [String] = []

    /// `checkProblem` answers what is wrong with a line of a `check` or `needs` block, `nil` for nothing.
    package static func read(
        _ text: String, checkProblem: (String) -> String? = { _ in nil }
    ) -> (lesson: Lesson?, problems: [LessonProblem]) {
        var reader = LessonReader(text)
        let lesson = reader.lesson(checkProblem)
        return (lesson, reader.problems.sorted { $0.line < $1.line })
    }

    private init(_ text: String) {
        // A Windows line end is one character of Swift's.
        lines = text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
    }

    private mutating func complain(_ line: Int, _ message: String) {
        problems.append(LessonProblem(line: line, message: message))
    }

    private mutating func lesson(_ checkProblem: (String) -> String?) -> Lesson? {
        readFrontMatter()
        while position < lines.count { readLine() }
        endParagraph()
        checkSteps(checkProblem)
        let name = required("name")
        let title = required("title")
        if !name.isEmpty, !Self.isName(name) {
            complain(
                front["name"]?.line ?? 1,
                "name: small letters, digits and dashes, beginning with a letter, not \"\(name.visible)\"")
        }
        let order = order()
        let makes = makes()
        guard problems.isEmpty else { return nil }
        return Lesson(
            name: name, order: order, title: title, makes: makes, introduction: introduction, steps: steps.map(\.step))
    }

    // MARK: Front matter

    private mutating func readFrontMatter() {
        guard lines.first == "---" else {
            return complain(1, "a lesson begins with front matter: ---, then name:, order:, title:, then ---")
        }
        position = 1
        while position < lines.count, lines[position] != "---" {
            let line = lines[position]
            position += 1
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let colon = line.firstIndex(of: ":") else {
                complain(position, "front matter is KEY: VALUE, not \"\(line.visible)\"")
                continue
            }
            let key = String(line[..<colon]).trimmingBlanks
            let known = ["name", "order", "title", "makes"]
            guard known.contains(key) else {
                let near = Suggestion.nearest(to: key, among: known).first
                complain(
                    position,
                    "no such key in front matter: \(key.visible)" + (near.map { " (did you mean \($0)?)" } ?? ""))
                continue
            }
            if front[key] != nil { complain(position, "\(key) is there twice") }
            front[key] = (String(line[line.index(after: colon)...]).trimmingBlanks, position)
        }
        if position >= lines.count { complain(1, "the front matter has no end: a line with --- alone") }
        position += 1
    }

    private mutating func required(_ key: String) -> String {
        guard let value = front[key]?.value, !value.isEmpty else {
            if lines.first == "---" { complain(front[key]?.line ?? 1, "front matter has no \(key)") }
            return ""
        }
        return value
    }

    private mutating func order() -> Int {
        guard let (value, line) = front["order"] else { return .max }
        guard let number = Int(value), number >= 0 else {
            complain(line, "order is a whole number, not \"\(value.visible)\"")
            return .max
        }
        return number
    }

    private mutating func makes() -> [MadeThing] {
        guard let (value, line) = front["makes"] else { return [] }
        var made: [MadeThing] = []
        for part in value.split(separator: ",") {
            let words = part.split(separator: " ").map(String.init)
            guard words.count == 2, let kind = MadeThing.Kind(rawValue: words[0]) else {
                complain(
                    line,
                    "makes: image NAME, container NAME or volume NAME, not \"\(String(part).trimmingBlanks.visible)\"")
                continue
            }
            made.append(MadeThing(kind: kind, name: words[1]))
        }
        return made
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (97...122).contains(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
    }

    // MARK: Text

    private mutating func readLine() {
        let line = lines[position]
        if line.hasPrefix("```") { return readFence() }
        position += 1
        if line.hasPrefix("## ") {
            endParagraph()
            let title = String(line.dropFirst(3)).trimmingBlanks
            if title.isEmpty { complain(position, "a step has a title behind ##") }
            let step = LessonStep(title: title, text: [], needs: [], checks: [], hints: [], solution: [])
            steps.append((step, position))
        } else if line.trimmingBlanks.isEmpty {
            endParagraph()
        } else if line.hasPrefix("- ") {
            endParagraph()
            paragraph = [line]
        } else {
            paragraph.append(line.trimmingBlanks)
        }
    }

    private mutating func endParagraph() {
        guard !paragraph.isEmpty else { return }
        add(.paragraph(paragraph.joined(separator: " ")))
        paragraph = []
    }

    private mutating func add(_ block: LessonBlock) {
        if steps.isEmpty { introduction.append(block) } else { steps[steps.count - 1].step.text.append(block) }
    }

    private mutating func readFence() {
        endParagraph()
        let start = position + 1
        let mark = lines[position].prefix { $0 == "`" }
        let kind = String(lines[position].dropFirst(mark.count)).trimmingBlanks
        position += 1
        var content: [String] = []
        while position < lines.count, lines[position].trimmingBlanks != mark {
            content.append(lines[position])
            position += 1
        }
        if position >= lines.count { complain(start, "the block has no end: a line with \(mark) alone") }
        position += 1
        take(kind, content, start)
    }

    private mutating func take(_ kind: String, _ content: [String], _ start: Int) {
        let isKnown = Self.kinds.contains(kind)
        if !isKnown, let near = Suggestion.nearest(to: kind, among: Self.kinds).first, !kind.isEmpty {
            return complain(start, "no such block: \(kind.visible) (did you mean \(near)?)")
        }
        guard isKnown else { return add(.literal(content)) }
        let said = content.enumerated().filter { !$0.element.trimmingBlanks.isEmpty && !$0.element.hasPrefix("#") }
        if said.isEmpty { return complain(start, "the block \(kind) is empty") }
        guard !steps.isEmpty || kind == "console" else {
            return complain(start, "the block \(kind) belongs into a step: behind a line that begins with ##")
        }
        let last = steps.count - 1
        let checks = said.map { LessonCheck(text: $0.element.trimmingBlanks, line: start + 1 + $0.offset) }
        switch kind {
        case "needs": steps[last].step.needs += checks
        case "check": steps[last].step.checks += checks
        case "hint": steps[last].step.hints.append(content.joined(separator: "\n"))
        case "solution":
            if !steps[last].step.solution.isEmpty { complain(start, "the step has a solution already") }
            steps[last].step.solution = content
        default: add(.literal(content))
        }
    }

    private mutating func checkSteps(_ checkProblem: (String) -> String?) {
        if steps.isEmpty { complain(lines.count, "a lesson has at least one step: a line that begins with ##") }
        for (step, line) in steps {
            if !step.checks.isEmpty, step.solution.isEmpty {
                complain(line, "the step \"\(step.title.visible)\" has a check and no solution")
            }
            if step.checks.isEmpty, !step.solution.isEmpty || !step.hints.isEmpty {
                complain(line, "the step \"\(step.title.visible)\" has no check, so nothing says when it is done")
            }
            for check in step.needs + step.checks {
                if let problem = checkProblem(check.text) { complain(check.line, problem) }
            }
        }
    }
}
