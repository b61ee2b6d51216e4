import TestSupport

extension ShaleHome {
    /// A home with the recordings' base image: busybox-static, its applets as hard links, a few accounts.
    convenience init(accountsFrom accounts: String) throws {
        self.init()
        let script = """
            set -e
            mkdir -p base/bin base/dev base/etc base/home base/root base/tmp base/usr/bin base/usr/sbin \
                base/var/spool/mail base/var/www context
            chmod 1777 base/tmp; chmod 700 base/root; chmod 755 base
            cp /bin/busybox base/bin/busybox
            for applet in $(/bin/busybox --list); do
                test -e base/bin/$applet || ln base/bin/busybox base/bin/$applet
            done
            for file in passwd group shadow; do cp \(accounts)/$file base/etc/; chmod 644 base/etc/$file; done
            tar -C base --numeric-owner --owner=0 --group=0 -cf context/base.tar .
            printf 'FROM scratch\\nADD base.tar /\\nCMD ["sh"]\\n' > context/Dockerfile
            """
        try Peer("sh").run(["-c", script], in: work)
        try run(["build", "-q", "-t", "busybox", "context"])
        try Peer("rm").run(["-r", work + "/base", work + "/context"])
    }
}
