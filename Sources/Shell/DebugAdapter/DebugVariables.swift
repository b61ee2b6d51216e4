import Basics

/// A value in the editor's view of variables, with those below it.
struct DebugVariable {
    var name: String
    var value: String
    var members: [DebugVariable] = []
}

/// The groups of variables of a stop, and the numbers by which a client asks for them.
///
/// A number holds until the program goes on (specification, "Lifetime of Objects References").
struct DebugVariables {
    /// What is shown of a state.
    enum Scope: Int64, CaseIterable {
        case state = 1
        case arguments, environment, configuration, changes

        func name(in kind: SteppedKind) -> String {
            switch self {
            case .state: "State"
            case .arguments: kind == .build ? "Build arguments" : "Variables"
            case .environment: "Environment"
            case .configuration: "Configuration"
            case .changes: "Changed files"
            }
        }
    }

    /// The lists behind the numbers above those of the scopes.
    private var lists: [[DebugVariable]] = []
    private static let firstList: Int64 = 100

    mutating func clear() { lists = [] }

    func scope(_ reference: Int64) -> Scope? { Scope(rawValue: reference) }

    /// The list behind a number; `nil` for a number of another stop.
    func list(_ reference: Int64) -> [DebugVariable]? {
        guard reference >= Self.firstList, reference - Self.firstList < lists.count else { return nil }
        return lists[Int(reference - Self.firstList)]
    }

    /// A variable as the protocol has it, with a number when something is below it.
    mutating func document(_ variable: DebugVariable) -> JSONDocument {
        var reference: Int64 = 0
        if !variable.members.isEmpty {
            reference = Self.firstList + Int64(lists.count)
            lists.append(variable.members)
        }
        return .members([
            "name": .string(variable.name), "value": .string(variable.value),
            "variablesReference": .integer(reference),
        ])
    }
}
