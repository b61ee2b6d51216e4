package import Basics
package import Linux
package import Stores

// Search of containers by name and ID.
extension ContainerEngine {
    /// The records of all containers, newest first.
    ///
    /// Throws what reading the containers' folder throws, and the error of a record that cannot be read.
    package func all() throws(ShaleError) -> [ContainerRecord] { try store.containers.all() }

    /// The same for listings: a record that cannot be read is left out, and `passingOver` gets the error.
    ///
    /// Throws what reading the containers' folder throws.
    package func readable(passingOver: (ShaleError) -> Void) throws(ShaleError) -> [ContainerRecord] {
        try store.containers.readable(passingOver: passingOver)
    }

    /// The container that a text names by its ID, its name, or the beginning of its ID.
    ///
    /// Throws `notFound` when there is no such container, and `conflict` when the beginning of an id is ambiguous.
    package func find(_ text: String) throws(ShaleError) -> ContainerRecord { try store.containers.find(text) }

    /// The container that a word names in a place where an image or a container is expected; `nil` when it names none.
    ///
    /// Throws `conflict` when the beginning of an id is ambiguous, and what reading the record throws.
    package func container(meantBy text: String) throws(ShaleError) -> MeantContainer? {
        try store.container(meantBy: text)
    }

    /// Whether a text names no container.
    package func isMissing(_ text: String) -> Bool {
        do throws(ShaleError) {
            _ = try store.containers.id(of: text)
            return false
        } catch {
            return error.code == .notFound
        }
    }

    /// Whether there is a container with an ID, also in the trash.
    package func isHere(_ id: String) -> Bool { store.containers.isHere(id) }

    /// The writable directory of a container.
    ///
    /// Throws what opening the directory throws.
    package func ownDirectory(of record: ContainerRecord) throws(ShaleError) -> RootDirectory {
        let path = store.containers.folder(record.id).upper
        return try translating("container \(record.name)") { try RootDirectory(hostPath: path) }
    }
}
