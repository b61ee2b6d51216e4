import Basics
import Containers
import OCI
import Recipes
import Stores

/// The volumes that a prune takes: those without a container.
struct UnusedVolumes {
    typealias Volumes = [(name: String, bytes: Int64, users: [String])]

    private let containers: ContainerEngine

    init(_ containers: ContainerEngine) { self.containers = containers }

    /// Those that no container has but ones that are going; with `all` those with a name too.
    ///
    /// Throws what reading the volumes throws.
    func plan(_ filter: VolumeFilter, all: Bool, going: Set<String> = []) throws(ShaleError) -> Volumes {
        try containers.volumes()
            .filter { volume in
                going.isSuperset(of: volume.users) && (all || VolumeName.isAnonymous(volume.name))
                    && filter.takes(volume)
            }
            .map { (name: $0.name, bytes: $0.bytes, users: $0.users) }
    }

    /// Removes them; returns those that went, and what failed.
    func remove(_ plan: Volumes) -> (removed: Volumes, failures: [ShaleError]) {
        var removed = plan
        var failures: [ShaleError] = []
        for volume in plan {
            do throws(ShaleError) {
                try containers.removeVolume(named: volume.name)
            } catch {
                removed.removeAll { $0.name == volume.name }
                // A container took it meanwhile, or another process was first.
                if error.code != .inUse, error.code != .notFound { failures.append(error) }
            }
        }
        return (removed, failures)
    }

    /// In a plan the beginning of a name that shale made up.
    static func name(_ name: String, isPlan: Bool) -> String {
        isPlan && VolumeName.isAnonymous(name) ? Identifier.short(name) : name
    }

    static func bytes(_ volumes: Volumes) -> Int64 { volumes.reduce(0) { $0 &+ $1.bytes } }
}
