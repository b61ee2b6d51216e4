/// Texts put together at random from pieces that a grammar knows; the same seed gives the same text.
package enum RandomText {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    package static func of(_ pieces: [String], seed: UInt64) -> String {
        var generator = Generator(state: seed)
        return (0..<Int.random(in: 1...14, using: &generator))
            .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }
}
