import Glibc
import TestSupport
import Testing

/// The rules on where something may be mounted hold for where a path leads in the image, not for how it is written.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct MountPlaceTests {
    private let shale = ShaleHome()

    private func make(_ lines: String...) throws {
        let script = (["FROM busybox"] + lines + ["tag @ trick:1"]).joined(separator: "\n") + "\n"
        try shale.run([], input: Array(script.utf8))
    }

    @Test func noLinkLeadsAMountIntoProc() throws {
        try make("RUN ln -s /proc /p && ln -s p /q && ln -s /proc/sys /s && mkdir /d && ln -s ../proc /d/up")
        for place in ["/p", "/p/sys", "/q/sys", "/s", "/s/kernel", "/d/up/sys", "/d/../p/sys", "/proc/sys"] {
            for option in [["-v", "volume:\(place)"], ["-v", "\(shale.work):\(place)"], ["--tmpfs", place]] {
                let run = try shale.run(["run", "--rm"] + option + ["trick:1", "true"], expecting: nil)
                #expect(run.status != 0, "\(option)")
                // A link at the very end of a tmpfs is refused as such.
                #expect(
                    run.errors.contains("cannot be mounted because it is inside /proc"), "\(option): \(run.errors)")
            }
        }
    }

    @Test func noLinkLeadsAMountOverTheRoot() throws {
        try make("RUN ln -s / /r")
        let run = try shale.run(["run", "--rm", "-v", "\(shale.work):/r", "trick:1", "true"], expecting: nil)
        #expect(run.status != 0)
        #expect(run.errors.contains("destination can't be '/'"), "\(run.errors)")
    }

    @Test func anImagesVolumeIsNoWayRound() throws {
        try make("RUN ln -s /proc /p", "VOLUME /p/sys")
        let run = try shale.run(["run", "--rm", "trick:1", "true"], expecting: nil)
        #expect(run.status != 0)
        #expect(run.errors.contains("inside /proc"), "\(run.errors)")
    }

    @Test func aLinkElsewhereIsFollowed() throws {
        try make("RUN mkdir /real && ln -s /real /l")
        let shown = try shale.run(
            ["run", "--rm", "--tmpfs", "/real/t", "-v", "\(shale.work):/l/v", "trick:1", "ls", "/real"])
        #expect(shown.text.split(separator: "\n") == ["t", "v"])
    }

    @Test func aTmpfsGoesWhereItsLinkLeads() throws {
        try make("RUN mkdir /real && touch /real/below && ln -s /real /l")
        let shown = try shale.run(["run", "--rm", "--tmpfs", "/l", "trick:1", "sh", "-c", "ls /real; readlink /l"])
        #expect(shown.text == "/real\n")
    }

    /// As runc has it: numbers of the host's may be replaced, nothing else.
    @Test func numbersOfTheHostMayBeReplaced() throws {
        try make("RUN ln -s /proc /p")
        Array("own\n".utf8).withUnsafeBytes { bytes in
            let file = open(shale.work + "/own", O_CREAT | O_WRONLY, 0o644)
            defer { close(file) }
            #expect(write(file, bytes.baseAddress, bytes.count) == bytes.count)
        }
        for place in ["/proc/cpuinfo", "/p/meminfo", "/proc/./uptime"] {
            let option = ["-v", "\(shale.work)/own:\(place)"]
            #expect(try shale.run(["run", "--rm"] + option + ["trick:1", "cat", place]).text == "own\n")
        }
        for place in ["/proc/version", "/p/cmdline", "/p/net/route"] {
            let option = ["-v", "\(shale.work)/own:\(place)"]
            let run = try shale.run(["run", "--rm"] + option + ["trick:1", "true"], expecting: 125)
            #expect(run.errors.contains("inside /proc"), "\(run.errors)")
        }
    }

    @Test func aVolumeIsNotFilledWithTheWholeImage() throws {
        try make("RUN ln -s / /r")
        let run = try shale.run(["run", "--rm", "-v", "named:/r", "trick:1", "true"], expecting: nil)
        #expect(run.status != 0 && run.errors.contains("destination can't be '/'"), "\(run.errors)")
        let left = opendir(shale.home + "/volumes/named/_data/bin")
        #expect(left == nil)
        if let left { closedir(left) }
    }
}
