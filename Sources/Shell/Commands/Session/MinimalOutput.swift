import Basics
import Glibc
import Recipes
import Rendering

/// `recipe --minimal`: finds the shorter recipe, and tells each change on stderr.
struct MinimalOutput {
    private let shell: ShellContext
    private let asks: Bool

    /// With `asks` the user decides about each change; throws `usage` when there is no terminal to ask on.
    init(_ shell: ShellContext, asks: Bool) throws(ShaleError) {
        if asks, isatty(shell.input) != 1 {
            throw ShaleError(
                .usage, "recipe --minimal -i asks at a terminal, and there is none", hint: "recipe --minimal")
        }
        self.shell = shell
        self.asks = asks
    }

    func made(of recipe: Recipe) throws(ShaleError) -> Recipe {
        let recipes = try shell.recipes()
        return try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try recipes.minimised(recipe, operation) { proposal throws(ShaleError) in
                guard asks else { return true }
                return try Question.isYes("\(proposal.words.visible)? It \(Self.saved(proposal)).", shell)
            } tell: { event in
                switch event {
                case .trying(let what): operation.line(what.visible)
                case .left(let what, let reason): shell.console.note("not done: \(what): \(reason)".visible)
                case .took(let proposal): shell.console.note("\(proposal.words): \(Self.saved(proposal))".visible)
                case .restless(let paths):
                    let more = paths.count > 1 ? " and \(paths.count - 1) more" : ""
                    shell.console.note("\(paths[0])\(more) differ in every build: they do not count".visible)
                }
            }
        }
    }

    private static func saved(_ proposal: ProvedProposal) -> String {
        let layers = "\(proposal.layers) \(abs(proposal.layers) == 1 ? "layer" : "layers")"
        let sign = proposal.bytes < 0 ? "-" : ""
        return "saves \(layers), \(sign)\(HumanUnits.size(abs(proposal.bytes)))"
    }
}
