package import Basics
package import OCI
package import Stores

extension ImageEngine {
    /// An image that is here, by name, `name@digest`, id or unambiguous id prefix; docker's `No such image: x:latest`.
    ///
    /// Throws `notFound` when there is no such image, `conflict` when an id prefix is ambiguous, and `invalid` when the
    /// text cannot be a reference. Of a name that stands for an index it is the member for `platform`, else for this
    /// machine; `notFound` in docker's words for a platform that is not here.
    package func image(named text: String, platform: Platform? = nil) throws(ShaleError) -> Image {
        do throws(ShaleError) {
            return try store.images.find(text, platform: platform)
        } catch {
            guard error.code == .notFound else { throw error }
            throw error.hinting(try missingImageHint(text))
        }
    }

    /// The image a run or a `FROM` names: the one that is here, or pulled.
    ///
    /// Tells docker's `Unable to find image 'x:latest' locally` as a note before it pulls, where `announces` says so: a
    /// run does, a build does not. A build for several `platforms` pulls them together: the name stands for their index
    /// then, and is not moved from one to the next. An image that is here for
    /// another platform than the one asked for is pulled again. Throws `invalid` when the text cannot be a reference,
    /// `notFound` when nothing is here and `policy` forbids a pull, and what `pull` throws.
    package func ensureImage(
        _ text: String, platform: Platform? = nil, among platforms: [Platform] = [], policy: PullPolicy = .missing,
        announces: Bool = true,
        _ operation: OperationContext
    ) throws(ShaleError) -> Image {
        if policy != .always, let image = try localImage(text, platform, policy) {
            try unpackMissingLayers(of: image, operation)
            return image
        }
        if policy == .never { return try image(named: text, platform: platform) }
        let reference = try Reference(parsing: text).asPullTarget()
        if policy == .missing, announces {
            operation.note("Unable to find image '\(reference.familiar)' locally")
        }
        do throws(ShaleError) {
            guard platforms.count > 1, let platform, platforms.contains(platform) else {
                return try pull(resolved: reference, .one(platform), operation).image
            }
            _ = try pull(resolved: reference, .several(platforms), operation)
            return try image(named: text, platform: platform)
        } catch {
            // Without a network there is still the image that every shale can make.
            guard error.code == .unavailable, platform == nil, let offlineImage, try offlineImage(reference, operation)
            else {
                throw meantNear(reference, platform, error)
            }
            return try image(named: text)
        }
    }

    /// The failure of a pull that reached no such image, with the image here whose name is a slip of the hand away.
    ///
    /// Where the registry answered that it has no such tag, its own tags are the better hint; where the very name is here
    /// for other platforms, that is told.
    private func meantNear(_ reference: Reference, _ platform: Platform?, _ error: ShaleError) -> ShaleError {
        guard [.unavailable, .denied, .unauthorized].contains(error.code),
            let names = try? store.names.all().map(\.reference.familiar)
        else { return error }
        if let here = try? store.images.find(reference.familiar) {
            guard let platform else { return error }
            let what = here.index == nil ? "for \(here.config.platform) alone" : "without \(platform)"
            var other = error
            other.hint = "platforms \(reference.familiar)   (it is here \(what))"
            return other
        }
        guard let near = Suggestion.nearest(to: reference.familiar, among: names).first
        else { return error }
        var meant = error
        meant.hint = "did you mean \(near), which is here?"
        return meant
    }

    /// The image that is here; `nil` where there is none of the name, or none for the platform and it may be pulled.
    private func localImage(
        _ text: String, _ platform: Platform?, _ policy: PullPolicy
    ) throws(ShaleError) -> Image? {
        do throws(ShaleError) {
            return try store.images.find(text, platform: platform)
        } catch {
            guard error.code == .notFound else { throw error }
            // Of another platform it is taken where none may be pulled, unless its index has that one elsewhere.
            guard policy == .never, platform != nil, let other = try? store.images.find(text), other.index == nil
            else { return nil }
            return other
        }
    }

    /// The name nearest to a text: of the same repository the nearest tag, else the nearest repository.
    ///
    /// The tag does not count where a name is looked for: `foo:latest` is not near `bar:latest`.
    static func nearestName(to text: String, among names: [Reference]) -> Reference? {
        let wanted = (try? Reference(parsing: text))?.withDefaultTag
        let repository = wanted?.familiarName ?? text
        let tag = wanted?.tag ?? Reference.defaultTag
        let ofRepository = names.filter { $0.familiarName == repository }
        if !ofRepository.isEmpty {
            let near = Suggestion.nearest(to: tag, among: ofRepository.compactMap(\.tag)).first
            return ofRepository.first { near == nil || $0.tag == near }
        }
        guard let near = Suggestion.nearest(to: repository, among: Set(names.map(\.familiarName)).sorted()).first else {
            return nil
        }
        let found = names.filter { $0.familiarName == near }
        return found.first { $0.tag == tag } ?? found.first
    }

    /// The nearest name there is, or how to get the image.
    private func missingImageHint(_ text: String) throws(ShaleError) -> String {
        let names = try store.names.all().map(\.reference)
        if let near = Self.nearestName(to: text, among: names) { return "did you mean \(near.familiar)?" }
        return "images lists what is here; pull \(text) brings it from its registry"
    }
}
