import TestSupport
import Testing

/// Tab at the real prompt, over a real store.
@Suite(.serialized)
struct TabTests {
    @Test func everythingThatHasAName() throws {
        let scene = try PromptScene()
        try scene.home.write("x", to: "notes.txt")
        try scene.home.run(["tag", "busybox", "busybox:other"])
        try scene.home.run(["create", "--name", "resting_one", "busybox"])
        let terminal = try scene.prompt()
        // Commands and flags.
        try scene.expectTab("pul", becomes: "pull", in: terminal)
        try scene.expectTab("run --wor", becomes: "run --workdir", in: terminal)
        try scene.expectTab("se", offers: ["search", "session", "set"], in: terminal)
        try scene.expectTab("run --n", offers: ["--name", "--network"], in: terminal)
        // Images, containers, files of the host.
        try scene.expectTab("run --rm busy", becomes: "run --rm busybox", in: terminal)
        try scene.expectTab("rmi busybox:", becomes: "rmi busybox:other", in: terminal)
        try scene.expectTab("start rest", becomes: "start resting_one", in: terminal)
        try scene.expectTab("cp ./no", becomes: "cp ./notes.txt", in: terminal)
        try scene.expectTab("COPY no", becomes: "COPY notes.txt", in: terminal)
        // Paths inside images and containers that do not run.
        try scene.expectTab("cp busybox:/etc/pass", becomes: "cp busybox:/etc/passwd", in: terminal)
        try scene.expectTab("cp resting_one:/etc/pass", becomes: "cp resting_one:/etc/passwd", in: terminal)
        try scene.expectTab("run --rm busybox bus", becomes: "run --rm busybox busybox", in: terminal)
        // A container and its layers are looked into like an image.
        try scene.expectTab("size rest", becomes: "size resting_one", in: terminal)
        try scene.expectTab("diff resting_one#", offers: ["resting_one#1", "resting_one#4"], in: terminal)
        try scene.expectTab("set search", becomes: "set search.endpoint", in: terminal)
        try scene.leave(terminal)
    }

    @Test func secondWordsTopicsAndKeysOfMounts() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try scene.expectTab("session sw", becomes: "session switch ", in: terminal)
        try scene.expectTab("session switch de", becomes: "session switch default", in: terminal)
        try scene.expectTab("recipe ve", becomes: "recipe verify ", in: terminal)
        try scene.expectTab("recipe verify busy", becomes: "recipe verify busybox", in: terminal)
        try scene.expectTab("manifest cr", becomes: "manifest create ", in: terminal)
        try scene.expectTab("help lan", becomes: "help language", in: terminal)
        try scene.expectTab("kill -s HU", becomes: "kill -s HUP", in: terminal)
        try scene.expectTab("run --mount type=bi", becomes: "run --mount type=bind", in: terminal)
        try scene.expectTab("run --mount type=bind,so", becomes: "run --mount type=bind,source=", in: terminal)
        try scene.leave(terminal)
    }

    @Test(
        "tags of a registry, and nothing where none answers",
        .enabled(if: RegistryServer.isPresent, "\(RegistryServer.absent)"))
    func tagsOfARegistry() throws {
        let registry = try RegistryServer()
        let scene = try PromptScene()
        for tag in ["1", "2-rc"] {
            try scene.home.run(["tag", "busybox", "\(registry.host)/team/app:\(tag)"])
            try scene.home.run(["push", "-q", "\(registry.host)/team/app:\(tag)"])
            try scene.home.run(["untag", "\(registry.host)/team/app:\(tag)"])
        }
        let terminal = try scene.prompt()
        let name = "\(registry.host)/team/app"
        try scene.expectTab("pull \(name):2", becomes: "pull \(name):2-rc", in: terminal)
        // What was asked for once is known.
        registry.stop()
        try scene.expectTab("platforms \(name):2", becomes: "platforms \(name):2-rc", in: terminal)
        try terminal.send("pull \(registry.host)/other:2\t")
        try terminal.send("x")
        try terminal.waitFor("the line to go on", timeout: 10) { $0.currentLine.contains("/other:2x") }
        try terminal.send("\u{3}")
        try terminal.expect("^C")
        try terminal.expect(terminal.prompt)
        try scene.leave(terminal)
    }
}
