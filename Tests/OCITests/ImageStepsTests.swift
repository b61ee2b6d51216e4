import Basics
import OCI
import Testing

/// Which entry of a history made which layer.
@Suite struct ImageStepsTests {
    private static func digest(_ number: Int) -> Digest { Digest.of([UInt8(truncatingIfNeeded: number)]) }

    /// `a` an entry that made a layer, `A` one that made none.
    private static func config(_ history: String?, layers: Int) -> ImageConfig {
        var config = ImageConfig()
        config.created = Timestamp(seconds: 1_700_000_000)
        config.rootfs = RootFS(diffIDs: (0..<layers).map(digest))
        config.history = history.map { text in
            text.map { History(created: nil, createdBy: String($0), emptyLayer: $0.isUppercase) }
        }
        return config
    }

    private static func text(_ config: ImageConfig) -> String {
        config.steps.map { "\($0.history.map { $0.createdBy ?? "" } ?? "?")\($0.layer.map(String.init) ?? "-")" }
            .joined(separator: " ")
    }

    @Test(
        arguments: [
            ("ab", 2, "a0 b1"), ("aBc", 2, "a0 B- c1"), (nil, 2, "?0 ?1"), ("", 1, "?0"), ("a", 3, "a0 ?1 ?2"),
            ("AB", 1, "A- B- ?0"), ("abc", 1, "a0 b- c-"), ("abC", 0, "a- b- C-"), (nil, 0, ""),
        ] as [(String?, Int, String)])
    func eachLayerIsInOneStep(_ history: String?, _ layers: Int, _ expected: String) {
        let config = Self.config(history, layers: layers)
        #expect(Self.text(config) == expected)
        #expect(config.layerHistory.count == layers)
    }

    @Test(
        arguments: [
            ("a", 1, "a0 n1", "a0 N-"), (nil, 2, "0 1 n2", "0 1 N-"), ("a", 3, "a0 1 2 n3", "a0 1 2 N-"),
            ("abc", 1, "a0 b- c- n1", "a0 b- c- N-"), (nil, 0, "n0", "N-"), ("AB", 1, "A- B- 0 n1", "A- B- 0 N-"),
        ] as [(String?, Int, String, String)])
    func aNewStepKeepsItsOwnLayer(_ history: String?, _ layers: Int, _ withLayer: String, _ without: String) {
        var config = Self.config(history, layers: layers)
        config.append(History(created: nil, createdBy: "n"), layer: Self.digest(layers))
        #expect(Self.text(config) == withLayer)
        config = Self.config(history, layers: layers)
        config.append(History(created: nil, createdBy: "N"), layer: nil)
        #expect(Self.text(config) == without)
        #expect(config.rootfs.diffIDs.count == layers)
    }
}
