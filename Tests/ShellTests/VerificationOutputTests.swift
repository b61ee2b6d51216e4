import Basics
import Building
import Synchronization
import Testing

@testable import Shell

/// What `recipe verify` tells of its build.
struct VerificationOutputTests {
    private final class Ear: Sendable {
        let heard = Mutex<[Progress]>([])
        var talk: OperationContext { OperationContext { [self] progress in heard.withLock { $0.append(progress) } } }
    }

    @Test func aLineAStepAndTheLastOneWholeWhereItFails() {
        let ear = Ear()
        let voice = VerificationOutput(ear.talk)
        let talk = voice.context
        for progress: Progress in [
            .line("Step 1/3 : FROM base", .step), .item(id: "base", state: "Pulling"), .line(" ---> 012345678901"),
            .line("Step 2/3 : RUN first", .step), .output(Array("quiet\n".utf8), isError: false),
            .line("Step 3/3 : RUN cat <<EOF\nhi\nEOF", .step), .note("beware"),
            .output(Array("loud\n".utf8), isError: false),
        ] { talk.tell(progress) }
        let steps: [Progress] = [
            .line("Step 1/3 : FROM base", .step), .item(id: "base", state: "Pulling"),
            .line("Step 2/3 : RUN first", .step),
            .line("Step 3/3 : RUN cat <<EOF", .step),
        ]
        #expect(ear.heard.withLock { $0 } == steps)
        voice.tellLastStep()
        voice.tellLastStep()
        let failed: [Progress] = [.note("beware"), .output(Array("loud\n".utf8), isError: true)]
        #expect(ear.heard.withLock { $0 } == steps + failed)
    }

    @Test func ofAlongOutputTheEndIsKept() {
        let ear = Ear()
        let voice = VerificationOutput(ear.talk)
        for number in 0..<200 {
            voice.context.tell(.output(Array(repeating: UInt8(number), count: 1000), isError: false))
        }
        voice.tellLastStep()
        let told = ear.heard.withLock { $0 }
        #expect(told.count == 65)
        #expect(told.last == .output(Array(repeating: 199, count: 1000), isError: true))
    }
}
