import Basics
import Rendering

extension ShellContext {
    /// The outcome of a command that went on after failures: what there is, then the errors; the last one counts.
    func outcome(_ output: Outcome.Output, failures: [ShaleError]) throws(ShaleError) -> Outcome {
        guard let last = failures.last else { return Outcome(output) }
        switch output {
        case .lines(let lines): for line in lines { console.line(line) }
        case .documents(let documents, let template):
            console.show(try DocumentText.text(of: documents, template: template))
        case .text(let text): console.show(text)
        case .none, .listing, .table, .paged, .drawing: break
        }
        for failure in failures.dropLast() { console.report(failure) }
        throw last
    }
}
