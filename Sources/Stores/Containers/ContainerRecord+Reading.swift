import Basics
import FoundationEssentials
import OCI

extension ContainerRecord {
    /// Reads a record.
    ///
    /// Members that an earlier version of shale did not write get their defaults.
    ///
    /// Throws `corrupt` for bytes that are no record.
    init(reading bytes: [UInt8], id: String) throws(ShaleError) {
        let subject = "container \(id)"
        do throws(ShaleError) {
            self = try OCIDocument.decode(ContainerRecord.self, from: Data(bytes), naming: subject)
        } catch {
            guard let document = try? JSONDocument(parsing: bytes, naming: subject) else { throw error }
            let completed = try Self.completed(document)
            self = try OCIDocument.decode(ContainerRecord.self, from: Data(completed.text().utf8), naming: subject)
        }
    }

    private static func completed(_ document: JSONDocument) throws(ShaleError) -> JSONDocument {
        guard case .object(var members) = document, let place = members.firstIndex(where: { $0.key == "host" }),
            case .object(var host) = members[place].value
        else { return document }
        host += notes(of: document).filter { note in !host.contains { $0.key == note.key } }
        let defaults = try JSONDocument(parsing: Array(OCIDocument.encode(HostConfig())), naming: "host")
        guard case .object(let usual) = defaults else { return document }
        host += usual.filter { member in !host.contains { $0.key == member.key } }
        members[place].value = .object(host)
        return .object(members)
    }

    /// Members that an earlier version wrote as text below `notes`.
    private static func notes(of document: JSONDocument) -> [JSONDocument.Member] {
        var members: [JSONDocument.Member] = []
        for name in ["dnsSearch", "dnsOptions", "sysctls", "logOptions"] {
            guard let text = document["notes"]?[name]?.string else { continue }
            members.append(.init(name, .array(text.split(separator: "\n").map { .string(String($0)) })))
        }
        if let driver = document["notes"]?["logDriver"]?.string { members.append(.init("logDriver", .string(driver))) }
        return members
    }
}
