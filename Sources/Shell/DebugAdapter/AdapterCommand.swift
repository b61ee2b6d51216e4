/// The requests of the Debug Adapter Protocol that are answered here.
enum AdapterCommand: String, Sendable, CaseIterable {
    case initialize, launch, attach, configurationDone, restart, disconnect, terminate
    case setBreakpoints, setFunctionBreakpoints, setExceptionBreakpoints, breakpointLocations
    case threads, stackTrace, scopes, variables, evaluate, exceptionInfo, loadedSources
    case next, stepIn, stepOut, stepBack, pause, goto, gotoTargets
    case proceed = "continue"
    case reverse = "reverseContinue"

    /// Whether it sets the program going.
    var resumes: Bool {
        switch self {
        case .next, .stepIn, .stepOut, .stepBack, .proceed, .reverse, .goto, .restart, .configurationDone: true
        default: false
        }
    }

    /// Whether it asks about the state between two steps, which a running program has not.
    var needsStop: Bool {
        switch self {
        case .stackTrace, .scopes, .variables, .evaluate, .exceptionInfo, .gotoTargets: true
        case .configurationDone, .restart: false
        default: resumes
        }
    }
}
