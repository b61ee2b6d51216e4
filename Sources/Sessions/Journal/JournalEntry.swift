package import Basics
import Building
package import Images
package import OCI
package import Stores

/// One line of a session's journal: a typed line with its result, or a move through the states.
package struct JournalEntry: Sendable, Codable {
    /// The line number in the journal, from 1.
    ///
    /// It is set by the reader and not stored.
    package var number = 0
    package var time: Timestamp
    /// The typed line, with secrets masked.
    package var line: String
    /// The host directory in which it was typed.
    package var directory: String?
    package var status: Int32
    /// Wall time in seconds.
    package var seconds: Double
    /// IDs of the images and containers that it made.
    package var made: [String]?
    /// What the line changed in the session's state; `nil` when it changed nothing.
    package var changes: [StateChange]?
    /// For `undo`, `redo` and `goto`: the number of the state that is current again; 0 is the beginning.
    package var movedTo: Int?
    /// The token that was stored with the line's changes before this entry was written; see ``LineStamp``.
    package var token: String?
    /// Whether the line was interrupted, and another process wrote this entry from the changes it found.
    package var isCutOff: Bool?

    private enum CodingKeys: String, CodingKey {
        case time, line, directory, status, seconds, made, changes, movedTo, token, isCutOff
    }

    package init(
        time: Timestamp, line: String, directory: String? = nil, status: Int32 = 0, seconds: Double = 0,
        made: [String]? = nil, changes: [StateChange]? = nil, movedTo: Int? = nil, token: String? = nil
    ) {
        self.time = time
        self.line = line
        self.directory = directory
        self.status = status
        self.seconds = seconds
        self.made = made
        self.changes = changes
        self.movedTo = movedTo
        self.token = token
    }

    /// The line as listings show it.
    var shownLine: String {
        guard isCutOff ?? false else { return line }
        return "\(line.split(separator: "\n").first ?? "")  (cut off)"
    }
}

/// One change of a session's state, which can be undone and redone.
package enum StateChange: Sendable, Codable {
    /// `FROM`: a new working image begins.
    case began(WorkingBase)
    /// An instruction made a new image from the working image.
    case step(Step)
    /// The steps of the working image were replaced as a whole (`edit`, `drop`, `move`).
    case rewrote([Step])
    /// A name moved. `nil` means that the name did not exist.
    case name(Reference, before: ImageEntry?, after: ImageEntry?)
    /// Images were added to the listing, or removed from it.
    case images(arrived: [Digest], departed: [Digest])
    /// A container was removed; it is in the trash.
    case removed(container: String, name: String)
    /// Something was removed or overwritten that no state keeps. This alone makes no state.
    case lost(Loss)
}

extension StateChange {
    /// What must be kept so that the change can be undone and redone.
    var roots: SessionRoots {
        switch self {
        case .began(let base): SessionRoots(digests: Set([base.image].compactMap(\.self)))
        case .step(let step): SessionRoots(digests: [step.image])
        case .rewrote(let steps): SessionRoots(digests: Set(steps.map(\.image)))
        case .name(_, let before, let after):
            SessionRoots(digests: Set([before, after].compactMap { $0?.manifest.digest }))
        case .images(let arrived, let departed): SessionRoots(digests: Set(arrived + departed))
        case .removed(let container, _): SessionRoots(containers: [container])
        case .lost: SessionRoots()
        }
    }

    var isLoss: Bool { if case .lost = self { true } else { false } }

    /// Whether it changes the working image, and not what all sessions share.
    package var isOfWorkingImage: Bool {
        switch self {
        case .began, .step, .rewrote: true
        case .name, .images, .removed, .lost: false
        }
    }
}

/// The base of a working image.
package struct WorkingBase: Sendable, Codable {
    /// The `FROM` line as typed.
    package var instruction: String
    /// The image, `nil` for scratch.
    package var image: Digest?
    /// The name of `AS NAME`, in lower case.
    package var stage: String?

    package init(instruction: String, image: Digest?, stage: String?) {
        self.instruction = instruction
        self.image = image
        self.stage = stage
    }
}

/// One instruction carried out on the working image.
package struct Step: Sendable, Codable {
    /// The instruction as typed, with heredocs.
    ///
    /// In the journal its secrets are masked.
    package var instruction: String
    package var image: Digest
    package var summary: StepSummary
    package var wasCached: Bool
    /// Wall time in seconds.
    package var seconds: Double
    package var time: Timestamp
    /// The host folder in which COPY and ADD read.
    package var directory: String?
    package var copied: [CopiedSource]
    /// Whether typed input made the step.
    ///
    /// Then only its layer can be repeated.
    package var isTyped: Bool?
    /// Whether a secret is masked in the instruction.
    package var isMasked: Bool?

    package init(
        instruction: String, image: Digest, summary: StepSummary, wasCached: Bool, seconds: Double, time: Timestamp,
        directory: String?, copied: [CopiedSource]
    ) {
        self.instruction = instruction
        self.image = image
        self.summary = summary
        self.wasCached = wasCached
        self.seconds = seconds
        self.time = time
        self.directory = directory
        self.copied = copied
    }
}
