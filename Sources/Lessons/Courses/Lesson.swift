/// A lesson: steps that a beginner takes at the prompt, each checked by what it left in the home.
package struct Lesson: Sendable {
    package var name: String
    /// Its place in the list, the lowest first.
    package var order: Int
    package var title: String
    /// What it makes, as `container box` or `image hello:1`: told where it is there before the lesson begins.
    package var makes: [MadeThing]
    /// Paragraphs before the first step.
    package var introduction: [LessonBlock]
    package var steps: [LessonStep]
}

/// One step of a lesson.
package struct LessonStep: Sendable {
    package var title: String
    /// What is read, and what may be typed.
    package var text: [LessonBlock]
    /// Lines that must succeed for the step to be possible at all.
    package var needs: [LessonCheck]
    /// Lines that must succeed when it is done; none for a step that is only read.
    package var checks: [LessonCheck]
    /// From a first clue to a clear one.
    package var hints: [String]
    package var solution: [String]
}

/// A line of shale that looks at the home and succeeds or fails.
package struct LessonCheck: Sendable {
    package var text: String
    /// The 1-based line in the file.
    package var line: Int
}

/// A piece of a lesson's text.
package enum LessonBlock: Sendable, Equatable {
    /// Lines that belong together: they are laid out anew for the width of the terminal.
    case paragraph(String)
    /// Lines that stay as they are.
    case literal([String])
}

/// Something that a lesson makes by a name of its own.
package struct MadeThing: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case image, container, volume
    }

    package var kind: Kind
    package var name: String

    package var text: String { "\(kind.rawValue) \(name)" }
    /// The command that takes it away.
    package var removal: String {
        switch kind {
        case .image: "rmi \(name)"
        case .container: "rm -f \(name)"
        case .volume: "volume rm \(name)"
        }
    }
}

/// A mistake in a lesson's file.
package struct LessonProblem: Sendable, Equatable {
    /// 1-based.
    package var line: Int
    package var message: String
}
