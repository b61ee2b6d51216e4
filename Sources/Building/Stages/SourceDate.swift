import Basics
import Dockerfiles
import Images

// The moment that a build writes in place of later times (reproducible-builds.org, SOURCE_DATE_EPOCH).
extension BuildEngine {
    static let sourceDateName = "SOURCE_DATE_EPOCH"

    /// This engine with the moment that a build asks for: by `--build-arg`, else by the environment, else by an `ARG`
    /// with a value before the first `FROM`.
    ///
    /// Throws `usage` for a build argument that is no number of seconds; the text of a Dockerfile that is none is an
    /// ordinary argument.
    func dated(for file: StagedFile, _ request: BuildRequest) throws(ShaleError) -> BuildEngine {
        if let given = request.arguments[Self.sourceDateName].flatMap({ $0 }), !given.isEmpty {
            guard let seconds = Self.seconds(given) else {
                throw ShaleError(.usage, "\(Self.sourceDateName) is \"\(given.visible)\", not a number of seconds")
            }
            return at(Timestamp(seconds: seconds))
        }
        guard settings.sourceDateEpoch == nil else { return self }
        let arguments = file.metaArguments.flatMap(\.value.arguments)
        let value = arguments.last { $0.key == Self.sourceDateName }?.value
        return value.flatMap(Self.seconds).map { at(Timestamp(seconds: $0)) } ?? self
    }

    private static func seconds(_ text: String) -> Int64? {
        // Until the year 9999, the last that a document of an image can hold.
        Int64(text).flatMap { (0...253_402_300_799).contains($0) ? $0 : nil }
    }

    /// This engine with another moment.
    func at(_ moment: Timestamp) -> BuildEngine {
        var dated = settings
        dated.sourceDateEpoch = moment
        return BuildEngine(store: store, registry: registry, runtime: runtime, settings: dated)
    }
}
