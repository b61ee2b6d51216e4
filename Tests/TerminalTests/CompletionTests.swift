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
}
