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

    /// A container is offered to the verbs that can act on it.
    @Test func containersByWhatCanBeDone() throws {
        let scene = try PromptScene()
        try scene.home.run(["create", "--name", "zz_rests", "busybox"])
        for name in ["zz_runs", "zz_waits"] {
            try scene.home.run(["run", "-d", "--name", name, "busybox", "sleep", "600"])
        }
        try scene.home.run(["pause", "zz_waits"])
        let terminal = try scene.prompt()
        for verb in ["exec", "stop", "attach"] {
            try scene.expectTab("\(verb) zz_r", becomes: "\(verb) zz_runs", in: terminal)
        }
        try scene.expectTab("start zz", becomes: "start zz_rests", in: terminal)
        try scene.expectTab("unpause zz", becomes: "unpause zz_waits", in: terminal)
        for verb in ["logs", "diff", "inspect", "commit"] {
            try scene.expectTab("\(verb) zz_", offers: ["zz_rests", "zz_runs", "zz_waits"], in: terminal)
        }
        try scene.home.run(["unpause", "zz_waits"])
        try scene.home.run(["rm", "-f", "zz_rests", "zz_runs", "zz_waits"])
        try scene.leave(terminal)
    }

    /// Fields of a format, keys and values of a filter, and what a word of a step or of a setting may be.
    @Test func fieldsFiltersAndSources() throws {
        let scene = try PromptScene()
        try scene.home.run(["volume", "create", "zz_data"])
        try scene.home.run(["tag", "busybox", "zz_image"])
        _ = try scene.home.sh("mkdir zz_folder && touch zz_folder/inside 'zz with blanks'")
        let terminal = try scene.prompt()
        let becomes = [
            ("images --format '{{.Repo", "images --format '{{.Repository}}"), ("ps --format js", "ps --format json"),
            ("ps --format '{{.Na", "ps --format '{{.Names}}"), ("images --filter dang", "images --filter dangling="),
            ("images -f dangling=t", "images -f dangling=true"), ("ps -f status=ex", "ps -f status=exited"),
            ("ps -f volume=zz", "ps -f volume=zz_data"), ("images -f before=zz", "images -f before=zz_image"),
            ("volume rm zz", "volume rm zz_data"), ("run -v zz_d", "run -v zz_data:"),
            ("run --mount type=volume,source=zz", "run --mount type=volume,source=zz_data"),
            ("kill --signal=SIGTE", "kill --signal=SIGTERM"), ("run --network no", "run --network none"),
            ("run --platform linux/arm6", "run --platform linux/arm64"), ("help sess", "help session"),
            ("explain whit", "explain whiteout"), ("lesson start whit", "lesson start whiteouts"),
            ("COPY zz_f", "COPY zz_folder/"), ("COPY zz_folder/i", "COPY zz_folder/inside"),
            ("COPY --from=zz", "COPY --from=zz_image"), ("ADD zz\\ w", "ADD zz\\ with\\ blanks"),
            ("FROM zz", "FROM zz_image"), ("STOPSIGNAL SIGTE", "STOPSIGNAL SIGTERM"), ("ONBUILD COP", "ONBUILD COPY"),
            ("docker image in", "docker image inspect"), ("x = volume in", "x = volume inspect"),
        ]
        for (typed, line) in becomes { try scene.expectTab(typed, becomes: line, in: terminal) }
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
