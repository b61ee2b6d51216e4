import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Random sessions, each proved: the recipe of what it made is verified, and built by shale and by Debian's dockerd to
/// the same files and config.
@Suite("random recipes", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RandomRecipeTests {
    /// `SHALE_RECIPE_SESSIONS` says how many, `SHALE_RECIPE_SEED` the first one's seed: session N has the seed after it.
    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

    @Test func eachIsProved() async throws {
        let first = Self.number("SHALE_RECIPE_SEED") ?? UInt64.random(in: 0...999_999)
        let count = Self.number("SHALE_RECIPE_SESSIONS") ?? 12
        print("random recipes: seeds \(first) to \(first + count - 1)")
        setenv("DOCKER_BUILDKIT", "0", 1)
        let bench = try SessionBench()
        await withTaskGroup(of: Int.self) { group in
            var rest = (first..<(first + count))[...]
            var proved = 0
            for seed in rest.prefix(2) { group.addTask { RandomRecipe(seed: seed).prove(on: bench) } }
            rest = rest.dropFirst(2)
            while let one = await group.next() {
                proved += one
                guard let seed = rest.popFirst() else { continue }
                group.addTask { RandomRecipe(seed: seed).prove(on: bench) }
            }
            print("random recipes: \(count) sessions, \(proved) images and containers proved")
        }
    }
}

/// One random session and what must be true of it.
struct RandomRecipe {
    let seed: UInt64

    /// How many images and containers were proved.
    func prove(on bench: SessionBench) -> Int {
        var generator = RecipeSessionGenerator(seed: seed)
        generator.generate(12)
        let script = generator.script.joined(separator: "\n") + "\n"
        do {
            let place = try SessionPlace(on: bench)
            defer { place.removeContainers() }
            let path = "\(place.home.folder.path)/random.shale"
            try script.write(toFile: path, atomically: false, encoding: .utf8)
            let run = try place.home.run(["--keep-going", path], in: place.folder, expecting: nil)
            guard run.status == 0 || run.status == 1 else { return fail("status \(run.status): \(run.errors)", script) }
            let there = try subjects(generator, place)
            for subject in there { try prove(subject, place, bench, script) }
            return there.count
        } catch {
            return fail("\(error)", script)
        }
    }

    private func fail(_ what: String, _ script: String) -> Int {
        Issue.record("seed \(seed): \(what)\n--- the session\n\(script)")
        return 0
    }

    /// The working image, and the last image and container that the session still has.
    private func subjects(_ generator: RecipeSessionGenerator, _ place: SessionPlace) throws -> [String] {
        let names = Set(
            try place.shale(["images", "--format", "{{.Repository}}:{{.Tag}}"]).text.split(separator: "\n"))
        let containers = Set(try place.shale(["ps", "-a", "--format", "{{.Names}}"]).text.split(separator: "\n"))
        let working = try place.home.run(["steps"], in: place.folder, expecting: nil).status == 0 ? ["@"] : []
        return working + (generator.images.last { names.contains(Substring($0)) }.map { [$0] } ?? [])
            + (generator.containers.last { containers.contains(Substring($0)) }.map { [$0] } ?? [])
    }

    /// Whether a difference is the owner of a directory that `COPY --chown` made on the way to its destination: the classic
    /// builder gives root what BuildKit, and shale, give that owner.
    private static func isParentOfOwned(_ difference: String, in recipe: String) -> Bool {
        guard let match = difference.wholeMatch(of: #/(/[^:]+): was dir 755 (\d+:\d+) \[\], is dir 755 0:0 \[\]/#)
        else {
            return false
        }
        return recipe.split(separator: "\n").contains { line in
            line.hasPrefix("COPY --chown=\(match.2)") && line.contains(" \(match.1)/")
        }
    }

    private func prove(_ subject: String, _ place: SessionPlace, _ bench: SessionBench, _ script: String) throws {
        let recipe = try place.home.run(["recipe", subject], in: place.folder, expecting: nil)
        guard recipe.status == 0 else {
            _ = fail("recipe \(subject): \(recipe.errors)", script)
            return
        }
        let verified = try place.home.run(["recipe", "verify", subject], in: place.folder, expecting: nil)
        if verified.status != 0 {
            _ = fail(
                "verify \(subject): \(verified.text)\(verified.errors)\n--- the recipe\n\(recipe.text)", script)
        }
        let isForDocker =
            !recipe.text.contains("--chmod") && !recipe.text.contains("<<") && !recipe.text.contains("--link")
            && !recipe.text.contains("--parents")
        let (ours, dockers) = try bench.differences(
            of: subject, in: place, as: "\(seed)-\(subject == "@" ? "working" : String(subject.prefix { $0 != ":" }))",
            alsoByDocker: isForDocker)
        if ours != [] { _ = fail("\(subject) built by shale: \(ours)\n--- the recipe\n\(recipe.text)", script) }
        let counted = dockers.filter { !Self.isParentOfOwned($0, in: recipe.text) }
        if counted != [] {
            _ = fail("\(subject) built by docker: \(counted)\n--- the recipe\n\(recipe.text)", script)
        }
    }
}
