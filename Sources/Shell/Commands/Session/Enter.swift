package import ArgumentParser
package import Basics
import Containers
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `enter`: a recorded shell in the working image, whose lines are steps.
package struct Enter: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "enter", abstract: "A recorded shell: each line is a step with its own layer",
        usage: "enter [--keep-failed] [IMAGE|CONTAINER]",
        discussion: """
            Without a name in the working image; with an image's, in a working image that begins there; with a \
            container's, running or not, in the container, whose recipe then tells the lines.

            A line that changes files becomes a RUN, cd a WORKDIR, export an ENV; a line that changes nothing, or fails, \
            is not kept. Umask, shell options, variables, functions, aliases, $? and bash's pushd stack carry over, and \
            are written into each RUN that needs them. What does not carry over, because each line is a process of its \
            own: set -- and $!, traps, open descriptors (exec 3<), ulimit, and in sh, ash and dash functions that are \
            defined inside of if, a loop or another function. What runs in the background ends with its line.

            Inside, \\undo, \\redo, \\steps, \\diff, \\recipe and their like are shale's; exit or Ctrl-D leaves. In a \
            script, the lines up to exit are the shell's.
            """)
    package static let operandKinds: [ValueKind] = [.object]
    package static let hasVariablesOfItsOwn = true
    package static let takesWorkingImageAsTyped = true
    package static let takesFurtherLines = true
    package static let examples = ["enter", "enter busybox", "enter web"]
    package static let differences = [
        "Docker has no such command: `docker run -it` and `docker commit` make one layer that says only `sh`."
    ]

    @Flag(name: .customLong("keep-failed"), help: "Keep what failed lines changed.") var keepsFailed = false
    @Argument(help: "An image to begin with, or a container; the working image without.") var image: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let session = try shell.session()
        try session.refresh()
        if let image, image != "@" {
            if let meant = try shell.containers().container(meantBy: image) {
                if let words = meant.note(image) { shell.console.note(words) }
                let container = meant.record
                guard !keepsFailed else {
                    throw ShaleError(.usage, "enter: --keep-failed is for images; a container keeps what any line did")
                }
                let inside = try ContainerShell(container, engine: shell.engine())
                shell.remember(container: container.id)
                return .status(try EnteredLines(shell, session, inside).run())
            }
            try begin(image, session, shell)
        }
        let inside = try RecordedShell(session: session, keepsFailed: keepsFailed)
        return .status(try EnteredLines(shell, session, inside).run())
    }

    /// Begins a working image, as `FROM IMAGE` typed at the prompt does.
    private func begin(_ image: String, _ session: Session, _ shell: ShellContext) throws(ShaleError) {
        let line = "FROM \(image)"
        var failed: String?
        let start = Timestamp.now()
        let taken = try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try session.take(line, directory: shell.hostDirectory, failedContainer: &failed, operation)
        }
        var draft = JournalDraft(line: line, directory: shell.hostDirectory, time: start)
        shell.changes = taken.changes
        shell.takeChanges(into: &draft)
        draft.seconds = Timestamp.now().seconds(since: start)
        if let made = taken.image {
            draft.made = [made.id.hex]
            shell.remember(image: made.id.hex)
        }
        try session.record(draft)
    }
}
