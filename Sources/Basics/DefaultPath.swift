/// The search path that docker gives an image and a container which set none.
package enum DefaultPath {
    package static let value = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// As an entry of an environment.
    package static let entry = "PATH=\(value)"
}
