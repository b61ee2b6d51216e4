package import Basics
package import Dockerfiles
import OCI
package import Stores

/// Finds the image of the stage that `--from` names, by name or number; returns `nil` when the name means an image.
package typealias StageLookup = (String) throws(ShaleError) -> Image?

extension StepExecutor {
    /// Carries out one instruction.
    ///
    /// `FROM` is not carried out here.
    ///
    /// Throws errors in docker's wording. A `RUN` that fails throws its exit status and sets `failedContainer`.
    package func execute(
        _ located: Located<Instruction>, escape: Unicode.Scalar = "\\", on state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        source = located.text
        self.escape = escape
        isRun = if case .run = located.value { true } else { false }
        inputs = ""
        from = nil
        linkKey = nil
        let words = WordExpander(escape: escape, environment: state.variables)
        let text = located.original
        switch located.value {
        case .from: throw ShaleError(.invalid, "FROM begins a stage and is no step in it")
        case .env(let pairs): return try environment(pairs, words, text, &state)
        case .label(let pairs): return try labels(pairs, words, text, &state)
        case .arg(let argument): return try arguments(argument, words, text, &state)
        case .workdir(let path): return try workingDirectory(path, words, text, &state)
        case .user(let user):
            let user = try words.expand(user).text
            state.settings.user = user
            return try commitSettings("USER \(user)", instruction: text, on: &state)
        case .cmd(let line): return try command(line, text, &state)
        case .entrypoint(let line): return try entrypoint(line, text, &state)
        case .expose(let ports): return try expose(ports, words, text, &state)
        case .volume(let paths): return try volumes(paths, words, text, &state)
        case .shell(let words):
            state.settings.shell = words
            return try commitSettings("SHELL \(GoFormat.plain(words))", instruction: text, on: &state)
        case .stopsignal(let signal):
            let signal = try words.expand(signal).text
            guard SignalName.number(signal) != nil else {
                throw ShaleError(.invalid, "invalid signal: \(signal)")
            }
            state.settings.stopSignal = signal
            return try commitSettings("STOPSIGNAL \(signal)", instruction: text, on: &state)
        case .maintainer(let name):
            state.config.author = name
            return try commitSettings("MAINTAINER \(name)", instruction: text, on: &state)
        case .healthcheck(let check): return try healthCheck(check, text, &state)
        case .onbuild(let trigger): return try onBuild(trigger, text, &state)
        case .run(let run): return try self.run(run, words, text, &state)
        case .copy(let copy): return try self.copy(copy, words, text, &state)
        case .add(let add): return try self.add(add, words, text, &state)
        }
    }
}
