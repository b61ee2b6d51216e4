package import Basics
import Linux

/// The lessons that are part of the program, and those in a teacher's files.
package enum LessonLibrary {
    private static var files: [[UInt8]] {
        [
            PackageResources.images_md, PackageResources.run_md, PackageResources.layers_md, PackageResources.commit_md,
            PackageResources.recipe_md, PackageResources.cache_md, PackageResources.whiteouts_md,
            PackageResources.stages_md, PackageResources.volumes_md, PackageResources.undo_md,
            PackageResources.publish_md, PackageResources.verify_md,
        ]
    }

    /// The lessons of the program, in their order.
    package static var builtIn: [Lesson] {
        files.compactMap { LessonReader.read(String(decoding: $0, as: UTF8.self)).lesson }.sorted {
            $0.order < $1.order
        }
    }

    /// How many files the program has: each is a lesson, or a test fails.
    package static var fileCount: Int { files.count }

    /// The built-in lesson of a name, or with this number in the list, counted from 1.
    ///
    /// Throws `notFound` for another name, with the nearest that is one.
    package static func lesson(named name: String) throws(ShaleError) -> Lesson {
        let all = builtIn
        if let found = all.first(where: { $0.name == name }) { return found }
        if let number = Int(name), all.indices.contains(number &- 1) { return all[number - 1] }
        let near = Suggestion.nearest(to: name, among: all.map(\.name)).first
        throw ShaleError(
            .notFound, "no lesson \"\(name.visible)\"",
            hint: near.map { "lesson start \($0)" } ?? "lesson list   (a file of your own: lesson start ./FILE.md)")
    }

    /// The text of a teacher's file.
    ///
    /// Throws `notFound` for a file that is not there, and `invalid` for one that is too large or no text.
    package static func text(ofFile path: String) throws(ShaleError) -> String {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path, limit: LessonReader.largest)
        } catch {
            throw ShaleError(.notFound, path.visible, cause: error.reason, exitStatus: 66)
        }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw ShaleError(.invalid, "\(path.visible): not a text in UTF-8")
        }
        return text
    }
}
