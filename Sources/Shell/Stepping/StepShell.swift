import Basics
import Containers
import Diagnostics
import Glibc
import Images
import Linux
import Logging
import OCI
import Recipes
import Rendering
import Runtime
import Stores

/// The shell that `enter` opens while stepping: a container of the state so far.
///
/// It is kept from one `enter` to the next, with what was done in it, and removed when the program goes on. It is not
/// recorded.
final class StepShell {
    private let shell: ShellContext
    private var container: ContainerRecord?
    /// Images made for it, oldest first.
    private var own: [Digest] = []

    init(_ shell: ShellContext) { self.shell = shell }

    /// Removes the container with all that was done in it.
    func discard() {
        if let record = container { remove(record) }
        container = nil
        for image in own.reversed() {
            Logger.shell.attempt("discard image \(image.short)") { try shell.images().discardImage(image) }
        }
        own = []
    }

    private func remove(_ record: ContainerRecord) {
        _ = Logger.shell.attempt("remove container \(record.name)") {
            try shell.containers().remove(record, force: true, named: record.name)
        }
    }

    /// Runs a shell, a command or a script in it, and waits for its end; returns the exit status.
    ///
    /// `state` is what it is made of where none is open, `command` is a line for its shell (empty for an interactive
    /// one), and `script` is what that one reads where there is no terminal.
    func enter(
        _ state: () throws(ShaleError) -> SteppedState?, command: String, script: String?
    ) throws(ShaleError) -> Int32 {
        let containers = try shell.containers()
        let isTerminal = script == nil && Terminal.isTerminal(shell.input) && shell.console.isTerminal(.output)
        let program = command.isEmpty ? ["/bin/sh"] : ["/bin/sh", "-c", command]
        // Another command means another container on the same files.
        let previous = container
        let place: SteppedState?
        if let previous {
            let image = try containers.imageToEnter(of: previous)
            place = SteppedState(image: image.id, isOwn: true, environment: previous.config.env ?? [])
        } else {
            place = try state()
        }
        guard let place else { throw ShaleError(.notFound, "there is no image yet to enter", hint: "next") }
        if place.isOwn { own.append(place.image) }
        var options = RunOptions(image: place.image.description, command: Array(program.dropFirst()))
        options.entrypoint = program[0]
        options.interactive = true
        options.terminal = isTerminal
        options.environment = place.environment
        options.hostDirectory = shell.hostDirectory
        let record = try containers.createContainer(options, OperationContext(cancellation: shell.cancellation))
        container = record
        if let previous { remove(previous) }
        let feed = try script.map { text throws(ShaleError) in try TextFeed(text) }
        var streams = try ContainerStreams.make(shell, stdin: feed != nil || isTerminal)
        if let feed { streams.input = feed.descriptor }
        streams.detachKeys = nil
        let size = ContainerStreams.size(shell, terminal: isTerminal)
        guard let running = try containers.start(record, streams: streams, size: size) else { return 0 }
        let end = try running.relay()
        withExtendedLifetime(feed) {}
        return ContainerStreams.outcome(end).status
    }
}

/// A text to be read from a descriptor.
private final class TextFeed {
    private let file: UnsafeMutablePointer<FILE>
    var descriptor: Int32 { fileno(file) }

    init(_ text: String) throws(ShaleError) {
        guard let file = tmpfile() else { throw SystemCallError("tmpfile").shaleError("the shell's input") }
        self.file = file
        let bytes = text.pathBytes
        fwrite(bytes, 1, bytes.count, file)
        fflush(file)
        rewind(file)
        lseek(fileno(file), 0, SEEK_SET)
    }

    deinit { fclose(file) }
}
