import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Recorded sessions of every kind, each turned into a recipe that shale and Debian's dockerd build: the same files and
/// the same config as the original, path by path.
@Suite("recorded sessions", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecordedSessionTests {
    @Test func eachYieldsARecipeThatMakesItAgain() async throws {
        let sessions = try RecordedSession.all()
        #expect(sessions.count >= 50)
        setenv("DOCKER_BUILDKIT", "0", 1)
        let bench = try SessionBench()
        // Two at a time: most of each is waiting.
        await withTaskGroup(of: Void.self) { group in
            var rest = sessions[...]
            for session in rest.prefix(3) { group.addTask { bench.check(session) } }
            rest = rest.dropFirst(3)
            while await group.next() != nil {
                guard let session = rest.popFirst() else { continue }
                group.addTask { bench.check(session) }
            }
        }
        print("recorded sessions: \(sessions.count), built by shale\(bench.docker == nil ? "" : " and by dockerd")")
    }
}

extension SessionBench {
    /// Replays one session in a home of its own and follows its recipe.
    fileprivate func check(_ session: RecordedSession) {
        do {
            let place = try SessionPlace(on: self)
            defer { place.removeContainers() }
            _ = try place.shale([session.script])
            let recipe = try place.shale(["recipe", session.subject]).text
            let instructions = recipe.split(separator: "\n").filter { !$0.hasPrefix("#") }
            for line in session.contains { #expect(recipe.contains(line), "\(session.name): \(recipe)") }
            for line in session.lacks {
                #expect(!instructions.contains { $0.contains(line) }, "\(session.name): \(recipe)")
            }
            let words = ["recipe", "verify", "--tidy", session.subject]
            let tidy = try place.home.run(words, in: place.folder, expecting: nil)
            #expect(tidy.status == 0, "\(session.name), tidied: \(tidy.text)\(tidy.errors)")
            let (ours, dockers) = try differences(of: session.subject, in: place, as: session.name)
            #expect(ours == [], "\(session.name), built by shale:\n\(recipe)")
            #expect(dockers == [], "\(session.name), built by docker:\n\(recipe)")
        } catch {
            Issue.record("\(session.name): \(error)")
        }
    }
}
