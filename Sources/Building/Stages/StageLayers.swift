import Basics
import Containers
import Images
import Linux
import Stores

extension BuildEngine {
    /// The folders of a stage's unpacked layers, top first.
    func lowerPaths(of state: StageState) throws(ShaleError) -> [String] {
        try images.unpackedPaths(state.config, state.layers).reversed()
    }

    /// The lower directories of a step's process: the stage's layers and the init layer, which a container has as well.
    func rootPaths(of state: StageState) throws(ShaleError) -> [String] {
        try lowerPaths(of: state) + [containers.initLayer()]
    }
}
