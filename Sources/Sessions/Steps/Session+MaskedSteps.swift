import Basics
import Building
import Images
import Recipes
import Stores

// The journal has no secrets: an instruction with one stands there masked. What was carried out is known by the record
// of how its image was made, which is the owner's alone.
extension Step {
    /// As it is written down.
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
    /// As it is written down.
    var masked: JournalEntry {
        var entry = self
        entry.changes = changes?.map(\.masked)
        return entry
    }
}

extension Session {
    /// A step's instruction as it was carried out, secrets and all; `nil` where they are not known any more.
    func spelling(of step: Step) -> String? {
        guard step.isMasked == true else { return step.instruction }
        let written: String
        // A record that cannot be read counts as a missing one.
        switch ((try? engine.images.provenance(of: step.image)) ?? nil)?.origin {
        case .step(let instruction, _): written = instruction
        case .typed(let line): written = line
        default: return nil
        }
        return Secrets.masked(written).text == step.instruction ? written : nil
    }

    /// Throws `notFound` with the way on for a step whose secrets are not known any more.
    static func secretIsLost(_ instruction: String, number: Int) -> ShaleError {
        ShaleError(
            .notFound, "step \(number) cannot be carried out again, its secret is not known any more: \(instruction)",
            hint: "edit \(number) INSTRUCTION   (written anew, with the secret)")
    }
}
