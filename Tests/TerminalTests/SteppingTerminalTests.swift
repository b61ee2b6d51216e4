import TestSupport
import Testing

/// Stepping through a build at a terminal: Tab, a shell in the failed container, the editor, and the prompt afterwards.
@Suite("stepping at a terminal", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SteppingTerminalTests {
    @Test func fromThePromptAndBackToIt() throws {
        let scene = try PromptScene(environment: ["EDITOR": "sed -i s/false/true/"])
        try scene.home.write("FROM busybox\nRUN echo made > /made; false\nCMD [\"sh\"]\n", to: "Dockerfile")
        let terminal = try scene.prompt()
        try terminal.send("build --step -t stepped .\r")
        try terminal.expect("=>   1| FROM busybox")
        try terminal.expect("(build) ")
        try terminal.send("cont\t\r")
        try terminal.expect("hint: enter")
        try terminal.expect("(build) ")
        // Paths are those of the failed container, for Tab as well.
        try terminal.send("cat /ma\t\r")
        try terminal.expect("made\r\n")
        try terminal.expect("(build) ")
        try terminal.send("enter\r")
        try terminal.expect("# ")
        try terminal.send("cat /made\r")
        try terminal.expect("made\r\n")
        try terminal.send("exit\r")
        try terminal.expect("rollback forgets it")
        try terminal.send("edit\r")
        try terminal.expect("=>   2| RUN echo made > /made; true")
        try terminal.send("continue\r")
        try terminal.expect("Successfully tagged stepped:latest")
        try terminal.expect("(build) ")
        try terminal.send("save mended\r")
        try terminal.expect("saved to mended")
        try terminal.expect(terminal.prompt)
        #expect(try scene.home.text("mended").contains("RUN echo made > /made; true\n"))
        try scene.leave(terminal)
    }
}
