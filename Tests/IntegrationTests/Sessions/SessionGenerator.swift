/// Writes a script of random lines and, from the model, what a look at the session must show now and then.
struct SessionGenerator {
    /// What is looked at after some lines, between two marks in the output.
    struct Look {
        var what: String
        var expected: [String]
        /// Whether the order counts.
        var isOrdered = true
    }

    private(set) var script: [String] = []
    private(set) var looks: [Look] = []
    private var model = SessionModel()
    private var random: CrashRandom
    private var containerCount = 0
    /// How often each kind of line was written.
    private(set) var counts: [String: Int] = [:]

    init(seed: UInt64) { random = CrashRandom(state: seed) }

    /// Writes so many operations, with a look after every `interval` and a proof of the recipe at some.
    mutating func generate(_ count: Int, lookingEvery interval: Int, verifying: Int) {
        write("FROM busybox") { $0.from() }
        for number in 1...count {
            operate()
            guard number % interval == 0 else { continue }
            look()
            if verifying > 0, number % (count / verifying) == 0 { verify() }
        }
        look()
    }

    private mutating func write(_ line: String, _ change: (inout SessionModel) -> Void) {
        script.append(line)
        change(&model)
    }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &random) }

    private mutating func operate() {
        let kinds: [(String, Int)] = [
            ("copy", 22), ("env", 10), ("run", 12), ("tag", 9), ("untag", 3), ("rmi", 5), ("undo", 14), ("redo", 10),
            ("goto", 5), ("edit", 3), ("drop", 2), ("move", 2), ("fork", 1), ("switch", 3), ("rm", 2), ("enter", 2),
            ("from", 1),
        ]
        var ticket = pick(kinds.reduce(0) { $0 + $1.1 })
        for (kind, weight) in kinds {
            if ticket < weight { return operate(kind) }
            ticket -= weight
        }
    }

    private mutating func operate(_ kind: String) {
        let before = script.count
        switch kind {
        case "copy", "env", "run":
            guard model.journal.steps != nil else { return write("FROM busybox") { $0.from() } }
            let instruction = instruction(kind)
            write(instruction.text) { $0.step(instruction) }
        case "from": write("FROM busybox") { $0.from() }
        case "tag", "untag", "rmi": name(kind)
        case "undo":
            let depth = model.journal.path(from: model.journal.head).count
            let count = 1 + pick(4)
            guard count <= depth else { return }
            write(count == 1 ? "undo" : "undo \(count)") { $0.undo(count) }
        case "redo":
            guard !model.journal.undone.isEmpty else { return }
            let count = 1 + pick(model.journal.undone.count)
            write(count == 1 ? "redo" : "redo \(count)") { $0.redo(count) }
        case "goto":
            let states = [0] + model.journal.nodes.keys.sorted()
            let state = states[pick(states.count)]
            write("goto \(state)") { $0.goto(state) }
        case "edit", "drop", "move": rewrite(kind)
        case "fork", "switch": change(kind)
        case "rm":
            guard model.journal.steps != nil else { return }
            containerCount += 1
            let name = "c\(containerCount)"
            write("create --name \(name) @ true") {
                $0.containers.insert(name)
                $0.look()
            }
            write("rm \(name)") { $0.removeContainer(name) }
        default: enter()
        }
        if script.count > before { counts[kind, default: 0] += 1 }
    }

    private mutating func instruction(_ kind: String) -> SessionModel.Instruction {
        let path = "/m/a\(pick(8))"
        let number = pick(6)
        switch kind {
        case "copy": return .init(text: "COPY f\(number) \(path)", effect: .write(path, "content \(number)"))
        case "env": return .init(text: "ENV k\(pick(4))=v\(number)", effect: .none)
        default:
            if pick(3) == 0 { return .init(text: "RUN rm -f \(path)", effect: .remove(path)) }
            return .init(
                text: "RUN mkdir -p /m && echo text \(number) > \(path)", effect: .write(path, "text \(number)"))
        }
    }

    private mutating func name(_ kind: String) {
        // Each session moves names of its own: what others moved meanwhile is not taken back.
        let name = "\(model.current)-\(pick(5)):v"
        switch kind {
        case "tag":
            guard let steps = model.journal.steps, model.names[name] != steps,
                !steps.contains(where: \.isEntered), !(model.names[name] ?? []).contains(where: \.isEntered)
            else { return }
            write("tag @ \(name)") { $0.name(name, steps) }
        case "untag":
            guard model.names[name] != nil else { return }
            write("untag \(name)") { $0.name(name, nil) }
        default:
            guard model.names[name] != nil else { return }
            write("rmi -f \(name)") { $0.name(name, nil) }
        }
    }

    private mutating func rewrite(_ kind: String) {
        guard var steps = model.journal.steps, !steps.isEmpty else { return }
        // Early steps are rarely changed: all that follows is carried out again.
        let index = max(0, steps.count - 1 - pick(min(steps.count, 6)))
        var line = ""
        switch kind {
        case "edit":
            let kinds = ["copy", "env", "run"]
            steps[index] = instruction(kinds[pick(kinds.count)])
            line = "edit \(index + 1) '\(steps[index].text)'"
        case "drop":
            steps.remove(at: index)
            line = "drop \(index + 1)"
        default:
            let place = max(0, steps.count - 1 - pick(min(steps.count, 6)))
            steps.insert(steps.remove(at: index), at: place)
            line = "move \(index + 1) \(place + 1)"
        }
        write(line) { $0.rewrite(steps) }
    }

    private mutating func change(_ kind: String) {
        if kind == "fork", model.sessions.count < 4 {
            let states = model.journal.nodes.keys.sorted()
            let state = states[pick(states.count)]
            let name = "branch\(model.sessions.count)"
            return write("fork \(state) \(name)") { $0.fork(at: state, named: name) }
        }
        let names = model.sessions.keys.sorted()
        let name = names[pick(names.count)]
        guard name != model.current else { return }
        write("session switch \(name)") { $0.change(to: name) }
    }

    private mutating func enter() {
        guard model.journal.steps != nil else { return }
        var instruction = instruction("run")
        instruction.isEntered = true
        if case .remove = instruction.effect { return }
        write("enter <<EOF\n\(instruction.text.dropFirst(4))\nEOF") {
            $0.step(instruction)
            $0.look()
        }
    }

    // MARK: Looking

    private mutating func look() {
        let steps = model.journal.steps
        if let steps {
            let files = SessionModel.files(steps).map { "\($0.key):\($0.value)" }
            look("files of @", "grep -r . @:/m", files, isOrdered: false)
            look("steps", "steps --format '{{.Instruction}}'", ["FROM busybox"] + steps.map(\.text))
        }
        let names = model.names.keys.sorted()
        look("names", "images --format '{{.Repository}}:{{.Tag}}'", names, isOrdered: false)
        look("containers", "ps -a --format '{{.Names}}'", model.containers.sorted(), isOrdered: false)
        let journal = model.journal
        let current = Set(journal.path(from: journal.head))
        look(
            "timeline", "timeline --format '{{.State}} {{.On}} {{.Mark}}'",
            journal.nodes.sorted { $0.key < $1.key }.map { number, node in
                let mark = number == journal.head ? "=>" : current.contains(number) ? "*" : ""
                return "\(number) \(node.parent) \(mark)"
            })
        guard !names.isEmpty else { return }
        let name = names[pick(names.count)]
        let files = SessionModel.files(model.names[name] ?? []).map { "\($0.key):\($0.value)" }
        look("files of \(name)", "grep -r . \(name):/m", files, isOrdered: false)
    }

    private mutating func verify() {
        guard model.journal.steps != nil else { return }
        look("recipe", "recipe verify > proof && !echo proved", ["proved"])
        // `&&` joins two statements: two lines of the journal.
        model.look()
    }

    private mutating func look(_ what: String, _ line: String, _ expected: [String], isOrdered: Bool = true) {
        looks.append(Look(what: "\(what), after line \(script.count)", expected: expected, isOrdered: isOrdered))
        write("!echo '<<'") { $0.look() }
        write(line) { $0.look() }
        write("!echo '>>'") { $0.look() }
    }
}
