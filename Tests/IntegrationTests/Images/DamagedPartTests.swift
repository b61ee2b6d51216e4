import FoundationEssentials
import TestSupport
import Testing

/// What an earlier attempt left of a blob is used only where it is right.
@Suite(.enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)))
struct DamagedPartTests {
    @Test func copyFetchesABlobAnewWhosePartIsDamaged() throws {
        let maker = ShaleHome()
        try maker.run(["-c", "FROM busybox\nRUN head -c 300000 /dev/urandom > /file\ntag @ app"])
        let layout = maker.work + "/layout"
        try maker.run(["copy", "app", "oci:\(layout):1"])
        let taker = ShaleHome()
        try taker.run(["images"])
        for blob in try FileManager.default.contentsOfDirectory(atPath: layout + "/blobs/sha256") {
            let part = URL(filePath: "\(taker.home)/ingest/\(blob).partial")
            try Data(repeating: 7, count: 100).write(to: part)
        }
        try taker.run(["copy", "oci:\(layout):1", "app"])
        #expect(try taker.run(["run", "--rm", "app", "wc", "-c", "/file"]).text == "300000 /file\n")
        #expect(try taker.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
    }
}
