import Basics
import Diagnostics
import Logging
import OCI

extension RegistryClient {
    /// The purpose of a request; it decides the words of the error when the request fails.
    enum Purpose {
        case manifest(Reference)
        /// The state of the registry itself. Mirrors are not asked, because they may be out of date.
        case ownManifest(Reference)
        case blob(Digest, Reference)
        case tags(Reference)
        /// The same of the registry itself.
        case ownTags(Reference)
        case push(Reference)
        case delete(Reference)
        case catalog(String)
        case search(String)
        case login(String)

        var isWrite: Bool {
            switch self {
            case .push, .delete, .ownManifest, .ownTags: true
            case .manifest, .blob, .tags, .catalog, .search, .login: false
            }
        }

        /// What cannot be done because no server may be asked.
        var missed: String {
            switch self {
            case .manifest(let name), .ownManifest(let name): "\(name.familiar) is not fetched"
            case .blob(let digest, let name): "blob \(digest.short) of \(name.familiarName) is not fetched"
            case .tags(let name), .ownTags(let name): "the tags of \(name.familiarName) are not fetched"
            case .push(let name): "\(name.familiar) is not pushed"
            case .delete(let name): "\(name.familiar) is not deleted"
            case .catalog(let host): "the repositories of \(host.visible) are not listed"
            case .search(let host): "\(host.visible) is not searched"
            case .login(let host): "no login at \(host.visible)"
            }
        }

        var repository: Reference? {
            switch self {
            case .manifest(let name), .ownManifest(let name), .blob(_, let name), .tags(let name),
                .ownTags(let name), .push(let name), .delete(let name):
                name
            case .catalog, .search, .login: nil
            }
        }
    }

    /// The servers of a domain; offline the error names what would have been fetched.
    ///
    /// Throws `unavailable` when offline leaves none.
    func servers(of domain: String, for purpose: Purpose) throws(ShaleError) -> [Endpoint] {
        do throws(ShaleError) {
            return try book.endpoints(for: domain, forWriting: purpose.isWrite)
        } catch {
            guard configuration.offline, error.code == .unavailable else { throw error }
            var named = error
            named.message = "offline: \(purpose.missed)"
            throw named
        }
    }

    /// Asks the servers of a domain in turn until one answers; the failure that tells most is put into words.
    ///
    /// An overloaded or broken-off answer is asked for twice more, after short waits.
    func ask<Value>(
        _ domain: String, for purpose: Purpose, cancellation: Cancellation,
        _ body: (Endpoint) throws(RequestFailure) -> Value
    ) throws(ShaleError) -> Value {
        var failures: [(endpoint: Endpoint, failure: RequestFailure)] = []
        let endpoints = try servers(of: domain, for: purpose)
        for endpoint in endpoints {
            for attempt in 1...3 {
                do throws(RequestFailure) {
                    return try body(endpoint)
                } catch {
                    guard attempt < 3, error.deservesQuickRetry else {
                        failures.append((endpoint, error))
                        break
                    }
                    noteRetry(words(error, at: endpoint, for: purpose))
                }
                try cancellation.pause(seconds: configuration.retries.unit / 10 * Double(attempt))
            }
            if let last = failures.last, case .final(let error) = last.failure { throw error }
            try cancellation.check()
        }
        throw worded(failures, for: purpose)
    }

    func noteRetry(_ reason: ShaleError) { Logger.registry.warning("asking again", metadata: ["error": "\(reason)"]) }

    /// The error of several servers' failures: the registry's own, unless only its mirror was reached.
    func worded(
        _ failures: [(endpoint: Endpoint, failure: RequestFailure)], for purpose: Purpose
    ) -> ShaleError {
        guard let last = failures.last else { return ShaleError(.unavailable, "no registry was asked") }
        guard failures.count > 1, let first = failures.first else {
            return words(last.failure, at: last.endpoint, for: purpose)
        }
        let mirror = first.endpoint.basePath
        if case .answer = first.failure, case .transport(let failure) = last.failure, failure.neverArrived {
            var error = words(first.failure, at: first.endpoint, for: purpose)
            error.hint = "asked the mirror \(mirror); \(last.endpoint.base.host) cannot be reached"
            return error
        }
        var error = words(last.failure, at: last.endpoint, for: purpose)
        if case .transport(let failure) = first.failure {
            error.hint = "the mirror \(mirror) did not answer either: \(failure.words)"
        }
        return error
    }
}

extension RequestFailure {
    /// Whether asking the same server again at once is worth it, for a small document.
    fileprivate var deservesQuickRetry: Bool {
        switch self {
        case .transport(let failure): failure.kind == .cutOff
        case .answer(let answer): answer.isBusy
        case .final: false
        }
    }
}
