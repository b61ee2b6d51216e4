import TestSupport
import Testing

/// `explain`: eight lines at most, true of the home.
struct ExplainTests {
    /// After each line, words that only this home can have said.
    @Test func explainsTheLastLine() throws {
        let learner = ShaleHome()
        let lines = [
            ("images -q", "changed nothing"), ("FROM busybox", "No byte was copied"),
            ("RUN dd if=/dev/zero of=/big bs=1M count=1", "one layer more, #4: 1 path added, 1.05MB"),
            ("RUN rm /big", "It hides /big of layer #4: 1.05MB"), ("ENV A=1", "no new layer, no bytes"),
            ("tag @ fat", "fat:latest is a new name of"), ("tag @ thin", "the names fat and thin"),
            ("run --name box busybox sh -c 'echo hi > /note'", "with 1 path added, 3B in it now: /note"),
            ("run --rm busybox true", "took it away again"), ("commit box menu", "So it takes 3B more"),
            ("undo", "in state"), ("redo", "after \"commit box menu\""),
            ("cp box:/note note", "own layer has 1 path added"),
            ("rmi menu", "went out of the lists"), ("volume create data", "The volume data is a folder"),
            ("run -d --name db -v data:/data busybox sleep 60", "data is a volume"),
            ("exec db touch /here", "own layer has 2 paths added, 0B in it now: /data and /here"),
            ("rm -f db", "undo brings the container back"),
            ("copy busybox oci:out:1", "Nothing changed here"), ("prune -f --history", "for good"),
            ("run busybox nosuch", "is not in the image"), ("rmi nosuch", "left nothing on this disk"),
        ]
        for (line, words) in lines {
            // One shale for both, as at the prompt: so the reason of a failure is known.
            let told = try learner.run(["--keep-going", "-c", "\(line)\nexplain"], expecting: nil)
            #expect(told.text.contains(words), "\(line): \(told.text) \(told.errors)")
            let explained = try learner.run(["explain"]).text
            #expect(explained.split(separator: "\n").count <= 8, "\(explained)")
        }
    }

    /// Topics and commands speak of what is here, and of what is named.
    @Test func explainsThingsAndCommands() throws {
        let learner = ShaleHome()
        let empty = try learner.run(["explain", "whiteout"]).text
        #expect(empty.contains("No image here hides anything yet"))
        try learner.run(["-c", "FROM busybox\nRUN echo x > /x\nRUN rm /x\ntag @ app\ncreate --name web app"])
        for (words, fact) in [
            (["whiteout"], "layer #5 of app"), (["layer"], "shares with busybox:latest (3 layers"),
            (["rmi", "app"], "app has 5 layers"), (["run", "busybox"], "the 3 layers of busybox"),
            (["working", "image"], "has 2 steps"),
            (["docker", "rm", "web"], "web has nothing in that layer"), (["RUN"], "The working image has 2 steps"),
            (["ls"], "It only looks"), (["tag"], "NAME@{1}"),
        ] {
            let text = try learner.run(["explain"] + words).text
            #expect(text.contains(fact) && text.split(separator: "\n").count <= 8, "\(words): \(text)")
        }
        // Every topic has something to say, in any home.
        for topic in try learner.run(["complete", "topic", ""]).text.split(separator: "\n") {
            let text = try learner.run(["explain", String(topic)]).text
            #expect(
                !text.isEmpty && !text.contains("{image") && text.split(separator: "\n").count <= 8, "\(topic): \(text)"
            )
        }
    }

    /// Teaching lines are no part of a recording, nor beside JSON.
    @Test func teachingStaysOutOfRecordings() throws {
        let learner = ShaleHome()
        try learner.run(["set", "teach", "on"])
        #expect(try learner.run(["images", "--format", "json"]).errors.isEmpty)
        let outcome = try learner.run(["-c", "record --md out.md\ntag busybox app\nrecord off"])
        #expect(outcome.errors.contains("(app:latest is now a name of "))
        #expect(try !learner.text("out.md").contains("now a name of"))
    }
}
