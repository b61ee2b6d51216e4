import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// shale killed with SIGKILL while it moves through a session's states: at most the line in flight is lost.
@Suite("sessions killed at any moment", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SessionCrashTests {
    /// How often it is killed; `SHALE_CRASH_ROUNDS` sets another number.
    static let rounds = getenv("SHALE_CRASH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 10

    /// Lines that all can be carried out whatever came of those before; `ROUND` makes them new each time.
    private static let lines = """
        FROM busybox
        RUN echo ROUND > /a
        tag @ name:ROUND
        ENV A=ROUND
        create --name boxROUND @ true
        rm boxROUND
        undo 2
        redo 2
        edit 1 'RUN echo edited ROUND > /a'
        rmi name:ROUND
        undo
        fork 1 forkROUND
        session switch default
        goto 1
        session export ROUND.tar
        session import ROUND.tar importROUND
        redo
        drop 1
        undo 3
        """

    @Test func whateverTheMomentTheSessionGoesOn() throws {
        let bench = ShaleHome()
        try bench.run(["images"])
        let start = Waiting.now()
        let first = try bench.start(["--keep-going", "-c", Self.script(0)], name: "first")
        _ = first.wait()
        let length = Waiting.now() - start
        let seed = getenv("SHALE_CRASH_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0 ... .max)
        print("killed session: seed \(seed), \(Self.rounds) rounds in \(Int(length * 1000)) ms")
        var random = CrashRandom(state: seed)
        for round in 1...Self.rounds {
            let moment = length * Double(random.next() % 1000) / 1000
            let child = try bench.start(["--keep-going", "-c", Self.script(round)], name: "killed")
            usleep(UInt32(moment * 1e6))
            child.stop(SIGKILL)
            _ = child.wait()
            let what = "seed \(seed), round \(round), killed after \(Int(moment * 1000)) ms"
            try bench.expectWhole(what)
            // Every session there is can be entered, and stands on an image that runs.
            let sessions = try bench.sh("shale session -q").lines
            for session in sessions where session == "default" || session.hasSuffix("\(round)") {
                let looked = try bench.sh(
                    "shale -S \(session) -c 'timeline\nreflog\n!true' && (shale -S \(session) recipe || test $? = 1)")
                #expect(looked.status == 0, "\(what), \(session): \(looked)")
            }
            let goesOn = try bench.sh(
                "shale -c 'FROM busybox\nRUN echo on > /on\ntag @ on\nundo\nredo\nrun --rm on cat /on'")
            #expect(goesOn.status == 0 && goesOn.lines.last == "on", "\(what): \(goesOn)")
            let left = bench.residue()
            #expect(left.isEmpty, "\(what): \(left)")
        }
        let verified = try bench.sh("shale recipe verify")
        #expect(verified.status == 0, "seed \(seed): \(verified)")
        // Letting go of all of it leaves what the session stands on.
        let pruned = try bench.sh(
            "shale prune -f --history >/dev/null && shale run --rm @ cat /on && shale system check")
        #expect(pruned.lines == ["on", "the store is whole"], "seed \(seed): \(pruned)")
    }

    private static func script(_ round: Int) -> String { lines.replacing("ROUND", with: String(round)) }
}
