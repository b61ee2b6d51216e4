package import ArgumentParser
package import Basics
import Glibc
import Recipes
import Registries
import Rendering

/// `login [SERVER]`.
package struct Login: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in to a registry", usage: "login [OPTIONS] [SERVER]")
    package static let examples = [
        "login", "login -u moby localhost:5000", "login -u moby --password-stdin localhost:5000 < password",
    ]
    package static let differences = ["there is no way to put a password on the command line but -p, which warns"]

    @Option(name: .shortAndLong, help: "Username")
    var username: String?
    @Option(name: .shortAndLong, help: "Password (others can see it: better --password-stdin)")
    var password: String?
    @Flag(name: .customLong("password-stdin"), help: "Take the password from stdin")
    var readsPassword = false
    @Argument(help: "The registry; Docker Hub if left out")
    var server: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if readsPassword {
            if password != nil { throw ShaleError(.usage, "--password and --password-stdin are mutually exclusive") }
            guard username != nil else { throw ShaleError(.usage, "Must provide --username with --password-stdin") }
        }
        if password != nil {
            shell.console.warning("Using --password via the CLI is insecure. Use --password-stdin.")
        }
        let domain = RegistryConfiguration.domain(Self.host(server))
        let input = SecretInput(descriptor: shell.input)
        let user: String
        if let username {
            user = username
        } else {
            user = try input.ask("Username: ", console: shell.console, isHidden: false)
        }
        guard !user.isEmpty else { throw ShaleError(.usage, "username is empty") }
        let secret: String
        if let password {
            secret = password
        } else if readsPassword {
            secret = try input.readAll()
        } else {
            secret = try input.ask("Password: ", console: shell.console, isHidden: true)
        }
        guard !secret.isEmpty else { throw ShaleError(.usage, "password is empty") }
        let registry = try shell.engine().registry
        let place = try registry.logIn(
            Credentials(username: user, password: secret), to: domain, cancellation: shell.cancellation)
        shell.console.note("credentials are kept in \(place)")
        return .line("Login Succeeded")
    }

    /// `https://quay.io/v1/`, as users paste it → `quay.io`.
    static func host(_ server: String?) -> String {
        guard var text = server, !text.isEmpty else { return "docker.io" }
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) { text.removeFirst(scheme.count) }
        return String(text.prefix { $0 != "/" })
    }
}
