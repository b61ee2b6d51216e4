import Basics
import Glibc
import Linux
import OCI
import Stores
import TestSupport
import Testing

@testable import Sessions

/// A state made again and the same taken back are inverses of each other, change by change.
struct StateMoveTests {
    private func node() throws -> StateTree.Node {
        let reference = try Reference(parsing: "app:1")
        return StateTree.Node(
            number: 7, parent: 4, line: "rm c", time: .epoch,
            changes: [
                .name(reference, before: nil, after: nil),
                .images(arrived: [Digest.of([1])], departed: [Digest.of([2])]),
                .removed(container: "c1", name: "c"),
            ], base: nil, image: nil)
    }

    @Test func theOrderAndTheSidesAreTurned() throws {
        let forth = StateMove.making(try node())
        let back = StateMove.takingBack(try node())
        #expect((forth.target, back.target) == (7, 4))
        #expect(forth.changes.count == 3)
        guard case .broughtBack("c1", "c") = back.changes[0], case .images(let shown, let hidden) = back.changes[1]
        else {
            Issue.record("\(back.changes)")
            return
        }
        #expect(shown == [Digest.of([2])])
        #expect(hidden == [Digest.of([1])])
        guard case .name = back.inOrderMade[0], case .name = forth.inOrderMade[0] else {
            Issue.record("what stands in the way is told in the order in which it was made")
            return
        }
    }

    @Test func twiceIsTheSame() throws {
        for change in StateMove.making(try node()).changes {
            #expect(String(describing: change.inverse.inverse) == String(describing: change))
            #expect(String(describing: change.inverse) != String(describing: change) || isName(change))
        }
    }

    private func isName(_ change: SharedChange) -> Bool { if case .name = change { true } else { false } }

    /// The journal is searched from its end, and whole where the end has it not.
    @Test func tokensOfAJournal() throws {
        let folder = TemporaryDirectory()
        let journal = folder.path + "/journal"
        #expect(try !Journal.holds(journal, "t-1"))
        let filler = String(repeating: "x", count: 200_000)
        try WholeFile.replace(journal, with: Array("{\"token\":\"t-1\"}\n\(filler)\0\n{\"token\":\"t-2\"}\n".utf8))
        #expect(try Journal.holds(journal, "t-1"))
        #expect(try Journal.holds(journal, "t-2"))
        #expect(try !Journal.holds(journal, "t-3"))
    }
}
