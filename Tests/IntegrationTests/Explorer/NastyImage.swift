import TestSupport

/// An image with all that makes looking into it hard, as a docker archive that shale has no hand in.
enum NastyImage {
    typealias File = SmallImage.File

    static let script = "</script><script>document.title='broken'</script>"
    /// Its last layer alone changes three times of what the first has.
    static let layers: [[File]] = [
        [
            File("etc/", ""), File("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
            File("etc/shadow", "root:secret\n", mode: 0o600), File("usr/", ""), File("usr/bin/", ""),
            File("usr/bin/tool", [0x7F, 0x45, 0x4C, 0x46, 0, 1, 2] + [UInt8](repeating: 7, count: 3000), mode: 0o4755),
            .link("usr/bin/again", to: "usr/bin/tool", isHard: true), .link("bin", to: "usr/bin"),
            .link("loop1", to: "loop2"), .link("loop2", to: "loop1"), .link("up", to: "../../../../etc"),
            .link("abs", to: "/etc/passwd"), File("cache/", ""),
            File("cache/a.deb", [UInt8](repeating: 1, count: 5000)),
            File("cache/b.deb", [UInt8](repeating: 2, count: 4000)), File("opt/", ""), File("opt/new\nline", "x\n"),
            File("opt/esc\u{1B}[31mred", "y\n"), File("opt/quote\"'&amp;", "q\n"), File("opt/ünï→日本", "u\n"),
            File("opt/\(script.split(separator: "/").joined(separator: "∕"))", "z\n"), File("opt/.hidden", "h\n"),
        ],
        [
            File("etc/", ""), File("etc/.wh.shadow", ""), File("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
            File("cache/", ""), File("cache/.wh..wh..opq", ""), File("cache/lock", ""),
        ],
        [
            File("app/", ""), File("app/main.js", "console.log(1)\n"), File("usr/", ""), File("usr/bin/", ""),
            File("usr/bin/tool", "#!/bin/sh\necho hi\n", mode: 0o755),
        ],
    ]

    static func write(_ path: String, tag: String = "nasty:1") throws {
        try SmallImage.writeDockerArchive(
            path, layers: layers, tag: tag,
            instructions: [
                "/bin/sh -c #(nop) ADD file:abc in / ", "/bin/sh -c rm /etc/shadow && rm -rf /cache/* # \(script)",
                "COPY . /app # buildkit",
            ])
    }

    /// A shale whose home has it.
    static func loaded(_ environment: [String: String] = [:]) throws -> ShaleHome {
        let shale = ShaleHome(environment)
        try write(shale.work + "/nasty.tar")
        try shale.run(["load", "-i", shale.work + "/nasty.tar"])
        return shale
    }
}
