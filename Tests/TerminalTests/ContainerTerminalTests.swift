import Glibc
import TestSupport
import Testing

/// `run -it` and `attach` at the real prompt, and the chapter's two terminals.
@Suite(.serialized)
struct ContainerTerminalTests {
    @Test func theTerminalIsTheContainers() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.send("run -it --rm busybox sh\r")
        try terminal.expect("/ # ")
        try terminal.send("stty size\r")
        try terminal.expect("30 100")
        try terminal.expect("/ # ")
        try terminal.resize(columns: 70, rows: 20)
        try terminal.send("sleep 1; stty size\r")
        try terminal.expect("20 70")
        try terminal.expect("/ # ")
        // Ctrl-C is the container's, not shale's.
        try terminal.send("sleep 60\r")
        try terminal.waitFor("the typed command") {
            $0.currentLine.hasSuffix("sleep 60") || $0.text.contains("sleep 60")
        }
        usleep(200_000)
        try terminal.send("\u{3}")
        try terminal.expect("/ # ")
        try terminal.send("exit 7\r")
        try terminal.expect(terminal.prompt)
        try scene.leave(terminal, status: 7)
    }

    @Test func aHundredTimesAttachedAndLeft() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.run("run -dit --name busy busybox sh")
        for number in 1...100 {
            try terminal.send("attach busy\r")
            try terminal.send("echo n-$((\(number)*2))-\r")
            try terminal.expect("n-\(number * 2)-")
            try terminal.send("\u{10}\u{11}")
            try terminal.expect(terminal.prompt)
        }
        // One line for each time, and one shell for them all.
        #expect(try terminal.run("exec busy ps").contains("sh"))
        #expect(try terminal.run("ps").contains("busy"))
        try terminal.run("rm -f busy")
        try scene.leave(terminal)
    }

    @Test func severalAreAttachedAtOnce() throws {
        let scene = try PromptScene()
        let first = try scene.prompt()
        try first.run("run -dit --name shared busybox sh")
        let others = try (0..<2).map { _ in try scene.home.terminal(["attach", "shared"]) }
        // Each is attached once it has an answer: what was printed before, it is not shown.
        for terminal in others {
            try terminal.send("\r")
            try terminal.expect("/ # ")
        }
        try first.send("attach shared\r")
        try first.send("echo to-$((6*7))\r")
        for terminal in [first] + others { try terminal.expect("to-42") }
        // One leaves; the others stay.
        try others[0].send("\u{10}\u{11}")
        #expect(try others[0].waitForExit() == 0)
        try others[1].send("echo still-$((6*8))\r")
        for terminal in [first, others[1]] { try terminal.expect("still-48") }
        try others[1].send("exit 3\r")
        #expect(try others[1].waitForExit() == 3)
        try first.expect(first.prompt)
        try first.run("rm shared")
        try scene.leave(first)
    }

    @Test func theExitStatusIsTheContainers() throws {
        let scene = try PromptScene()
        let terminal = try scene.home.terminal(["run", "-it", "--rm", "busybox", "sh"])
        try terminal.expect("/ # ", timeout: 60)
        try terminal.send("exit 7\r")
        #expect(try terminal.waitForExit() == 7)
    }

    @Test func detachAndAttach() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.send("run -it --name left_alone busybox sh\r")
        try terminal.expect("/ # ")
        try terminal.send("word=kept\r")
        try terminal.expect("/ # ")
        try terminal.send("\u{10}\u{11}")
        try terminal.expect(terminal.prompt)
        #expect(try terminal.run("ps").contains("left_alone"))
        try terminal.send("attach left_alone\r")
        try terminal.send("\r")
        try terminal.expect("/ # ")
        try terminal.send("echo got-$word\r")
        try terminal.expect("got-kept")
        try terminal.send("exit\r")
        try terminal.expect(terminal.prompt)
        #expect(try !terminal.run("ps").contains("left_alone"))
        #expect(try terminal.run("ps -a").contains("Exited (0)"))
        try terminal.run("rm left_alone")
        try scene.leave(terminal)
    }

    /// The chapter: the container in one terminal, everything about it from the other.
    @Test func twoTerminals() throws {
        let scene = try PromptScene()
        try scene.home.write("#!/bin/sh\necho 'Hello, docker!'\n", to: "hello.sh", executable: true)
        try scene.home.write(
            "FROM busybox\nWORKDIR /usr/src/app\nCOPY hello.sh .\nCMD ./hello.sh\n", to: "Dockerfile")
        let first = try scene.prompt()
        let second = try scene.prompt()
        try second.run("$ docker build . -t hello-docker")
        try first.send("$ docker run -it --name zen_rosalind hello-docker sh\r")
        try first.expect("/usr/src/app # ")

        #expect(try second.run("$ docker ps").contains("zen_rosalind"))
        try second.run("!touch additional.txt")
        #expect(
            try second.run("$ docker cp ./additional.txt zen_rosalind:/usr/src/app/").contains("Successfully copied"))
        try first.send("ls\r")
        try first.expect("additional.txt")
        try first.expect("/usr/src/app # ")
        let changes = try second.run("$ docker diff zen_rosalind")
        for line in ["C /usr", "C /usr/src", "C /usr/src/app", "A /usr/src/app/additional.txt"] {
            #expect(changes.split(separator: "\n").contains(Substring(line)), "\(changes)")
        }
        #expect(try second.run("$ docker commit zen_rosalind hello-docker-additional").contains("sha256:"))
        #expect(try second.run("$ docker run --rm hello-docker-additional ls").contains("additional.txt"))
        // The first terminal has noticed nothing.
        try first.send("echo still-$((40 + 2))\r")
        try first.expect("still-42")
        try first.send("exit\r")
        try first.expect(first.prompt)
        #expect(try second.run("$ docker ps -a").contains("Exited (0)"))
        try scene.leave(first)
        try scene.leave(second)
    }
}
