import Basics
import Building
import Images
import Recipes
import Stores

// The journal contains no secrets: an instruction with a secret is masked in it. The full text is in the provenance of
// the step's image, which only the owner can read.
extension Step {
    /// The step as it is stored.
    var masked: Step {
        let (text, found) = Secrets.masked(instruction)
        guard !found.isEmpty else { return self }
        var step = self
        step.instruction = text
        step.isMasked = true
        return step
    }
}

extension StateChange {
    var masked: StateChange {
        switch self {
        case .step(let step): .step(step.masked)
        case .rewrote(let steps): .rewrote(steps.map(\.masked))
        case .began, .name, .images, .removed, .lost: self
        }
    }
}

extension JournalEntry {
    /// The entry as it is stored.
    var masked: JournalEntry {
        var entry = self
        entry.changes = changes?.map(\.masked)
        return entry
    }
}

extension Session {
    /// A step's instruction with its secrets; `nil` when they are not known any more.
    func spelling(of step: Step) -> String? {
        guard step.isMasked == true else { return step.instruction }
        let written: String
        // Provenance that cannot be read counts as missing.
        switch ((try? engine.images.provenance(of: step.image)) ?? nil)?.origin {
        case .step(let instruction, _): written = instruction
        case .typed(let line): written = line
        default: return nil
        }
        return Secrets.masked(written).text == step.instruction ? written : nil
    }

    /// The error `notFound` for a step whose secrets are not known any more, with a hint.
    static func secretIsLost(_ instruction: String, number: Int) -> ShaleError {
        ShaleError(
            .notFound, "step \(number) cannot be carried out again, its secret is not known any more: \(instruction)",
            hint: "edit \(number) INSTRUCTION   (written anew, with the secret)")
    }
}
