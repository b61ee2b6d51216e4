import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `save`, `load`, `import` and `export`: every kind of archive, however packed, by every way in.
@Suite("archives in every form", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct ArchiveFormTests {
    private static let packers = [
        ("none", "cat"), ("gzip", "gzip -n"), ("zstd", "zstd -q -c"), ("bzip2", "bzip2"), ("xz", "xz"),
    ]

    private func filled() throws -> ShaleHome {
        let home = ShaleHome()
        let files = "mkdir ctx; echo f >ctx/f; printf 'FROM scratch\\nCOPY f /\\nCMD [\"/f\"]\\n' >ctx/Dockerfile"
        let made = try home.sh("\(files); shale build -q -t small:1 ctx")
        #expect(made.status == 0, "\(made)")
        return home
    }

    @Test("an archive of any kind and packing is loaded from a file, a pipe and standard input", arguments: packers)
    func load(_ packer: (name: String, command: String)) throws {
        let home = try filled()
        for format in ["both", "oci", "docker"] {
            let made = try home.sh("shale save --format \(format) small:1 | \(packer.command) >a")
            #expect(made.status == 0, "\(made)")
            for way in [
                "shale load -q -i a", "shale load -q <a", "cat a | shale load -q", "cat a | shale load -q -i -",
            ] {
                let said = try home.sh(
                    "shale rmi small:1 >out; \(way) && shale inspect -f '{{.Id}}' small:1; shale save small:1 | tar -t | wc -l"
                )
                #expect(
                    said.status == 0 && said.text.hasPrefix("Loaded image: small:1\nsha256:"),
                    "\(format) \(way): \(said)")
            }
        }
    }

    @Test("a tree of any packing is imported, and exported as it was", arguments: packers)
    func importTree(_ packer: (name: String, command: String)) throws {
        let home = try filled()
        let said = try home.sh(
            """
            shale export small:1 | tar -tf - && shale export small:1 | \(packer.command) >t
            for way in 'shale import t x:1' 'shale import - x:1 <t' 'cat t | shale import - x:1'; do
                eval "$way" >out || cat out; shale export x:1 | tar -xOf - f; shale rmi x:1 >out
            done
            """)
        #expect(said.text == "f\nf\nf\nf\n", "\(said)")
    }

    @Test("folders with a layout or an unpacked archive are loaded, with what umoci tagged in them")
    func folders() throws {
        let home = try filled()
        let said = try home.sh(
            """
            mkdir lay old; shale save --format oci small:1 | tar -C lay -xf -; shale save --format docker small:1 | tar -C old -xf -
            shale rmi small:1 >out; shale load -i lay; shale load -i old
            """)
        #expect(said.text == "Loaded image: small:1\nLoaded image: small:1\n", "\(said)")
        guard Peers.umoci.isPresent else { return }
        try Peers.umoci.run(["tag", "--image", home.work + "/lay:1", "two"])
        try Peers.umoci.run(["config", "--image", home.work + "/lay:two", "--config.user", "someone"])
        let both = try home.sh(
            "shale load -i lay; shale inspect -f '{{.Config.User}}.' small:1; shale inspect -f '{{.Config.User}}.' small:two"
        )
        #expect(both.text == "Loaded image: small:1\nLoaded image: small:two\n.\nsomeone.\n", "\(both)")
    }

    @Test("a reader that leaves ends save and export, and leaves nothing behind")
    func leaving() throws {
        let home = try filled()
        let said = try home.sh(
            "shale save busybox | head -c 10 | wc -c; shale export busybox | head -c 10 | wc -c; shale system check")
        #expect(said.text == "10\n10\nthe store is whole\n", "\(said)")
    }
}
