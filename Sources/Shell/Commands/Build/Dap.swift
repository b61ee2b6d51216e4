package import ArgumentParser
package import Basics

/// `dap`: stepping through a Dockerfile or a script from an editor.
package struct Dap: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "dap", abstract: "Let an editor step through a Dockerfile or a script, forward and back",
        usage: "dap [build [OPTIONS] [PATH]]",
        discussion: """
            Speaks the Debug Adapter Protocol on standard input and output; an editor starts it. The attributes of a
            launch request: dockerfile, contextPath, target, stopOnEntry, noDebug and args (further words for build, such
            as ["--build-arg", "version=2", "-t", "app"]), as docker buildx dap has them; program (a Dockerfile, or a
            script of shale's), build-args, secrets and ssh, as buildg has them. What stands behind dap build comes in
            front of args.

            The program stops before an instruction. Breakpoints are on lines, or on instructions (a function breakpoint
            RUN). Step into is the next step, step out the end of a stage; step back, reverse-continue and jump to cursor
            go back, and what is carried out again is found in the cache. When an instruction failed, its container can
            still be looked into. A file that is changed and saved meanwhile counts from the next step on.

            In the debug console a line is a command in a container of the state so far, and is no part of the build;
            with : in front it is a line of shale's, such as :ls /etc or :diff.
            """)
    package static let leasesWhatItUses = false
    package static let isRecorded = false
    package static let managementNames: [ManagementName] = ["buildx dap"]
    package static let examples = ["dap", "dap build -t app .", "dap build --build-arg version=2 ."]
    package static let differences = [
        "buildx's debugger goes forward only, and shows no files once an instruction failed.",
        "Scripts of shale's can be stepped through as Dockerfiles can.",
    ]

    @Argument(parsing: .captureForPassthrough, help: "build, and words for it.") var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard !shell.isInteractive else {
            throw ShaleError(
                .usage, "dap: an editor starts it; its standard streams are not a terminal's", hint: "build --step .")
        }
        if let first = words.first, first != Build.verb {
            throw ShaleError(.usage, "dap: it takes build and words for it, not \(first.visible)", hint: "help dap")
        }
        return .status(try DebugSession(shell, words: Array(words.dropFirst())).run())
    }
}
