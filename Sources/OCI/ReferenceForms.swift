package import Basics

/// What a person may call an image by: a name, or a whole digest.
package enum AnyReference: Sendable, Hashable {
    case named(Reference)
    /// 64 hex digits, or a digest by itself.
    case digest(Digest)

    /// Parses as distribution/reference's `ParseAnyReference`: an id first, then a digest, then a name.
    ///
    /// Throws `invalid` when the text cannot be a reference.
    package init(parsing text: String) throws(ShaleError) {
        if Reference.isIdentifier(text) {
            self = .digest(try Digest(parsing: "sha256:\(text)"))
        } else if let digest = try? Digest(parsing: text) {
            self = .digest(digest)
        } else {
            self = .named(try Reference(parsing: text))
        }
    }
}

extension Reference {
    /// What docker asks a registry for: `:latest` filled in, a tag beside a digest dropped.
    package var forPulling: Reference {
        if let digest { return with(digest: digest) }
        return withDefaultTag
    }

    /// The name that a pull asks for and gives: `latest` filled in, a digest kept as it is.
    ///
    /// Throws `invalid`, in docker's words, for a name that would be read as an id.
    package func asPullTarget() throws(ShaleError) -> Reference { digest == nil ? try asTarget() : self }

    /// The name as an image may get it, with `latest` filled in; throws docker's words for one that would be read as an
    /// id.
    package func asTarget() throws(ShaleError) -> Reference {
        guard digest == nil else {
            throw ShaleError(.invalid, "refusing to create a tag with a digest reference")
        }
        guard familiarName != "sha256" else {
            throw ShaleError(.invalid, "refusing to create an ambiguous tag using digest algorithm as name")
        }
        return withDefaultTag
    }

    /// Whether a `reference=` filter's pattern (`Glob.Flavour.path`) fits the familiar form, with its tag or without.
    package func matches(familiarPattern pattern: Glob) -> Bool {
        pattern.matches(familiar) || pattern.matches(familiarName)
    }
}
