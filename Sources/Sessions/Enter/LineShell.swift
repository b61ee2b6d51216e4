package import Basics
package import Containers
package import Layers

/// A shell whose lines are recorded: in the working image or in a container.
package protocol LineShell: AnyObject {
    /// The name in the prompt.
    var name: String { get }
    /// The working directory.
    var directory: String { get }
    /// Whether the shell's user is root.
    var isRoot: Bool { get }
    /// Names of variables, for Tab.
    var variableNames: [String] { get }
    var commandNames: [String] { get }
    func value(of name: String) -> String?
    /// The files as the next line finds them, without mounts.
    func tree() throws(ShaleError) -> MergedTree

    /// Runs one complete line. The journal is not written here.
    ///
    /// Throws when the line could not be run. A line that fails is not an error.
    func run(
        _ line: String, person: PersonAtStep, wasAnswered: @escaping @Sendable (_ unread: Int) -> Bool,
        directory host: String,
        _ operation: OperationContext
    ) throws(ShaleError) -> LineTaken
}
