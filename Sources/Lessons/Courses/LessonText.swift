import Basics

/// The text of a lesson as lines for a terminal.
package struct LessonText {
    private let width: Int

    /// Lays paragraphs out in so many columns, and no more than 80.
    package init(width: Int?) { self.width = max(20, min(width ?? 80, 80)) }

    /// A step, under a line that says where in the lesson it stands.
    package func lines(of step: LessonStep, number: Int, in lesson: Lesson) -> [String] {
        let head = "\(lesson.name), step \(number + 1) of \(lesson.steps.count): \(step.title.visible)"
        return wrapped(head) + [""] + lines(step.text)
    }

    package func introduction(_ lesson: Lesson) -> [String] {
        wrapped(lesson.title.visible) + [""] + lines(lesson.introduction)
    }

    /// Paragraphs with an empty line behind each; what is literal is indented.
    func lines(_ blocks: [LessonBlock]) -> [String] {
        blocks.flatMap { block in
            switch block {
            case .paragraph(let text): wrapped(text) + [""]
            case .literal(let lines): lines.map { $0.isEmpty ? "" : "    " + $0.visible } + [""]
            }
        }
    }

    package func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        let indent = text.hasPrefix("- ") ? "  " : ""
        for word in text.visible.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = indent + word
            } else {
                line += (line.isEmpty ? "" : " ") + word
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
