import Basics
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// Sessions that leave the machine, and come from others: `session push` and `session pull`, and what they and the
/// archives of sessions have to tell.
struct SessionTravel {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

    func push(to text: String, _ session: Session) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: text)
        guard reference.digest == nil else {
            throw ShaleError(.usage, "session push takes a name with a tag, and no digest")
        }
        let engine = try shell.engine()
        let export = try SessionExport(session)
        let sent = try shell.withOperation { operation throws(ShaleError) in
            if reference.tag == nil { operation.line("Using default tag: latest") }
            return try SessionArtifact.push(
                export, of: session, to: reference.withDefaultTag, engine: engine, version: Version.current, operation)
        }
        tellWhatStays(export, where: "pulled")
        let name = reference.withDefaultTag.familiar
        return .lines([
            "\(reference.withDefaultTag.tag ?? ""): digest: \(sent.descriptor.digest) size: \(sent.descriptor.size)",
            "pushed session \(session.name) to \(name): \(Self.count(export.stateCount, "state")), "
                + "\(Self.count(export.imageCount, "image")), \(HumanUnits.size(sent.bytes)) sent",
        ])
    }

    func pull(_ text: String, named name: String?) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: text)
        let (engine, sessions) = (try shell.engine(), try shell.sessions())
        let pulled = try shell.withOperation { operation throws(ShaleError) in
            do throws(ShaleError) {
                return try SessionArtifact.pull(reference, named: name, engine: engine, into: sessions, operation)
            } catch {
                guard error.code == .conflict else { throw error }
                var error = error
                error.hint = "session pull \(reference.familiar) NAME   (under another name)"
                throw error
            }
        }
        let result = pulled.session
        tellNamesLeft(result)
        let session = try Session(named: result.name, in: sessions, engine: engine)
        let contents = SessionContents(session, in: sessions, environment: shell.console.environment)
        if !result.namesGiven.isEmpty {
            shell.console.note("its images are here as \(result.namesGiven.joined(separator: ", "))")
        }
        return .lines(
            contents.lines + [
                "pulled session \(result.name): \(Self.count(result.states, "state")), "
                    + "\(Self.count(result.images, "image")), \(HumanUnits.size(pulled.bytes)) fetched; "
                    + "session switch \(result.name) enters it"
            ])
    }

    /// Names of images that the session moved, and that are other images' here.
    func tellNamesLeft(_ result: SessionImport.Result) {
        for name in result.namesLeft {
            shell.console.warning("\(name) is another image here: it was left as it is")
        }
    }

    /// Containers that the session removed are not part of the archive.
    func tellWhatStays(_ export: SessionExport, where there: String) {
        guard let first = export.containersLeft.first else { return }
        let isOne = export.containersLeft.count == 1
        let names = isOne ? "container \(first)" : "containers \(export.containersLeft.joined(separator: ", "))"
        shell.console.note(
            "removed \(names) \(isOne ? "stays" : "stay") here: undo cannot bring \(isOne ? "it" : "them") back "
                + "where this is \(there), and says so")
    }
}
