import Basics

/// What `initialize` answers (specification, "Capabilities").
enum AdapterCapabilities {
    /// The one exception filter: an instruction that failed.
    static let failureFilter = "failure"

    static let document: JSONDocument = .members([
        "supportsConfigurationDoneRequest": true,
        "supportsFunctionBreakpoints": true,
        "supportsBreakpointLocationsRequest": true,
        "supportsEvaluateForHovers": true,
        "supportsStepBack": true,
        "supportsGotoTargetsRequest": true,
        "supportsRestartRequest": true,
        "supportsExceptionInfoRequest": true,
        "supportsTerminateRequest": true,
        "supportsLoadedSourcesRequest": true,
        "exceptionBreakpointFilters": [
            .members([
                "filter": .string(failureFilter), "label": "Failed instructions",
                "description": "Stops where an instruction or a command failed, before what it changed is dropped.",
                "default": true,
            ])
        ],
    ])
}
