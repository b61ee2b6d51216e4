import Glibc

/// The environment this process was started with, its values as their own bytes.
package enum HostEnvironment {
    package static func value(_ name: String) -> String? { getenv(name).map { String(path: $0) } }
}
