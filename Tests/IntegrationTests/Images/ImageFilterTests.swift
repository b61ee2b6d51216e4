import TestSupport
import Testing

/// The filters of `images` that docker has not.
@Suite("filters of images", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct ImageFilterTests {
    @Test("by size, age, layer, base and use") func filters() throws {
        let bench = ShaleHome()
        _ = try bench.sh("head -c 3000000 /dev/zero > big; printf 'FROM busybox\\nCOPY big /\\n' > Dockerfile")
        _ = try bench.sh("shale build -q -t big .")
        try bench.run(["create", "--name", "one", "big", "true"])
        func names(_ filters: String...) throws -> String {
            let words = ["images", "--format", "{{.Repository}}"] + filters.flatMap { ["--filter", $0] }
            return try bench.run(words).text.split(separator: "\n").sorted().joined(separator: " ")
        }
        #expect(try names() == "big busybox")
        #expect(try names("size>4MB") == "big")
        #expect(try names("size < 4.0mb") == "busybox")
        #expect(try names("size>1kB", "size<1GiB") == "big busybox")
        #expect(try names("created<1h", "reference=big") == "big")
        #expect(try names("created>1h", "reference=big").isEmpty)
        #expect(try names("base=busybox") == "big")
        #expect(try names("base=big").isEmpty)
        let diffID = try bench.run(["inspect", "-f", "{{index .RootFS.Layers 0}}", "busybox"]).text.dropLast()
        #expect(try names("layer=\(diffID)") == "big busybox")
        #expect(try names("layer=\(diffID.dropFirst(7).prefix(12))", "in-use=true") == "big")
        #expect(try names("layer=ffff0000").isEmpty)
        #expect(try names("unused=true") == "busybox")
        for (filter, words) in [
            ("size>many", "Invalid filter 'size>many'"), ("size=4", "Invalid filter 'size'"),
            ("created>soon", "failed to parse value as time or duration"), ("base=nope", "No such image: nope:latest"),
            ("tag>1", "bad format of filter"),
        ] {
            let said = try bench.run(["images", "--filter", filter], expecting: nil)
            #expect(said.status != 0 && said.errors.contains(words), "\(filter): \(said)")
        }
    }
}
