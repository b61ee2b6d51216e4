package import ArgumentParser
package import Basics
import Recipes
import Registries

/// `logout [SERVER]`.
package struct Logout: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Log out from a registry", usage: "logout [SERVER]")
    package static let examples = ["logout", "logout localhost:5000", "logout quay.io"]
    package static let differences = [
        "It takes the password out of podman's files too."
    ]

    @Argument(help: "The registry; Docker Hub if left out")
    var server: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let domain = RegistryConfiguration.domain(Login.host(server))
        let name = domain == "docker.io" ? "https://index.docker.io/v1/" : domain
        guard try shell.engine().registry.logOut(of: domain) else { return .line("Not logged in to \(name)") }
        return .line("Removing login credentials for \(name)")
    }
}
