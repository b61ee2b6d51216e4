package import Basics
package import Containers
package import Layers

/// A shell whose lines are kept: in the working image, or in a container.
package protocol LineShell: AnyObject {
    /// What its prompt is called by.
    var name: String { get }
    /// Where it stands.
    var directory: String { get }
    /// Whether it is root who types.
    var isRoot: Bool { get }
    /// Variables, functions and aliases there are, for Tab.
    var variableNames: [String] { get }
    var commandNames: [String] { get }
    func value(of name: String) -> String?
    /// The files as the next line finds them, nothing mounted or started.
    func tree() throws(ShaleError) -> MergedTree

    /// Runs one whole line; nothing is written into the journal here.
    ///
    /// Throws what keeps it from being run; a line that fails is no error.
    func run(
        _ line: String, person: PersonAtStep, wasAnswered: @escaping @Sendable (_ unread: Int) -> Bool,
        directory host: String,
        _ operation: OperationContext
    ) throws(ShaleError) -> LineTaken
}
