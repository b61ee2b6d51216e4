package import Basics
package import Stores

// Search and removal of volumes.
extension ContainerEngine {
    /// All volumes, by name.
    ///
    /// Throws what reading the volumes' folder throws.
    package func volumes() throws(ShaleError) -> [Volume] { try store.volumes.all() }

    /// The volume with a name.
    ///
    /// Throws `notFound` when there is none.
    package func volume(named name: String) throws(ShaleError) -> Volume { try store.volumes.find(name) }

    /// Removes a volume with its files.
    ///
    /// Throws `inUse` while a container uses it, `notFound` when there is none, and what removing the files throws.
    package func removeVolume(named name: String) throws(ShaleError) { try store.volumes.remove(name) }
}
