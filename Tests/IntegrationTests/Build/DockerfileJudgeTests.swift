import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Other people's Dockerfiles, built by Debian's dockerd and by shale in the same run: the same end, files and config.
///
/// Their bases are one image of stand-ins (`StandIns`), their contexts are made up from what they name. A part of the
/// corpus is judged; with `SHALE_JUDGE=all` all of it is, and `SHALE_JUDGE=NAME` builds the files of that name.
@Suite(
    "other people's Dockerfiles beside docker", .enabled(if: Corpus.isPresent, "\(Corpus.absent)"),
    .enabled(if: DockerDaemon.isPossible, "\(DockerDaemon.impossible)"),
    .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct DockerfileJudgeTests {
    @Test func classicBuilder() throws {
        try Judging(.classic).judge(
            { place in place % 6 == 0 }, strictly: { place in place % 30 == 1 }, readingAtLeast: 60)
    }

    @Test(.enabled(if: DockerDaemon.buildKitClient != nil, "\(DockerDaemon.noBuildKitClient)"))
    func buildKit() throws {
        try Judging(.buildkit).judge({ place in place % 4 == 1 }, strictly: { _ in false }, readingAtLeast: 70)
    }
}

/// One judge at work.
struct Judging {
    private let judge: DockerJudge
    private let docker: DockerDaemon
    private let home: ShaleHome
    private let ids = TemporaryDirectory()
    private let chosen = getenv("SHALE_JUDGE").map { String(cString: $0) }

    init(_ judge: DockerJudge) throws {
        self.judge = judge
        docker = try (try? DockerDaemon(storage: "overlay2")) ?? DockerDaemon()
        home = try ShaleHome(accountsFrom: (Corpus.root ?? "") + "/behaviour/base")
    }

    /// Judges the corpus' files at the places chosen, and our own for this judge.
    func judge(
        _ isChosen: (Int) -> Bool, strictly isStrict: (Int) -> Bool, readingAtLeast floor: Int
    ) throws {
        var trials = try JudgedFiles.own(for: judge)
        var pieces = trials.map { MissingPieces(of: $0.text) }
        for (place, name) in try JudgedFiles.names().enumerated() {
            let text = try JudgedFiles.text(name)
            pieces.append(MissingPieces(of: text))
            for strict in [false, true] where strict ? isStrict(place) : isChosen(place) || chosen == "all" {
                trials.append(try JudgedFiles.trial(name, text, judge, isStrict: strict))
            }
            if let chosen, chosen != "all", name.contains(chosen) {
                trials.append(try JudgedFiles.trial(name, text, judge))
            }
        }
        if let chosen, chosen != "all" { trials.removeAll { !$0.name.contains(chosen) } }
        let archive = try StandIns.make(
            in: home, names: pieces.reduce(into: ["base"]) { $0.formUnion($1.images) },
            holding: pieces.flatMap(\.inside))
        try docker.docker(["load", "-q", "-i", archive])
        try report(verdicts(on: trials), of: trials, floor: chosen == nil ? floor : 0)
    }

    /// What differs, by trial; `nil` for a file that the judge could not read, which is told with its reason.
    private func verdicts(on trials: [Trial]) throws -> [String: [String]] {
        var made: [(trial: Trial, docker: Made, shale: Made)] = []
        var gaps: [String: [String]] = [:]
        for trial in trials {
            let theirs = try dockerBuild(trial)
            if let gap = judge.gap(in: trial.text, said: theirs.errors) {
                gaps[gap, default: []].append(trial.name)
                continue
            }
            made.append((trial, theirs, try shaleBuild(trial)))
        }
        for (gap, names) in gaps.sorted(by: { $0.key < $1.key }) {
            print("\(judge.rawValue) cannot read \(gap): \(names.count) files, \(names[0]) the first")
        }
        let known = ImagesRead()
        let saved = try SavedImages(made.compactMap(\.docker.image), from: docker, known)
        var found: [String: [String]] = [:]
        for (trial, theirs, ours) in made {
            var verdict = Verdict(trial, docker: theirs, shale: ours)
            if let old = theirs.image, let new = ours.image {
                verdict.compare(try saved.image(old), try BuiltImage(new, home: home.home, known))
            }
            found[trial.id] = verdict.differences
        }
        let ends = made.count { $0.docker.image != nil }
        print("\(judge.rawValue): \(trials.count) asked, \(made.count) read, \(ends) of them built to the end")
        return found
    }

    /// Every difference is listed with its argument, and everything listed still differs.
    private func report(_ found: [String: [String]], of trials: [Trial], floor: Int) {
        let agreeing = found.values.count { $0.isEmpty }
        Corpus.score("dockerfiles beside docker, \(judge.rawValue)", agreeing, of: found.count)
        #expect(found.count >= floor, "\(judge.rawValue) read \(found.count) files")
        for trial in trials {
            guard let differences = found[trial.id] else { continue }
            let unknown = differences.filter { !KnownDifference.explains($0, of: trial) }
            if !unknown.isEmpty {
                Issue.record("\(trial.id):\n    \(unknown.prefix(12).joined(separator: "\n    "))")
            }
            for entry in KnownDifference.all where entry.trial == trial.id {
                if differences.contains(where: { $0.hasPrefix(entry.line) }) { continue }
                Issue.record("\(trial.id) is listed as differing in \(entry.line), and does not")
            }
        }
    }

    private func dockerBuild(_ trial: Trial) throws -> Made {
        let idFile = idFile()
        let client = judge == .buildkit ? DockerDaemon.buildKitClient ?? Peers.docker : Peers.docker
        var arguments = trial.arguments(idFile: idFile)
        arguments.insert(contentsOf: ["--network", "host"], at: 1)
        let run = try docker.docker(
            arguments, environment: judge.environment, client: client, expecting: nil)
        return Made(status: run.status, output: run.text, errors: run.errors, idFile: idFile)
    }

    private func shaleBuild(_ trial: Trial) throws -> Made {
        let idFile = idFile()
        let run = try home.run(trial.arguments(idFile: idFile), expecting: nil)
        return Made(status: run.status, output: run.text, errors: run.errors, idFile: idFile)
    }

    private func idFile() -> String {
        let path = ids.path + "/id"
        unlink(path)
        return path
    }
}
