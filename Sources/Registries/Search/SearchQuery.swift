package import Basics

/// What `search` is asked for: the term, how many, and which of them.
package struct SearchQuery: Sendable, Equatable {
    /// The registry the term began with (`quay.io/hello`), Docker Hub where it began with none.
    package let domain: String
    package let term: String
    /// How many results at most: 1...100.
    package let limit: Int
    package let filter: SearchFilter

    package static let defaultLimit = 25
    package static let largestLimit = 100

    /// Takes a term as typed; `limit` 0 is the default.
    ///
    /// Throws `invalid` in docker's words.
    package init(_ text: String, limit: Int = 0, filter: SearchFilter = SearchFilter()) throws(ShaleError) {
        guard !text.contains("://") else {
            throw ShaleError(
                .invalid, "invalid repository name: repository name (\(text.visible)) should not have a scheme")
        }
        guard limit == 0 || (1...Self.largestLimit).contains(limit) else {
            throw ShaleError(.invalid, "limit \(limit) is outside the range of [1, \(Self.largestLimit)]")
        }
        self.limit = limit == 0 ? Self.defaultLimit : limit
        self.filter = filter
        let head = text.prefix { $0 != "/" }
        let isHost = head.contains { $0 == "." || $0 == ":" } || head == "localhost"
        guard isHost, head.endIndex != text.endIndex else {
            (domain, term) = ("docker.io", text)
            return
        }
        domain = RegistryConfiguration.domain(String(head))
        term = String(text[text.index(after: head.endIndex)...])
    }
}

/// `--filter` of `search`: conditions that all must hold.
package struct SearchFilter: Sendable, Equatable {
    /// At least so many stars.
    package private(set) var stars: Int?
    package private(set) var isOfficial: Bool?
    package private(set) var isAutomated: Bool?

    package init() {}

    private static let known = "filters: stars, is-official, is-automated"

    /// Reads `stars=3`, `is-official=true`, `is-automated=false`; throws `invalid` in docker's words.
    package init(_ conditions: [String]) throws(ShaleError) {
        for condition in conditions {
            guard let equals = condition.firstIndex(of: "=") else {
                throw ShaleError(.invalid, "bad format of filter (expected name=value)")
            }
            let name = condition[..<equals].trimmingBlanks.lowercased()
            let value = condition[condition.index(after: equals)...].trimmingBlanks
            switch name {
            case "stars":
                guard let number = Int(value) else {
                    throw ShaleError(.invalid, "invalid filter 'stars=\(value.visible)'", hint: "--filter stars=10")
                }
                stars = max(stars ?? number, number)
            case "is-official": isOfficial = try Self.flag(value, of: name)
            case "is-automated": isAutomated = try Self.flag(value, of: name)
            default: throw ShaleError(.invalid, "invalid filter '\(name.visible)'", hint: Self.known)
            }
        }
    }

    /// Whether `is-automated` was used: docker warns about it.
    package var isDeprecated: Bool { isAutomated != nil }
    package static let deprecation =
        "WARNING: the \"is-automated\" filter is deprecated, and searching for \"is-automated=true\" will not yield "
        + "any results in future."

    package func accepts(_ result: SearchResult) -> Bool {
        result.stars >= stars ?? .min && isOfficial.map { $0 == result.isOfficial } ?? true
            && isAutomated.map { $0 == result.isAutomated } ?? true
    }

    /// Go's `strconv.ParseBool`, as far as docker takes it.
    private static func flag(_ value: String, of name: String) throws(ShaleError) -> Bool {
        switch value {
        case "1", "true", "True", "TRUE", "t", "T": return true
        case "0", "false", "False", "FALSE", "f", "F": return false
        default: throw ShaleError(.invalid, "invalid filter '\(name)=[\(value.visible)]'")
        }
    }
}

/// One repository found.
package struct SearchResult: Sendable, Equatable {
    /// What `pull` takes: with the host in front, except from Docker Hub.
    package var name: String
    /// One line: line breaks became spaces, control characters are visible.
    package var description: String
    package var stars: Int
    package var isOfficial: Bool
    package var isAutomated: Bool
    /// Where the registry says so.
    package var pulls: Int?

    package init(
        name: String, description: String = "", stars: Int = 0, isOfficial: Bool = false, isAutomated: Bool = false,
        pulls: Int? = nil
    ) {
        self.name = name
        self.description = description
        self.stars = stars
        self.isOfficial = isOfficial
        self.isAutomated = isAutomated
        self.pulls = pulls
    }
}

/// What a search brought, and how.
package struct SearchAnswer: Sendable, Equatable {
    /// In the server's order.
    package var results: [SearchResult]
    /// Which method answered, for stderr: `Docker Hub's search at https://index.docker.io`.
    package var method: String
    /// How many the server has in all, where it says so.
    package var total: Int?
}

/// In which order results are shown.
package enum SearchOrder: String, Sendable, CaseIterable {
    case stars
    case pulls
    case name
}

extension SearchAnswer {
    /// The results in another order; those of the same rank stay as the server has them.
    package func results(by order: SearchOrder) -> [SearchResult] {
        let ranked = results.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            switch order {
            case .stars where a.stars != b.stars: return a.stars > b.stars
            case .pulls where a.pulls ?? -1 != b.pulls ?? -1: return a.pulls ?? -1 > b.pulls ?? -1
            case .name where a.name != b.name: return a.name < b.name
            default: return left.offset < right.offset
            }
        }
        return ranked.map(\.element)
    }
}
