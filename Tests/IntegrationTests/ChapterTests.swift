import FoundationEssentials
import TestSupport
import Testing

/// The course's chapter, replayed whole against a registry that stands in for Docker Hub and quay.io.
@Suite(.enabled(if: CourseRegistry.isPossible, "\(CourseRegistry.impossible)"), .serialized)
struct ChapterTests {
    private static let users = ShaleHome.Account.all

    /// A learner's home beside a fresh registry.
    private static func scene(_ user: ShaleHome.Account) throws -> (ShaleHome, CourseRegistry) {
        let registry = try CourseRegistry()
        let learner = try ShaleHome(registry.environment, as: user)
        try learner.run(["set", "search.endpoint", registry.searchEndpoint])
        return (learner, registry)
    }

    @Test(arguments: users) func theScriptShowsWhatTheChapterShows(user: ShaleHome.Account) throws {
        let (learner, registry) = try Self.scene(user)
        let outcome = try learner.run([learner.recipes + "/chapter.shale"])
        for line in [
            "latest: Pulling from library/ubuntu", "Step 1/4 : FROM alpine:3.13", "Step 4/5 : RUN touch additional.txt",
            "C /usr/src/app", "A /usr/src/app/additional.txt", "Successfully tagged hello-docker:v2",
        ] {
            #expect(outcome.text.split(separator: "\n").contains(Substring(line)), "\(line)\n\(outcome.text)")
        }
        #expect(outcome.errors.contains("hint: pull quay.io/nordstrom/hello-world:2.0") || learner.exists("pull.err"))
        let columns = try learner.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]).text.split(separator: "\n")
        for name in [
            "ubuntu:bionic", "fav_distro:bionic", "hello-docker:latest", "hello-docker:v2",
            "hello-docker-additional:latest", "quay.io/nordstrom/hello-world:2.0",
        ] {
            #expect(columns.contains(Substring(name)))
        }
        // Nothing is left running, and the store is whole.
        #expect(try learner.run(["ps", "-aq"]).text.isEmpty)
        try learner.run(["system", "check"])
        withExtendedLifetime(registry) {}
    }

    @Test(arguments: users) func replayedTwiceItMakesTheSameImages(user: ShaleHome.Account) throws {
        let (learner, registry) = try Self.scene(user)
        let script = learner.recipes + "/chapter.shale"
        let environment = ["SOURCE_DATE_EPOCH": "1700000000"]
        try learner.run(["replay", script], environment: environment)
        let first = try Self.builtImages(learner)
        #expect(first.count == 3)
        try learner.run(["replay", script], environment: environment)
        #expect(try Self.builtImages(learner) == first)

        // On a new home nothing can come from the cache, and the images are the same all the same.
        let second = try ShaleHome(registry.environment, as: user)
        try second.run(["set", "search.endpoint", registry.searchEndpoint])
        try second.run(["replay", second.recipes + "/chapter.shale"], environment: environment)
        #expect(try Self.builtImages(second) == first)
    }

    private static func builtImages(_ learner: ShaleHome) throws -> [Substring] {
        try learner.run(["images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"]).text
            .split(separator: "\n").filter { $0.contains(" hello-docker") }.sorted()
    }

    /// The script's first failure ends it with where it was, whoever failed: shale, the host, or a container.
    @Test(arguments: [
        ("version\npull /bad\n", 1, "t.shale:2: pull: "),
        ("!exit 7\nversion\n", 7, "t.shale:1: !exit 7: exit status 7"),
        ("version\nrun --rm busybox sh -c 'exit 9'\nversion", 9, "t.shale:2: run --rm busybox"),
        ("images | grep -q nothing-such\n", 1, "t.shale:1: images | grep"), ("nonsense\n", 64, "t.shale:1: nonsense: "),
    ]) func aScriptSaysWhereItFailed(script: String, status: Int32, words: String) throws {
        let learner = ShaleHome()
        try learner.write(script, to: "t.shale")
        let outcome = try learner.run(["./t.shale"], expecting: nil)
        #expect(outcome.status == status || (words.contains("pull") && outcome.status != 0))
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }

    /// `2>` takes a command's own message, and host commands know shale's variables.
    @Test func redirectionsAndVariablesReachTheHost() throws {
        let learner = ShaleHome()
        try learner.write(
            """
            rmi nothing-such 2> message || !true
            !grep -q 'No such image: nothing-such' message
            name = busybox
            images | grep "^$name"
            !test "$name" = busybox
            id = images -q busybox
            images -q $name | grep -qx "$id"

            """, to: "t.shale")
        let outcome = try learner.run(["./t.shale"])
        #expect(!outcome.errors.contains("No such image"))
    }
}
