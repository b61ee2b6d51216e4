package final class ContainerRuntime: Sendable { package init(runnerPath: String, cachePath: String) {} }
