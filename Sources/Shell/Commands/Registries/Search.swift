package import ArgumentParser
package import Basics
package import Images
import Recipes
import Registries
import Rendering

/// `search TERM`.
package struct Search: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search a registry for images", usage: "search [OPTIONS] TERM")
    package static let filters = [
        FilterKey("stars"), FilterKey("is-official", ["true", "false"]), FilterKey("is-automated", ["true", "false"]),
    ]
    package static let examples = [
        "search --sort stars hello-world", "search --filter is-official=true python", "search localhost:5000/hello",
    ]
    package static let differences = [
        "five columns, AUTOMATED included",
        "quay.io and registries that list their repositories are searched too; stderr says what answered",
    ]
    package static let isWorthKeeping = false

    @Option(help: "Show at most so many (1-100; default 25)")
    var limit = 0
    @Option(name: .shortAndLong, help: "stars=N, is-official=BOOL, is-automated=BOOL")
    var filter: [String] = []
    @Flag(help: "Show whole descriptions")
    var noTrunc = false
    @Option(help: "stars, pulls or name; without it the server's order")
    var sort: SearchOrder?
    @Option(help: "table, json, or a Go template")
    var format: String?
    @Argument(help: "What to look for; HOST/TERM asks that registry")
    var term: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let conditions = try SearchFilter(filter)
        if conditions.isDeprecated { shell.console.note(SearchFilter.deprecation) }
        let query = try SearchQuery(term, limit: limit, filter: conditions)
        let answer = try shell.engine().registry.search(query, cancellation: shell.cancellation)
        var note = "answered by \(answer.method)"
        if let total = answer.total, total > answer.results.count {
            note += "; showing \(answer.results.count) of \(total) (--limit up to \(SearchQuery.largestLimit))"
        }
        shell.console.note(note)
        let isJSON = Listing.Format(format) == .json
        let results = sort.map { answer.results(by: $0) } ?? answer.results
        let rows = results.map { row($0, isJSON: isJSON) }
        return .listing(Listing(columns: Self.columns, rows: rows, quietKey: "Name"), format: format)
    }

    static let columns = [
        Listing.Column("Name", "NAME", shrinks: true), Listing.Column("Description", "DESCRIPTION", shrinks: true),
        Listing.Column("StarCount", "STARS"), Listing.Column("IsOfficial", "OFFICIAL"),
        Listing.Column("IsAutomated", "AUTOMATED"), Listing.Column("PullCount", "PULLS", isShown: false),
    ]

    func row(_ result: SearchResult, isJSON: Bool) -> JSONDocument {
        let mark = { (flag: Bool) in JSONDocument.string(isJSON ? (flag ? "true" : "false") : (flag ? "[OK]" : "")) }
        return .members([
            "Name": .string(result.name),
            "Description": .string(noTrunc ? result.description : result.description.ellipsis(45)),
            "StarCount": .string(String(result.stars)),
            "IsOfficial": mark(result.isOfficial),
            "IsAutomated": mark(result.isAutomated),
            "PullCount": .string(result.pulls.map { String($0) } ?? ""),
        ])
    }
}

extension SearchOrder: ExpressibleByArgument {}
