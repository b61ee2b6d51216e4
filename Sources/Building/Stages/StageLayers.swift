import Basics
import Containers
import Images
import Linux
import Stores

extension BuildEngine {
    /// The unpacked layers of a stage, top first.
    func lowerPaths(of state: StageState) throws(ShaleError) -> [String] {
        try images.unpackedPaths(state.config, state.layers).reversed()
    }

    /// What lies below what a step's process writes: it sees what a container's does, as with docker.
    func rootPaths(of state: StageState) throws(ShaleError) -> [String] {
        try lowerPaths(of: state) + [containers.initLayer()]
    }
}
