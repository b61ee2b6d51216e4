import Glibc
import TestSupport

/// The Dockerfiles that are judged.
enum JudgedFiles {
    /// The corpus' files, in its order.
    static func names() throws -> [String] {
        try Corpus.json("dockerfiles/index.json")["files"]?.array?.compactMap { $0["file"]?.string } ?? []
    }

    /// A file as both sides are given it: an image by its digest cannot be made up, and `# syntax=` would be fetched.
    static func text(_ name: String) throws -> String {
        try Corpus.text("dockerfiles/" + name).replacing(/@sha256:[0-9a-f]{64}/, with: "")
            .replacing(/(?im)^(\s*#\s*)syntax(\s*=)/, maxReplacements: 1) { "\($0.output.1)was-syntax\($0.output.2)" }
    }

    static func trial(
        _ name: String, _ text: String, _ judge: DockerJudge, isStrict: Bool = false
    ) throws -> Trial {
        let context = try ContextFolder(["more/file.txt": "more\n"])
        for named in MissingPieces(of: text).context { try context.makeUp(named) }
        try context.write(Array(text.utf8), to: "Dockerfile")
        return Trial(name: name, text: text, judge: judge, isStrict: isStrict, context: context)
    }

    /// What no file of the corpus asks for; some of it only BuildKit reads.
    static func own(for judge: DockerJudge) throws -> [Trial] {
        let context = try ContextFolder([
            "a.txt": "a\n", "sub/b.txt": "b\n", "sub/deep/c.txt": "c\n", "token": "secret\n",
        ])
        chmod("\(context.path)/sub/deep", 0o750)
        symlink("sub/b.txt", "\(context.path)/link")
        try context.write(Array("#!/bin/sh\necho ran\n".utf8), to: "run.sh", mode: 0o755)
        try Peers.tar.run([
            "-C", context.path + "/sub", "--owner=3", "--group=4", "-cf", context.path + "/tree.tar", ".",
        ])
        let secret = judge == .buildkit ? ["--secret", "id=token,src=\(context.path)/token"] : []
        return try ownFiles.sorted { $0.key < $1.key }.map { name, text in
            let file = "\(name).Dockerfile"
            try context.write(Array(text.utf8), to: file)
            let options = secret + ["-f", "\(context.path)/\(file)"]
            return Trial(name: name, text: text, judge: judge, options: options, context: context)
        }
    }

    private static let ownFiles: [String: String] = [
        "own/cache": """
        FROM base
        RUN --mount=type=cache,target=/cache echo 1 >> /cache/count && cp /cache/count /first
        RUN --mount=type=cache,target=/cache echo 2 >> /cache/count && cp /cache/count /second
        RUN --mount=type=cache,target=/var/cache/own,mode=0700,uid=7 ls -ldn /var/cache/own | cut -c1-10 > /mode
        """,
        "own/bind": """
        FROM base AS first
        RUN mkdir /out && echo made > /out/file && chown 5:6 /out/file && ln -s file /out/link
        FROM base
        RUN --mount=type=bind,source=sub,target=/mnt/in cp -r /mnt/in /copied
        RUN --mount=type=bind,target=/src,rw touch /src/new && ls /src/sub > /list
        RUN --mount=from=first,source=/out,target=/in cat /in/link > /got
        RUN --mount=type=bind,source=a.txt,target=/tmp/a.txt cp /tmp/a.txt /kept
        WORKDIR /w
        RUN --mount=type=bind,source=a.txt,target=b.txt cat b.txt > c.txt
        WORKDIR /here
        RUN --mount=type=bind,source=sub ls > /listed
        RUN --mount=type=tmpfs touch gone && ls > /touched
        """,
        "own/secret": """
        FROM base
        RUN --mount=type=secret,id=token wc -c < /run/secrets/token > /size
        RUN --mount=type=secret,id=token,target=/root/.token,mode=0440,uid=3,gid=4 ls -ln /root/.token | cut -c1-10 > /mode
        RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent && echo none > /none
        RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && ls /scratch > /seen
        """,
        "own/chmod": """
        FROM base
        COPY --chmod=755 a.txt /made/here/
        COPY --chmod=700 sub /sub/
        COPY --chmod=700 sub /below/here/sub
        COPY --chmod=4711 --chown=3:4 a.txt /owned
        ADD --chmod=640 a.txt /added
        ADD --chmod=700 tree.tar /tree/
        """,
        "own/archives": """
        FROM base
        ADD tree.tar /a/b/
        ADD --chown=7:8 tree.tar /owned/
        COPY --chown=7:8 tree.tar /kept/
        COPY --chown=7:8 sub /with/owner
        """,
        "own/archive-behind-link": """
        FROM base
        RUN ln -s /nowhere /dangling
        ADD tree.tar /dangling
        """,
        "own/copies": """
        FROM base AS first
        RUN mkdir -p /out/dir && echo x > /out/dir/x && chmod 750 /out/dir && chown 5:6 /out/dir && ln -s dir /out/link
        FROM base
        RUN mkdir /real && ln -s /real /link && ln -s /nowhere /dangling
        COPY a.txt /link/
        COPY sub /link
        COPY link /followed
        COPY --from=first /out /one
        COPY --from=first --chown=9:9 /out/dir /two
        COPY --from=first /out/link /three
        COPY a.txt /dangling
        COPY su*/b.* a.* /many/
        ADD tree.tar /link/tree/
        COPY a.txt /link/
        """,
        "own/directories": """
        FROM base
        USER 1000:1000
        WORKDIR /made/here
        RUN id -u > /tmp/who; pwd > /tmp/where
        COPY a.txt .
        WORKDIR ../there//
        WORKDIR /made/../made/again/
        COPY --chown=1000:1000 run.sh ./
        RUN ./run.sh > /tmp/ran
        """,
        "own/settings": """
        ARG LAST=1
        FROM base
        ARG TARGETARCH
        ARG LAST
        ARG OWN=own
        RUN echo "$TARGETARCH $LAST $OWN" > /values
        ENV A=1 B="two words" C=$OWN PATH=/opt:$PATH
        ENV old style value
        LABEL a.b=c quoted="with $A"
        EXPOSE 80 443/udp 8000-8002
        VOLUME /data "/more"
        STOPSIGNAL SIGINT
        SHELL ["/bin/sh", "-e", "-c"]
        HEALTHCHECK --interval=5s --retries=2 CMD true
        ONBUILD RUN echo later
        ENTRYPOINT ["echo", "hi"]
        CMD there
        """,
        "own/working-directory-behind-link": """
        FROM base
        RUN ln -s /made/there /link && ln -s gone /etc/dangling
        WORKDIR /link
        WORKDIR /etc/dangling/below
        """,
        "own/working-directory-on-a-file": """
        FROM base
        RUN touch /file
        WORKDIR /file
        RUN echo never
        """,
        "own/name-with-backslash": """
        FROM base
        COPY sub\\\\b.txt /
        """,
        "own/removals": """
        FROM base
        RUN mkdir -p /d/e && echo 1 > /d/e/f && echo 2 > /d/g && ln /d/g /d/h
        RUN rm -r /d/e && rm /etc/group && echo 3 >> /d/g
        RUN mkdir /d/e && echo 3 > /d/e/i && mv /d/h /d/j && mkfifo /pipe && chmod 4755 /d/g
        RUN rm /d/j && ln -s /d/e /d/j && rm -r /srv && touch /srv
        """,
    ]
}
