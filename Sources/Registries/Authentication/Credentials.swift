package import Basics

/// A user name and a password or token for a registry.
///
/// The description does not contain the secret.
package struct Credentials: Sendable, Equatable, CustomStringConvertible {
    package var username: String
    /// A password, or the identity token.
    package var password: String
    /// Whether `password` is an OAuth refresh token, which only a token server takes.
    package var isIdentityToken: Bool

    package init(username: String, password: String, isIdentityToken: Bool = false) {
        self.username = username
        self.password = password
        self.isIdentityToken = isIdentityToken
    }

    package var description: String { isIdentityToken ? "identity token" : "user \(username.visible)" }
}

/// The credentials that were found for a registry, and the problems that were met while looking for them.
package struct CredentialLookup: Sendable {
    package var credentials: Credentials?
    /// Files that cannot be read, and helper programs that failed; they are skipped.
    package var problems: [ShaleError] = []
    package var problem: ShaleError? { problems.first }
}
