package import Basics

/// The ids a process of a container runs under.
package struct ContainerUser: Sendable, Hashable {
    package var uid: UInt32
    package var gid: UInt32
    /// Supplementary groups, in order.
    package var groups: [UInt32]
    package var home: String
    /// The account's name, empty for an id without one.
    package var name: String
}

/// `/etc/passwd` and `/etc/group` of a root, read as docker reads them.
///
/// Both are whatever the image says: lines that are not accounts are skipped, numbers out of range too.
package struct UserDatabase: Sendable {
    private struct Account {
        var name: Substring
        var uid: UInt32
        var gid: UInt32
        var home: Substring
    }
    private struct Group {
        var name: Substring
        var gid: UInt32
        var members: [Substring]
    }
    private let accounts: [Account]
    private let groups: [Group]

    /// An absent file is an empty one.
    package init(passwd: [UInt8]?, group: [UInt8]?) {
        accounts = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 4, let uid = Self.identifier(fields[2]), let gid = Self.identifier(fields[3]) else {
                return nil
            }
            return Account(name: fields[0], uid: uid, gid: gid, home: fields.count > 5 ? fields[5] : "")
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 3, let gid = Self.identifier(fields[2]) else { return nil }
            let members = fields.count > 3 ? fields[3].split(separator: ",") : []
            return Group(name: fields[0], gid: gid, members: members)
        }
    }

    private static func lines(_ bytes: [UInt8]?) -> [[Substring]] {
        guard let bytes else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            line.hasPrefix("#") ? nil : line.split(separator: ":", omittingEmptySubsequences: false)
        }
    }

    private static func identifier(_ text: some StringProtocol) -> UInt32? {
        guard let number = UInt32(text), number <= UInt32(Int32.max) else { return nil }
        return number
    }

    /// The ids of `USER[:GROUP]`, by name or number; an empty text is root.
    ///
    /// Throws `notFound` with docker's words for a name that is not there, `invalid` for a number out of range.
    package func resolve(_ text: String, additionalGroups: [String] = []) throws(ShaleError) -> ContainerUser {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let userText = parts.first.map(String.init) ?? ""
        let groupText = parts.count > 1 ? String(parts[1]) : ""
        var user = try account(userText)
        if !groupText.isEmpty {
            user.gid = try gid(groupText)
            user.groups = [user.gid]
        } else if !user.name.isEmpty {
            user.groups = groups.filter { $0.members.contains(user.name[...]) }.map(\.gid)
        }
        if user.groups.isEmpty || groupText.isEmpty { user.groups = [user.gid] + user.groups }
        for group in additionalGroups { user.groups.append(try gid(group)) }
        var seen: Set<UInt32> = []
        user.groups = user.groups.filter { seen.insert($0).inserted }
        return user
    }

    private func account(_ text: String) throws(ShaleError) -> ContainerUser {
        let number = UInt32(text)
        let found: Account?
        if text.isEmpty {
            found = accounts.first { $0.uid == 0 }
        } else {
            found = accounts.first { $0.name == text[...] } ?? accounts.first { $0.uid == number }
        }
        if let found {
            return ContainerUser(
                uid: found.uid, gid: found.gid, groups: [], home: found.home.isEmpty ? "/" : String(found.home),
                name: String(found.name))
        }
        if text.isEmpty { return ContainerUser(uid: 0, gid: 0, groups: [], home: "/", name: "") }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw ShaleError(.notFound, "unable to find user \(text): no matching entries in passwd file")
        }
        guard let uid = Self.identifier(text) else {
            throw ShaleError(.invalid, "uids and gids must be in range 0-2147483647")
        }
        return ContainerUser(uid: uid, gid: 0, groups: [], home: "/", name: "")
    }

    /// The id of a group by name or number.
    ///
    /// Throws `notFound` for an unknown name, and `invalid` for a number that is too large.
    package func gid(_ text: String) throws(ShaleError) -> UInt32 {
        let number = UInt32(text)
        if let found = groups.first(where: { $0.name == text[...] }) ?? groups.first(where: { $0.gid == number }) {
            return found.gid
        }
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw ShaleError(.notFound, "unable to find group \(text): no matching entries in group file")
        }
        guard let gid = Self.identifier(text) else {
            throw ShaleError(.invalid, "uids and gids must be in range 0-2147483647")
        }
        return gid
    }
}
