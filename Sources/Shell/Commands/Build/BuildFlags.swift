/// The flags of `docker build` and `docker buildx build` that are not carried out, in one place.
///
/// Every other flag of theirs is an option of ``Build``; a test compares the whole lists.
enum BuildFlags {
    /// Refused by name, with the reason.
    static let refused: [String: String] = [
        "debug": "it is docker's own; shale --log-level debug build … logs more",
        "detach": "no build server runs that would go on",
        "invoke": "--step stops before each instruction, and enter opens a shell there",
        "policy": "no policy language is spoken here",
        "print": "it is called --call now: --call outline",
        "root": "no build server runs that has a root",
        "server-config": "no build server runs that reads one",
    ]

    /// Accepted without effect; the reason is printed.
    static let withoutEffect: [String: String] = [
        "compress": "the context is read where it lies, nothing is sent",
        "load": "an image that is built is here in any case",
        "no-rm": "containers of good steps always go",
    ]
}
