import Basics
import Rendering

extension DebugSession {
    /// How far the program goes.
    enum Goal: Equatable {
        case oneStep
        case end
        /// To the first step behind the stage under way.
        case stageEnd(Int)
    }

    /// Why it stopped: the protocol's words.
    enum StopReason: String {
        case entry, step, breakpoint, exception, pause, goto
    }

    func move(_ request: AdapterRequest, _ command: AdapterCommand) throws(ShaleError) {
        let program = try current()
        var target: Int?
        if command == .goto {
            guard case .integer(let id)? = request.arguments["targetId"], let place = Int(exactly: id),
                (0...program.steps.next).contains(place)
            else { throw ShaleError(.usage, "dap: there is no such target") }
            target = place
        }
        let isContinue = command == .proceed || command == .reverse
        writer.respond(to: request, isContinue ? .members(["allThreadsContinued": true]) : nil)
        variables.clear()
        switch command {
        case .stepBack: goBack(to: max(0, program.steps.next - 1), .step)
        case .reverse: reverse(program)
        case .goto: goBack(to: target ?? program.steps.next, .goto)
        case .proceed: proceed(to: .end)
        case .stepOut: proceed(to: .stageEnd(stage(before: program.steps.next, program)))
        default: proceed(to: .oneStep)
        }
    }

    // MARK: Forward

    /// Carries steps out until the goal, a breakpoint, a failure or a wish to pause.
    ///
    /// `looksFirst` also stops for a breakpoint on the step that is next now.
    func proceed(to goal: Goal, looksFirst: Bool = false) {
        guard let program else { return rules.setRunning(false) }
        guard takeChangedFile(program) else { return stop(.pause, "the changed file cannot be understood") }
        let steps = program.steps
        if looksFirst, steps.next < steps.units.count {
            let hits = rules.hits(steps.units[steps.next])
            if !hits.isEmpty { return stop(.breakpoint, hits: hits) }
        }
        while steps.next < steps.units.count {
            // The inbox says what is next once the client has left.
            guard let isDone = carryOut(program, to: goal) else { return }
            if isDone { return }
        }
        finish(program)
    }

    /// Carries one step out; whether it stopped behind it, `nil` when the program is over or left.
    private func carryOut(_ program: DebuggedProgram, to goal: Goal) -> Bool? {
        let steps = program.steps
        let stage = stage(before: steps.next, program)
        shell.cancellation.reset()
        if rules.isLeaving { return nil }
        entry.discard()
        failure = nil
        do throws(ShaleError) {
            try steps.carryOut()
        } catch {
            if rules.isLeaving { return nil }
            guard rules.stopsOnFailure else {
                fail(error)
                return nil
            }
            failure = error
            shell.console.report(error)
            stop(.exception, "an instruction failed", text: error.message)
            return true
        }
        guard steps.next < steps.units.count else {
            guard goal == .oneStep else { return false }
            stop(.step, "the end: the next step finishes")
            return true
        }
        let hits = rules.hits(steps.units[steps.next])
        if !hits.isEmpty {
            stop(.breakpoint, hits: hits)
        } else if rules.isPauseWanted {
            stop(.pause)
        } else if goal == .oneStep || goal == .stageEnd(stage) && self.stage(before: steps.next, program) != stage {
            stop(.step)
        } else {
            return false
        }
        return true
    }

    /// How many `FROM` stand before or at a step: the number of its stage.
    private func stage(before place: Int, _ program: DebuggedProgram) -> Int {
        program.steps.units.prefix(place + 1).filter(\.beginsStage).count
    }

    // MARK: Backward

    private func goBack(to place: Int, _ reason: StopReason, hits: [Int64] = []) {
        guard let program else { return rules.setRunning(false) }
        entry.discard()
        failure = nil
        do throws(ShaleError) {
            try program.steps.goBack(to: place)
        } catch {
            shell.console.report(error)
            return stop(.pause, "going back failed", text: error.message)
        }
        let isFirst = reason == .step && place == 0
        stop(isFirst ? .entry : reason, isFirst ? "the first instruction" : nil, hits: hits)
    }

    /// Back to the nearest breakpoint, or to the beginning.
    private func reverse(_ program: DebuggedProgram) {
        let units = program.steps.units
        for place in (0..<program.steps.next).reversed() where !rules.hits(units[place]).isEmpty {
            return goBack(to: place, .breakpoint, hits: rules.hits(units[place]))
        }
        goBack(to: 0, .step)
    }

    // MARK: Stopping

    /// Tells the client that the program stands between two steps.
    func stop(_ reason: StopReason, _ description: String? = nil, text: String? = nil, hits: [Int64] = []) {
        variables.clear()
        rules.setRunning(false)
        streams.flush()
        var members: [JSONDocument.Member] = [
            .init("reason", .string(reason.rawValue)), .init("threadId", 1), .init("allThreadsStopped", true),
        ]
        if let description { members.append(.init("description", .string(description))) }
        if let text { members.append(.init("text", .string(Secrets.masked(text, isProse: true).text.visibleLines))) }
        if !hits.isEmpty { members.append(.init("hitBreakpointIds", .array(hits.map { .integer($0) }))) }
        writer.event("stopped", .object(members))
    }
}

extension SteppedUnit {
    private static let stageKeyword = "FROM"

    var beginsStage: Bool { keyword == Self.stageKeyword }
}
