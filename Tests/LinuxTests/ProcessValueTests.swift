import Basics
import Glibc
import Linux
import Testing

@Suite struct ProcessValueTests {
    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("sigkill", 9), ("15", 15), ("RTMIN", 34), ("RTMIN+3", 37),
            ("SIGRTMAX-2", 62),
            ("RTMAX", 64), ("usr1", 10), ("CLD", 17), ("WINCH", 28), ("64", 64), ("0", nil), ("65", nil), ("-9", nil),
            ("NOPE", nil), ("", nil), ("SIG", nil), ("RTMIN+31", nil), ("RTMIN+-1", nil), ("RTMIN++1", nil),
            ("RTMAX-99999999999", nil),
        ] as [(String, Int32?)])
    func signalNumbers(_ text: String, _ number: Int32?) {
        #expect(Signals.number(of: text) == number)
    }

    @Test func signalNames() {
        #expect(Signals.name(of: 15) == "SIGTERM")
        #expect(Signals.name(of: 37) == "SIGRTMIN+3")
        #expect(Signals.name(of: 99) == "99")
        for name in Signals.names {
            #expect(Signals.number(of: name).map(Signals.name) == "SIG\(name)")
        }
    }

    @Test func capabilities() {
        #expect(Capabilities.names.count == 41)
        #expect(Capabilities(name: "cap_net_admin")?.rawValue == 1 << 12)
        #expect(Capabilities(name: "CHECKPOINT_RESTORE")?.rawValue == 1 << 40)
        #expect(Capabilities(name: "ALL") == .all)
        #expect(Capabilities(name: "NOPE") == nil)
        #expect(Capabilities.containerDefault.names.count == 14)
        #expect(Capabilities.containerDefault.contains(Capabilities(name: "AUDIT_WRITE") ?? .all))
    }

    @Test(
        arguments: [
            ("nofile=100:200", 7, 100, 200), ("core=-1", 4, UInt64.max, .max), ("nproc=5", 6, 5, 5),
            ("nofile=5:4", nil, 0, 0),
            ("nofile", nil, 0, 0), ("bogus=1", nil, 0, 0), ("nofile=a", nil, 0, 0), ("nofile=1:2:3", nil, 0, 0),
            ("nofile=", nil, 0, 0), ("nofile=99999999999999999999", nil, 0, 0),
        ] as [(String, Int32?, UInt64, UInt64)])
    func limits(_ text: String, _ resource: Int32?, _ soft: UInt64, _ hard: UInt64) {
        let limit = try? ResourceLimit(parsing: text)
        #expect(limit?.resource == resource)
        if let limit { #expect(limit.soft == soft && limit.hard == hard) }
    }

    @Test(
        arguments: [
            ("6.1.0-13-amd64", KernelVersion(6, 1)), ("5.10", KernelVersion(5, 10)), ("4.8.0", KernelVersion(4, 8)),
            ("x", nil),
            ("6", nil), ("6.18.44-fc", KernelVersion(6, 18)), ("6.x", nil),
        ] as [(String, KernelVersion?)])
    func kernelVersions(_ text: String, _ version: KernelVersion?) {
        #expect(KernelVersion(text) == version)
    }

    @Test func kernelOrder() {
        #expect(KernelVersion(5, 12) > KernelVersion(5, 9))
        #expect(KernelVersion(4, 20) < KernelVersion(5, 0))
    }
}

@Suite struct UserDatabaseTests {
    private static let passwd = """
        root:x:0:0:root:/root:/bin/sh
        # a comment
        daemon:x:1:1:daemon:/usr/sbin:/bin/false
        www-data:x:33:33:www:/var/www:
        1000:x:2000:2000:a number as name:/n:
        nohome:x:5:5
        broken
        neg:x:-1:5:::
        big:x:4294967295:5:::
        """
    private static let group = """
        root:x:0:
        daemon:x:1:
        mail:x:8:
        wheel:x:10:root,daemon
        www-data:x:33:
        staff:x:50:www-data
        dup:x:50:www-data
        """
    private let database = UserDatabase(passwd: Array(Self.passwd.utf8), group: Array(Self.group.utf8))

    @Test(
        arguments: [
            ("", 0, 0, [0, 10], "/root"), ("root", 0, 0, [0, 10], "/root"), ("0", 0, 0, [0, 10], "/root"),
            ("daemon:mail", 1, 8, [8], "/usr/sbin"), ("1234", 1234, 0, [0], "/"),
            ("1234:5678", 1234, 5678, [5678], "/"),
            (":33", 0, 33, [33], "/root"), ("www-data", 33, 33, [33, 50], "/var/www"),
            ("33", 33, 33, [33, 50], "/var/www"),
            // A name wins over a number.
            ("1000", 2000, 2000, [2000], "/n"), ("nohome", 5, 5, [5], "/"), ("root:", 0, 0, [0, 10], "/root"),
        ] as [(String, UInt32, UInt32, [UInt32], String)])
    func resolves(_ text: String, _ uid: UInt32, _ gid: UInt32, _ groups: [UInt32], _ home: String) throws {
        let user = try database.resolve(text)
        #expect(user.uid == uid)
        #expect(user.gid == gid)
        #expect(user.groups == groups)
        #expect(user.home == home)
    }

    @Test(arguments: [
        ("nosuch", "unable to find user nosuch: no matching entries in passwd file"),
        ("root:nosuch", "unable to find group nosuch: no matching entries in group file"),
        ("neg", "unable to find user neg: no matching entries in passwd file"),
        ("4294967295", "uids and gids must be in range 0-2147483647"),
        ("-1", "unable to find user -1: no matching entries in passwd file"),
        ("0:99999999999999999999", "uids and gids must be in range 0-2147483647"),
    ])
    func refuses(_ text: String, _ message: String) {
        let error = #expect(throws: ShaleError.self) { try database.resolve(text) }
        #expect(error?.message == message)
    }

    @Test func additionalGroupsOnce() throws {
        #expect(
            try database.resolve("root", additionalGroups: ["wheel", "8", "mail", "777"]).groups == [0, 10, 8, 777])
    }

    @Test func withoutFiles() throws {
        let empty = UserDatabase(passwd: nil, group: nil)
        #expect(try empty.resolve("").uid == 0)
        #expect(try empty.resolve("7:8").gid == 8)
        #expect(throws: ShaleError.self) { try empty.resolve("root") }
    }
}
