import Basics
import Building
import Images
import OCI
import Stores
import Testing

@testable import Sessions

/// The tree of states against a plain model: a list of steps, and a stack of what was undone.
struct StateTreeTests {
    static func digest(_ number: Int) -> Digest { Digest.of("image \(number)".utf8) }

    static func step(_ number: Int, entry: Int) -> JournalEntry {
        let step = Step(
            instruction: "RUN \(number)", image: digest(number), summary: .none, wasCached: false, seconds: 0,
            time: .epoch, directory: nil, copied: [])
        return numbered(JournalEntry(time: .epoch, line: "RUN \(number)", changes: [.step(step)]), entry)
    }

    static func numbered(_ entry: JournalEntry, _ number: Int) -> JournalEntry {
        var entry = entry
        entry.number = number
        return entry
    }

    static func from(entry: Int) -> JournalEntry {
        let base = WorkingBase(instruction: "FROM base", image: digest(0), stage: "first")
        return numbered(JournalEntry(time: .epoch, line: "FROM base", changes: [.began(base)]), entry)
    }

    @Test func workingImageFollowsSteps() throws {
        var tree = StateTree()
        #expect(tree.working(at: tree.head) == nil)
        tree.append(Self.from(entry: 1))
        tree.append(Self.step(1, entry: 2))
        tree.append(Self.step(2, entry: 4))
        let working = try #require(tree.working(at: tree.head))
        #expect(working.image == Self.digest(2))
        #expect(working.steps.map(\.instruction) == ["RUN 1", "RUN 2"])
        #expect(working.image(stepsBack: 1) == Self.digest(1))
        #expect(working.image(stepsBack: 2) == Self.digest(0))
        #expect(working.image(stepsBack: 3) == nil)
        #expect(working.stages["first"] == Self.digest(2))
        #expect(working.stages["0"] == Self.digest(2))
    }

    @Test func undoAndRedoWalkTheSameWay() throws {
        var tree = StateTree()
        tree.append(Self.from(entry: 1))
        for number in 1...3 { tree.append(Self.step(number, entry: number + 1)) }
        let back = try #require(tree.undoTarget(2))
        #expect(back.passed.map(\.line) == ["RUN 3", "RUN 2"])
        tree.append(Self.numbered(JournalEntry(time: .epoch, line: "undo 2", movedTo: back.target), 5))
        #expect(tree.working(at: tree.head)?.image == Self.digest(1))
        let forth = try #require(tree.redoTarget(2))
        #expect(forth.passed.map(\.line) == ["RUN 2", "RUN 3"])
        #expect(tree.redoTarget(3) == nil)
        tree.append(Self.numbered(JournalEntry(time: .epoch, line: "redo 2", movedTo: forth.target), 6))
        #expect(tree.working(at: tree.head)?.image == Self.digest(3))
        #expect(tree.undoTarget(5) == nil)
    }

    /// 1 000 random steps, undos, redos and jumps give at each moment what a list and a stack would.
    @Test(arguments: [UInt64(1), 7, 42, 20_261_123])
    func randomWalksMatchAPlainModel(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        var tree = StateTree()
        var number = 1
        tree.append(Self.from(entry: number))
        var steps: [Int] = []
        var undone: [Int] = []
        var states: [(entry: Int, steps: [Int])] = [(1, [])]
        for _ in 0..<1000 {
            number += 1
            switch generator.next() % 5 {
            case 0 where !steps.isEmpty:
                let target = try #require(tree.undoTarget(1))
                tree.append(Self.numbered(JournalEntry(time: .epoch, line: "undo", movedTo: target.target), number))
                undone.append(steps.removeLast())
            case 1 where !undone.isEmpty:
                let target = try #require(tree.redoTarget(1))
                tree.append(Self.numbered(JournalEntry(time: .epoch, line: "redo", movedTo: target.target), number))
                steps.append(undone.removeLast())
            case 2 where generator.next() % 8 == 0:
                let state = states[Int(generator.next() % UInt64(states.count))]
                tree.append(Self.numbered(JournalEntry(time: .epoch, line: "goto", movedTo: state.entry), number))
                steps = state.steps
                // A jump may land on the way back or anywhere: what redo offers then is the tree's own business.
                undone = []
                while let next = tree.redoTarget(undone.count + 1) { undone.insert(next.target, at: 0) }
                undone = undone.map { entry in states.first { $0.entry == entry }?.steps.last ?? -1 }
            default:
                tree.append(Self.step(number, entry: number))
                steps.append(number)
                undone = []
                states.append((number, steps))
            }
            let working = try #require(tree.working(at: tree.head))
            #expect(working.steps.map(\.image) == steps.map(Self.digest))
        }
    }

    @Test func namesAreTakenBackAndMadeAgain() throws {
        let name = try Reference(parsing: "docker.io/library/x:1")
        let one = ImageEntry(
            manifest: Descriptor(mediaType: MediaType.ociManifest, digest: Self.digest(1), size: 1), image: nil)
        let two = ImageEntry(
            manifest: Descriptor(mediaType: MediaType.ociManifest, digest: Self.digest(2), size: 1), image: nil)
        var tree = StateTree()
        tree.append(
            Self.numbered(
                JournalEntry(time: .epoch, line: "tag", changes: [.name(name, before: nil, after: one)]), 1))
        tree.append(
            Self.numbered(
                JournalEntry(time: .epoch, line: "tag", changes: [.name(name, before: one, after: two)]), 2))
        #expect(tree.nameChanges(from: 2, to: 1).map(\.target) == [one])
        #expect(tree.nameChanges(from: 2, to: 0).map(\.target) == [one, nil])
        #expect(tree.nameChanges(from: 0, to: 2).map(\.target) == [one, two])
        #expect(tree.nameChanges(from: 2, to: 2).isEmpty)
    }
}

extension StateTreeTests {
    @Test func whatCannotBeUndoneIsInTheWayUntilOneWentPastIt() {
        var tree = StateTree()
        tree.append(Self.step(1, entry: 1))
        tree.append(Self.step(2, entry: 2))
        tree.append(Self.numbered(JournalEntry(time: .epoch, line: "undo", movedTo: 1), 3))
        tree.append(Self.numbered(JournalEntry(time: .epoch, line: "prune -f", changes: [.lost(.pruned)]), 4))
        // It makes no state, and redo goes where it went.
        #expect(tree.head == 1)
        #expect(tree.redoTarget(1)?.target == 2)
        #expect(tree.losses == [1: StateLoss(number: 4, line: "prune -f", loss: .pruned)])
        tree.append(Self.numbered(JournalEntry(time: .epoch, line: "redo", movedTo: 2), 5))
        #expect(tree.losses[1] != nil)
        tree.append(Self.numbered(JournalEntry(time: .epoch, line: "goto 0", movedTo: 0), 6))
        #expect(tree.losses.isEmpty)
        #expect(tree.redoTarget(2)?.passed.map(\.number) == [1, 2])
    }
}

/// A small generator with a seed, so that a failure can be had again.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
