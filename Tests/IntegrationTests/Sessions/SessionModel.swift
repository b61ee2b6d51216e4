/// What a session ought to be, by plain means: lists of instructions, a tree of states, dictionaries of names.
///
/// It shares no code with the program, and knows of images only which instructions they were made by.
struct SessionModel {
    /// An instruction and what it does to the files below `/m`.
    struct Instruction: Equatable {
        enum Effect: Equatable {
            case write(String, String)
            case remove(String)
            case none
        }

        var text: String
        var effect: Effect
        /// Typed inside `enter`.
        var isEntered = false
    }

    /// A state, and what it did beside the working image.
    struct Node {
        enum Change {
            case work
            case name(String, before: [Instruction]?, after: [Instruction]?)
            case removed(String)
        }

        var parent: Int
        var steps: [Instruction]?
        var change: Change
    }

    /// One session: its journal is counted in lines, and a state has the number of its line.
    struct Journal {
        var lines = 0
        var head = 0
        var nodes: [Int: Node] = [:]
        /// States that `redo` surely makes again, the next one last; nothing is known of it behind a jump.
        var undone: [Int] = []

        var steps: [Instruction]? { nodes[head]?.steps }

        mutating func add(_ change: Node.Change, steps: [Instruction]?) {
            lines += 1
            nodes[lines] = Node(parent: head, steps: steps, change: change)
            head = lines
            undone = []
        }

        func path(from number: Int) -> [Int] {
            var path: [Int] = []
            var next = number
            while let node = nodes[next] {
                path.append(next)
                next = node.parent
            }
            return path
        }
    }

    var sessions = ["default": Journal()]
    var current = "default"
    /// Names of all sessions, and the instructions their images were made by.
    var names: [String: [Instruction]] = [:]
    var containers: Set<String> = []

    var journal: Journal {
        get { sessions[current] ?? Journal() }
        set { sessions[current] = newValue }
    }

    /// What the files below `/m` hold after these instructions.
    static func files(_ steps: [Instruction]) -> [String: String] {
        steps.reduce(into: [:]) { files, step in
            switch step.effect {
            case .write(let path, let text): files[path] = text
            case .remove(let path): files[path] = nil
            case .none: break
            }
        }
    }

    // MARK: What lines do

    /// A line that changes nothing is a line of the journal all the same.
    mutating func look() { journal.lines += 1 }

    mutating func from() { journal.add(.work, steps: []) }

    mutating func step(_ instruction: Instruction) {
        journal.add(.work, steps: (journal.steps ?? []) + [instruction])
    }

    mutating func rewrite(_ steps: [Instruction]) { journal.add(.work, steps: steps) }

    mutating func name(_ name: String, _ steps: [Instruction]?) {
        let before = names[name]
        names[name] = steps
        journal.add(.name(name, before: before, after: steps), steps: journal.steps)
    }

    mutating func removeContainer(_ name: String) {
        containers.remove(name)
        journal.add(.removed(name), steps: journal.steps)
    }

    mutating func undo(_ count: Int) {
        let path = journal.path(from: journal.head)
        guard count <= path.count else { return }
        journal.lines += 1
        for number in path.prefix(count) {
            takeBack(number)
            journal.undone.append(number)
            journal.head = journal.nodes[number]?.parent ?? 0
        }
    }

    mutating func redo(_ count: Int) {
        guard count <= journal.undone.count else { return }
        journal.lines += 1
        for _ in 0..<count {
            guard let number = journal.undone.popLast() else { return }
            makeAgain(number)
            journal.head = number
        }
    }

    mutating func goto(_ number: Int) {
        journal.lines += 1
        let up = journal.path(from: journal.head)
        let down = journal.path(from: number)
        for passed in up where !down.contains(passed) { takeBack(passed) }
        for passed in down.reversed() where !up.contains(passed) { makeAgain(passed) }
        journal.head = number
        journal.undone = []
    }

    mutating func fork(at number: Int, named name: String) {
        var new = Journal()
        for number in journal.path(from: number).reversed() {
            guard let node = journal.nodes[number], case .work = node.change else { continue }
            new.add(.work, steps: node.steps)
        }
        sessions[name] = new
        current = name
        // The line itself is the new session's.
        look()
    }

    mutating func change(to name: String) {
        current = name
        look()
    }

    private mutating func takeBack(_ number: Int) {
        switch journal.nodes[number]?.change {
        case .name(let name, let before, _): names[name] = before
        case .removed(let name): containers.insert(name)
        case .work, nil: break
        }
    }

    private mutating func makeAgain(_ number: Int) {
        switch journal.nodes[number]?.change {
        case .name(let name, _, let after): names[name] = after
        case .removed(let name): containers.remove(name)
        case .work, nil: break
        }
    }
}
