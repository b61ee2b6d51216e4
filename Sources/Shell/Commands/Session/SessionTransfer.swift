import Basics
import Glibc
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// Sessions that leave the machine, and come from others: `session push` and `session pull`, and what they and the
/// archives of sessions have to tell.
struct SessionTransfer {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }

    func push(to text: String, _ session: Session) throws(ShaleError) -> Outcome {
        let typed = try Reference(parsing: text)
        guard typed.digest == nil else {
            throw ShaleError(.usage, "session push takes a name with a tag, and no digest")
        }
        let reference = typed.withDefaultTag
        let engine = try shell.engine()
        let export = try SessionExport(session)
        let sent = try shell.withOperation { operation throws(ShaleError) in
            if typed.tag == nil { operation.line("Using default tag: latest") }
            return try SessionArtifact.push(
                export, of: session, to: reference, engine: engine, version: Version.current, operation)
        }
        tellWhatStays(export, where: "pulled")
        return .lines([
            "\(reference.tag ?? ""): digest: \(sent.descriptor.digest) size: \(sent.descriptor.size)",
            "pushed session \(session.name) to \(reference.familiar): \(Self.count(export.stateCount, "state")), "
                + "\(Self.count(export.imageCount, "image")), \(HumanUnits.size(sent.bytes)) sent",
        ])
    }

    func pull(_ text: String, named name: String?, force: Bool) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: text)
        let (engine, sessions) = (try shell.engine(), try shell.sessions())
        let naming = Self.naming(name, from: reference.path)
        let pulled = try shell.withOperation { operation throws(ShaleError) in
            do throws(ShaleError) {
                return try SessionArtifact.pull(
                    reference, naming: naming, engine: engine, into: sessions,
                    namesWanted: namesWanted(force: force, operation), operation)
            } catch {
                guard error.code == .conflict else { throw error }
                var error = error
                error.hint = "session pull \(reference.familiar) NAME   (under another name)"
                throw error
            }
        }
        let result = pulled.session
        tellNames(result)
        let session = try Session(named: result.name, in: sessions, engine: engine)
        let contents = SessionContents(session, in: sessions, environment: shell.console.environment)
        return .lines(
            contents.lines + [
                "pulled session \(result.name): \(Self.count(result.states, "state")), "
                    + "\(Self.count(result.images, "image")), \(HumanUnits.size(pulled.bytes)) fetched; "
                    + wayIn(result.name)
            ])
    }

    /// What a session that comes from elsewhere is called: as a person wants it, else as it was; where that is the name
    /// every home begins with, as the place that it comes from.
    static func naming(_ wanted: String?, from place: String) -> SessionImport.Naming {
        { own in
            if let wanted { return wanted }
            guard own == ShellOptions.firstSession else { return own }
            let last = place.split(separator: "/").last.map(String.init) ?? ""
            return (try? SessionFolder.check(last)) == nil ? own : last
        }
    }

    /// Asks a person at a terminal whether the session's images get their names here; without one they do, where
    /// no other image has the name, and a note says which.
    ///
    /// A name like `alpine` is what later lines build on.
    func namesWanted(force: Bool, _ operation: OperationContext) -> SessionImport.NamesWanted {
        { [shell] names throws(ShaleError) in
            guard !force, isatty(shell.input) == 1 else { return true }
            let list = names.map(\.familiar).joined(separator: ", ")
            operation.note("images of the session would be here as \(list)")
            return try Question.isYes("Give them \(names.count == 1 ? "this name" : "these names")?", shell)
        }
    }

    /// How one gets into a session that came; one that has the name of this one is gone into at once.
    func wayIn(_ name: String) -> String {
        guard name == shell.options.session else { return "session switch \(name) enters it" }
        shell.leaveSession()
        shell.enter(session: name)
        return "it is the session you are in"
    }

    /// Names that images of the session have here, and those that are other images' here.
    func tellNames(_ result: SessionImport.Result) {
        if !result.namesGiven.isEmpty {
            shell.console.note("its images are here as \(result.namesGiven.joined(separator: ", "))")
        }
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
