import Basics
import OCI

extension RegistryClient {
    /// One failure as the person reads it: docker's words where docker has some, and what to do next.
    func words(_ failure: RequestFailure, at endpoint: Endpoint, for purpose: Purpose) -> ShaleError {
        switch failure {
        case .final(let error): error
        case .transport(let failure): words(failure, at: endpoint)
        case .answer(let answer): words(answer, at: endpoint, for: purpose)
        }
    }

    private func words(_ failure: TransportFailure, at endpoint: Endpoint) -> ShaleError {
        let host = failure.url.authority
        let message = "Get \"\(failure.url.origin)/v2/\""
        let code: ShaleError.Code
        var hint: String?
        switch failure.kind {
        case .cancelled:
            return ShaleError(.cancelled, "interrupted")
        case .noSuchHost, .unreachable:
            code = .unavailable
            hint =
                endpoint.domain == Reference.defaultDomain
                ? "no network? a registry at hand can stand in: set registry.mirror docker.io=http://127.0.0.1:5000"
                : "check the registry's name and the network"
        case .refused:
            code = .unavailable
            hint = "nothing listens there: is the registry running?"
        case .tls:
            code = .denied
            hint = "if you trust it: set registry.insecure \(host)"
        case .connectTimeout, .stalled:
            code = .timeout
            hint = "try again, or look at the network and the proxy settings"
        case .cutOff:
            code = .unavailable
            hint = "try again"
        case .tooLarge, .malformed:
            code = .corrupt
            hint = "is \(host) a registry?"
        }
        if [.noSuchHost, .unreachable, .refused, .connectTimeout].contains(failure.kind),
            let variable = Transport.proxyVariable(for: failure.url)
        {
            hint = "is the proxy of \(variable) running? NO_PROXY=\(failure.url.host.visible) goes without it"
        }
        return ShaleError(code, message, cause: failure.words, hint: hint)
    }

    private func words(_ answer: ErrorAnswer, at endpoint: Endpoint, for purpose: Purpose) -> ShaleError {
        if answer.status == 429 || answer.has("TOOMANYREQUESTS") {
            return tooMany(answer, at: endpoint, for: purpose)
        }
        if answer.status == 401 || answer.status == 403 || answer.has("DENIED") || answer.has("UNAUTHORIZED") {
            return refusal(answer, at: endpoint, for: purpose)
        }
        if answer.status == 404, let error = notFound(answer, for: purpose) { return error }
        if case .delete(let name) = purpose, let error = noDeletion(answer, of: name) { return error }
        let code: ShaleError.Code = answer.status >= 500 ? .unavailable : .invalid
        let verb = answer.method.prefix(1) + answer.method.dropFirst().lowercased()
        return ShaleError(
            code, "\(verb) \"\(answer.url.withoutQuery)\"",
            cause: answer.entries.isEmpty || answer.status < 500
                ? answer.words : "\(answer.words) (\(ErrorAnswer.statusLine(answer.status)))",
            hint: answer.status >= 500 ? "the registry is in trouble: try again later" : nil)
    }

    private func tooMany(_ answer: ErrorAnswer, at endpoint: Endpoint, for purpose: Purpose) -> ShaleError {
        let said = answer.entries.first.map(\.message).flatMap { $0.isEmpty ? nil : $0.visible } ?? "too many requests"
        let wait = answer.retryAfter.map(Self.wait)
        let isKnown = authenticator.hasCredentials(for: endpoint, repository: purpose.repository?.path)
        let login = isKnown ? nil : "\(loginCommand(endpoint)) may raise the limit"
        let hints = [wait, login].compactMap { $0 }
        return ShaleError(
            .unavailable, "toomanyrequests: \(said)", hint: hints.isEmpty ? "wait" : hints.joined(separator: ", or "))
    }

    /// The advice to wait that a `Retry-After` field gives: a number of seconds, or a date.
    static func wait(_ text: String) -> String {
        let text = text.trimmingBlanks
        if let seconds = Int(text), (1...86_400).contains(seconds) {
            return "wait \(seconds) second\(seconds == 1 ? "" : "s")"
        }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        if digits.utf8.allSatisfy({ (48...57).contains($0) }) {
            let isLong = !text.hasPrefix("-") && digits.contains { $0 != "0" }
            return isLong ? "wait more than a day" : "wait a moment"
        }
        return "wait until \(String(text.prefix(40)).visible)"
    }

    private func refusal(_ answer: ErrorAnswer, at endpoint: Endpoint, for purpose: Purpose) -> ShaleError {
        let denied = "denied: requested access to the resource is denied"
        let cause = answer.entries.first?.words ?? denied
        let problem = authenticator.problem(for: endpoint, repository: purpose.repository?.path)
        let hint = problem.map { "credentials were not used: \($0)" } ?? loginCommand(endpoint)
        switch purpose {
        case .manifest(let name), .ownManifest(let name), .blob(_, let name), .tags(let name), .ownTags(let name):
            return ShaleError(
                .unauthorized,
                "pull access denied for \(name.familiarName), repository does not exist or may require 'docker login'",
                cause: cause, hint: hint)
        case .push, .delete:
            return ShaleError(.unauthorized, cause, hint: hint)
        case .login:
            return ShaleError(
                .unauthorized, "Get \"\(endpoint.base.origin)/v2/\"",
                cause: answer.entries.first?.words ?? "unauthorized: incorrect username or password")
        case .catalog(let host), .search(let host):
            return ShaleError(
                .unauthorized, "\(host.visible) does not list its repositories", cause: cause, hint: hint)
        }
    }

    private func notFound(_ answer: ErrorAnswer, for purpose: Purpose) -> ShaleError? {
        if answer.has("NAME_UNKNOWN"), let name = purpose.repository {
            return ShaleError(.notFound, "repository \(name.familiarName) not found", cause: answer.words)
        }
        let said = answer.entries.first?.words
        switch purpose {
        case .manifest(let name), .ownManifest(let name), .delete(let name):
            return ShaleError(
                .notFound, "manifest for \(name.familiar) not found",
                cause: said ?? "manifest unknown: manifest unknown")
        case .blob(let digest, let name):
            return ShaleError(
                .notFound, "blob \(digest) of \(name.familiarName) not found",
                cause: said ?? "blob unknown: blob unknown to registry")
        case .tags(let name), .ownTags(let name):
            return ShaleError(
                .notFound, "repository \(name.familiarName) not found",
                cause: said ?? "name unknown: repository name not known to registry")
        case .push, .catalog, .search, .login: return nil
        }
    }

    /// What a registry says that deletes nothing, or not so (distribution specification, "Deleting Manifests").
    private func noDeletion(_ answer: ErrorAnswer, of name: Reference) -> ShaleError? {
        guard [400, 405, 501].contains(answer.status) else { return nil }
        return ShaleError(
            .unsupported, "\(name.domain.visible) does not delete images",
            cause: answer.entries.first?.words ?? ErrorAnswer.statusLine(answer.status),
            hint: "its operator may allow it (docker-registry: storage.delete.enabled), or its web page can")
    }

    private func loginCommand(_ endpoint: Endpoint) -> String {
        endpoint.credentialKey == Reference.defaultDomain ? "login" : "login \(endpoint.credentialKey)"
    }
}

extension WebURL {
    /// The address as an error shows it, without its query, which may hold secrets.
    var withoutQuery: String { String(description.prefix { $0 != "?" }).visible }
}
