package import Basics
import Building
package import Images
package import OCI
package import Stores

/// One line of a session's journal: something typed and what came of it, or a move through the states.
package struct JournalEntry: Sendable, Codable {
    /// Its place in the journal, counted from 1 in lines; told by the reader, not written down.
    package var number = 0
    package var time: Timestamp
    /// What was typed, secrets masked.
    package var line: String
    /// The host directory it was typed in.
    package var directory: String?
    package var status: Int32
    /// Wall time, in seconds.
    package var seconds: Double
    /// Ids of images and containers made.
    package var made: [String]?
    /// What the line changed of the session's state; none for a line that only looked.
    package var changes: [StateChange]?
    /// For `undo`, `redo` and `goto`: the number of the entry whose state is current again; 0 is the beginning.
    package var movedTo: Int?
    /// Stamped on what the line changed, before this was written; see ``LineStamp``.
    package var token: String?
    /// Whether the line never came to its end, and this was written by one who found what it had done.
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

/// One change of a session's state, as it can be taken back and made again.
package enum StateChange: Sendable, Codable {
    /// `FROM`: a new working image begins.
    case began(WorkingBase)
    /// An instruction took the working image one image further.
    case step(Step)
    /// The steps of the working image were replaced as a whole (`edit`, `drop`, `move`).
    case rewrote([Step])
    /// A name moved; `nil` for no image of that name.
    case name(Reference, before: ImageEntry?, after: ImageEntry?)
    /// Images came to be here, or were removed.
    case images(arrived: [Digest], departed: [Digest])
    /// A container was removed, and lies in the trash.
    case removed(container: String, name: String)
    /// Something was taken away or overwritten that no state keeps; makes no state.
    case lost(Loss)
}

extension StateChange {
    /// What must be kept so that this can be taken back and made again.
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

    /// Whether it is about the working image, and not about what all sessions share.
    package var isOfWorkingImage: Bool {
        switch self {
        case .began, .step, .rewrote: true
        case .name, .images, .removed, .lost: false
        }
    }
}

/// What a working image stands on.
package struct WorkingBase: Sendable, Codable {
    /// The `FROM` line as typed.
    package var instruction: String
    /// The image, `nil` for scratch.
    package var image: Digest?
    /// `AS NAME`, in lower case.
    package var stage: String?

    package init(instruction: String, image: Digest?, stage: String?) {
        self.instruction = instruction
        self.image = image
        self.stage = stage
    }
}

/// One instruction carried out on the working image.
package struct Step: Sendable, Codable {
    /// As typed, heredocs included; in the journal its secrets are masked.
    package var instruction: String
    package var image: Digest
    package var summary: StepSummary
    package var wasCached: Bool
    /// Wall time, in seconds.
    package var seconds: Double
    package var time: Timestamp
    /// Where on the host COPY and ADD read, and what.
    package var directory: String?
    package var copied: [CopiedSource]
    /// Whether a person's answers at the terminal made it: its layer alone can be repeated.
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
