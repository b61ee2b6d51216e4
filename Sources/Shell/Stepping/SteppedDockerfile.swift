import Basics
import Building
import Images
import OCI
import Recipes
import Rendering
import Stores

/// `build --step`: a build between two instructions.
final class SteppedDockerfile: SteppedProgram {
    private let build: SteppedBuild
    private let request: BuildRequest
    private let shell: ShellContext
    /// The result of the build.
    private(set) var outcome: BuildOutcome?

    init(_ request: BuildRequest, _ shell: ShellContext) throws(ShaleError) {
        self.shell = shell
        self.request = request
        build = try shell.withOperation { operation throws(ShaleError) in
            try SteppedBuild(request, engine: shell.engine().building, operation)
        }
    }

    let kind = SteppedKind.build
    var fileName: String { build.fileName }
    var text: String { build.text }
    var next: Int { build.next }
    var failedContainer: String? { build.failedContainer }
    var units: [SteppedUnit] {
        build.steps.map { SteppedUnit(line: $0.line, endLine: $0.endLine, text: $0.text) }
    }

    func carryOut() throws(ShaleError) {
        let done: StepOutcome
        do throws(ShaleError) {
            done = try shell.withOperation { operation throws(ShaleError) in try build.carryOut(operation) }
        } catch {
            if let failed = build.failedContainer, !failed.isEmpty { shell.remember(failed: failed) }
            throw error
        }
        if let image = done.image { shell.remember(image: image.id.hex) }
        guard let result = done.result, !result.wasCached, !result.summary.isEmpty else { return }
        for line in StepReport.changes(result.summary) { shell.console.line(line) }
    }

    func goBack(to place: Int) { build.goBack(to: place) }

    func replaceText(_ text: String) throws(ShaleError) { try build.replaceText(text) }

    func entry(failed: Bool) throws(ShaleError) -> SteppedState? {
        guard let place = try build.imageToEnter(failed: failed) else { return nil }
        let arguments = build.state?.arguments.values ?? [:]
        let environment = arguments.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return SteppedState(image: place.image, isOwn: place.isOwn, environment: environment)
    }

    func entryImage() -> Digest? { build.state?.image?.id }

    func inspected() -> InspectedState {
        InspectedState(
            image: build.state?.image?.id, config: build.state?.config, arguments: build.state?.arguments.values ?? [:])
    }

    func finish() throws(ShaleError) {
        outcome = try shell.withOperation { operation throws(ShaleError) in try build.finish(operation) }
        if let outcome { shell.remember(image: outcome.imageID.hex) }
    }

    func leave() { build.leave() }
}
