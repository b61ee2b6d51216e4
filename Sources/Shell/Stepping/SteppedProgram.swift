import Basics
import OCI

/// A program that stops before each of its pieces and waits for the user: the Dockerfile of a build, or a replayed
/// file.
protocol SteppedProgram: AnyObject {
    /// The file as messages and the source view name it.
    var fileName: String { get }
    /// Its text as it is now, edits included.
    var text: String { get }
    /// The pieces in the order in which they are carried out.
    var units: [SteppedUnit] { get }
    /// The place of the next one; `units.count` at the end.
    var next: Int { get }
    /// The container that the last piece left, if it failed and left one.
    var failedContainer: String? { get }
    var kind: SteppedKind { get }

    /// Carries out the next piece; when it fails it is still the next one.
    func carryOut() throws(ShaleError)
    /// Goes back to the position before an earlier piece.
    func goBack(to place: Int) throws(ShaleError)
    /// Takes another text; throws, and keeps the old one, when it cannot be understood.
    func replaceText(_ text: String) throws(ShaleError)
    /// What a shell in the state so far looks at; `nil` where there is nothing.
    func entry(failed: Bool) throws(ShaleError) -> SteppedState?
    /// The image of the state so far.
    func entryImage() throws(ShaleError) -> Digest?
    /// What a debugger shows of the state so far.
    func inspected() throws(ShaleError) -> InspectedState
    /// Ends a program all of whose pieces were carried out.
    func finish() throws(ShaleError)
    /// Leaves it before its end.
    func leave()
}

/// The two kinds, and what stands in the prompt's `(…)`.
enum SteppedKind: String {
    case build, replay
}

/// The state so far, to be looked at.
struct InspectedState {
    var image: Digest?
    /// What the next image's config will say; `nil` where there is nothing yet.
    var config: ImageConfig?
    /// Build arguments, or a script's variables.
    var arguments: [String: String] = [:]
}

/// The state that `enter` opens a shell in.
struct SteppedState {
    var image: Digest
    /// Whether the image was made for this and is to go with it.
    var isOwn = false
    /// `NAME=value` each, beside the image's own.
    var environment: [String] = []
}

/// One piece of a stepped program.
struct SteppedUnit: Equatable {
    /// First and last line, counted from 1; 0 for what is not in the file.
    var line: Int
    var endLine: Int
    /// On one line.
    var text: String

    /// The first word in upper case.
    var keyword: String { text.split(separator: " ").first.map { $0.uppercased() } ?? "" }
}
