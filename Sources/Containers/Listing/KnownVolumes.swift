package import Basics
package import Stores

// Volumes: looked up, and removed.
extension ContainerEngine {
    /// All volumes, by name.
    ///
    /// Throws what reading the volumes' folder throws.
    package func volumes() throws(ShaleError) -> [Volume] { try store.volumes.all() }

    /// The volume of that name.
    ///
    /// Throws `notFound` when there is none.
    package func volume(named name: String) throws(ShaleError) -> Volume { try store.volumes.find(name) }

    /// Removes a volume with its files; throws `inUse` while a container has it.
    package func removeVolume(named name: String) throws(ShaleError) { try store.volumes.remove(name) }
}
