import Glibc
import TestSupport
import Testing

/// What a person has on the host stays theirs: nothing that shale writes there changes a folder that was there.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct HostFolderTests {
    private let shale = ShaleHome()

    /// In the working directory lie a context, `there` with a folder in it, and the container `kept`.
    private static let events = [
        "cp kept:/d there", "cp kept:/d there/", "cp kept:/d/. there", "cp kept:/. there", "cp -a kept:/d there",
        "cp kept:/d/f there", "cp kept:/d/sub there/d", "cp made:1:/d there", "export -o there/x kept",
        "save -o there/x made:1", "recipe save there/x made:1", "recipe save there/x kept", "session export there/x",
        "build -q --iidfile there/id -t again:1 there", "build -q -t again:1 -f context/Dockerfile there",
    ]

    @Test(arguments: events)
    func aFolderThatWasThereIsKept(event: String) throws {
        let folder = shale.work
        try Peer("sh").run(
            [
                "-c",
                """
                umask 022; mkdir -p context/x there/d/sub && echo f > context/x/f && cp -a context/x there/d/x
                printf 'FROM busybox\\nCOPY . /d/\\nRUN chmod 755 /d /tmp; mkdir /d/sub; echo f > /d/f\\n' > context/Dockerfile
                cp context/Dockerfile there/; chmod 1777 there; chmod 700 there/d; chmod 2750 there/d/sub
                """,
            ], in: folder)
        try shale.run(["build", "-q", "-t", "made:1", "\(folder)/context"])
        try shale.run(["create", "--name", "kept", "made:1", "true"])
        func look() throws -> String {
            try Peer("stat").run(["-c", "%n %a %u %g", "there", "there/d", "there/d/sub"], in: folder).text
        }
        let before = try look()
        try shale.run(event.split(separator: " ").map(String.init))
        #expect(try look() == before)
    }

    /// As root an output named `/dev/null` would take the device's place.
    @Test(arguments: [
        "recipe -o PLACE busybox", "recipe --to sh -o PLACE busybox", "build -q --iidfile PLACE c",
        "save -o PLACE busybox", "export -o PLACE kept", "layers --html PLACE busybox",
    ])
    func aPipeIsWrittenToAndStays(event: String) throws {
        try shale.run(["create", "--name", "kept", "busybox", "true"])
        let program = try #require(ShaleHome.program)
        let words = event.replacing("PLACE", with: "pipe")
        let script = """
            mkdir c && echo FROM busybox > c/Dockerfile && mkfifo pipe && { timeout 60 cat pipe > got & } &&
            "$0" --home ../home \(words) > said && wait && test -p pipe && test -s got
            """
        let run = try Peer("sh").run(["-c", script, program], in: shale.work, expecting: nil)
        #expect(run.status == 0, "\(run.errors)")
    }

    private static let outputs = [
        "recipe -o PLACE busybox", "recipe --to sh -o PLACE busybox", "build -q --iidfile PLACE c",
        "layers --html PLACE busybox",
    ]
    private static let archives = ["save -o PLACE busybox", "export -o PLACE kept", "session export PLACE"]

    /// A link that was named is followed, whether there is a file behind it or not yet.
    @Test(arguments: outputs + archives + ["cp kept:/etc/passwd PLACE"], ["file", "none"])
    func aLinkIsFollowedAndStays(event: String, behind: String) throws {
        try shale.run(["create", "--name", "kept", "busybox", "true"])
        let program = try #require(ShaleHome.program)
        let script = """
            mkdir c && echo FROM busybox > c/Dockerfile && mkdir d && : > d/file && ln -s d/\(behind) one && ln -s one two &&
            "$0" --home ../home \(event.replacing("PLACE", with: "two")) && test -L two && test -L one && test -s d/\(behind)
            """
        let run = try Peer("sh").run(["-c", script, program], in: shale.work, expecting: nil)
        #expect(run.status == 0, "\(run.errors)")
    }

    /// A device is written to, or refused; it is never replaced.
    @Test(
        .enabled(if: getuid() == 0, "making a device needs root"),
        arguments: outputs.map { ($0, 0) } + archives.map { ($0, 1) } + [("cp kept:/etc/passwd PLACE", 1)])
    func aDeviceStays(event: String, status: Int32) throws {
        try shale.run(["create", "--name", "kept", "busybox", "true"])
        let program = try #require(ShaleHome.program)
        let script = """
            mkdir c && echo FROM busybox > c/Dockerfile && mknod node c 1 3 && ln -s node link || exit 9
            for place in node link; do
                "$0" --home ../home \(event.replacing("PLACE", with: "$place")) && found=0 || found=$?
                test -c node && test -L link && test $found = \(status) || exit 8
            done
            """
        let run = try Peer("sh").run(["-c", script, program], in: shale.work, expecting: nil)
        #expect(run.status == 0, "\(run.text)\(run.errors)")
        if event.hasPrefix("cp") { #expect(run.errors.contains("got a device"), "\(run.errors)") }
    }

    @Test func aSharedFolderIsNoHome() throws {
        let shared = shale.work + "/shared"
        mkdir(shared, 0o700)
        chmod(shared, 0o1777)
        let program = try #require(ShaleHome.program)
        for home in [shared, shared + "/.", "/"] {
            let run = try Peer("sh").run(["-c", "exec \"$0\" --home '\(home)' images", program], expecting: nil)
            #expect(run.status != 0 && run.errors.contains("all users share this folder"), "\(run.errors)")
        }
        #expect(try Peer("stat").run(["-c", "%a", shared]).text == "1777\n")
        #expect(try Peer("ls").run(["-A", shared]).text.isEmpty)
        // A layout that lies there, another user's say, makes it none.
        try Peer("sh").run(["-c", "echo '{\"imageLayoutVersion\":\"1.0.0\"}' > '\(shared)/oci-layout'"])
        let run = try Peer("sh").run(["-c", "exec \"$0\" --home '\(shared)' images", program], expecting: nil)
        #expect(run.status != 0 && run.errors.contains("all users share this folder"), "\(run.errors)")
        #expect(try Peer("stat").run(["-c", "%a", shared]).text == "1777\n")
    }
}
