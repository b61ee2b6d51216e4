import Basics
import Glibc
import Linux
import Recipes
import Rendering

/// What is known of the causes of differences: the user's own rules, and behind them those of the program.
struct DifferenceCauses {
    /// Where the user's own rules are, below the folder of settings.
    private static let ownFile = "shale/differences.rules"
    private static let largestFile = 1 << 20

    private let rules: DifferenceRules
    /// The rules in the order in which they are tried.
    var all: DifferenceRules { rules }

    /// Throws `invalid`, with file and line, for a rule of the user's own that is none.
    init(_ environment: [String: String]) throws(ShaleError) {
        let program = try DifferenceRules.ofProgram()
        let folder = environment["XDG_CONFIG_HOME"] ?? environment["HOME"].map { "\($0)/.config" }
        guard let path = folder.map({ "\($0)/\(Self.ownFile)" }), access(path, F_OK) == 0 else {
            rules = program
            return
        }
        rules = try Self.rules(inFile: path).before(program)
    }

    /// `recipe rules [FILE]`: the rules in the order in which they are tried, or whether a file has rules.
    static func outcome(_ words: [String], _ environment: [String: String]) throws(ShaleError) -> Outcome {
        guard let file = words.first else { return .text(try DifferenceCauses(environment).rules.text.visibleLines) }
        guard words.count == 1 else {
            throw ShaleError(.usage, "recipe rules takes one file", hint: "recipe rules FILE")
        }
        let count = try rules(inFile: file).rules.count
        return .line("\(file.visible): \(count) \(count == 1 ? "rule" : "rules")")
    }

    private static func rules(inFile path: String) throws(ShaleError) -> DifferenceRules {
        let bytes = try translating(path) { try WholeFile.read(path, limit: largestFile) }
        return try DifferenceRules(parsing: String(pathBytes: bytes), file: path)
    }

    /// The rule that knows a difference.
    func rule(for difference: RecipeDifference) -> DifferenceRule? {
        rules.place(for: difference).map { rules.rules[$0] }
    }

    /// A line for each known cause of some differences, and one for how many have none; nothing where none is known.
    func lines(of differences: [RecipeDifference]) -> [String] {
        var steps: [Int: [Int?]] = [:]
        var order: [Int] = []
        for difference in differences {
            guard let place = rules.place(for: difference) else { continue }
            if steps[place] == nil { order.append(place) }
            if steps[place]?.contains(difference.line) != true { steps[place, default: []].append(difference.line) }
        }
        var lines = order.map { place in
            let rule = rules.rules[place]
            let lines = steps[place, default: []].compactMap(\.self)
            return "\(rule.kind.rawValue): \(rule.cause)\(Self.mending(rule, lines))"
        }
        let unknown = differences.count { rules.place(for: $0) == nil }
        if unknown > 0, !order.isEmpty { lines.append("no known cause: \(unknown) of \(differences.count)") }
        return lines
    }

    private static func mending(_ rule: DifferenceRule, _ steps: [Int]) -> String {
        guard let mend = rule.mend else { return "" }
        let numbers = steps.sorted().map(String.init).joined(separator: ", ")
        let places = steps.isEmpty ? "the RUN" : "line \(numbers)"
        return switch mend {
        case .command(let command): "; to mend it, end \(places) with '&& \(command)'"
        case .instruction(let text): "; to mend it, put '\(text)' before \(places)"
        }
    }
}
