import Basics
import Testing

/// The one masker: every shape that any of its users must know.
@Suite struct SecretsTests {
    @Test(arguments: [
        ("DB_PASSWORD", true), ("API_TOKEN", true), ("AWS_ACCESS_KEY_ID", true), ("apiKey", true),
        ("MYSQL_PWD", true),
        ("clientSecret", true), ("SSH_PASSPHRASE", true), ("PASS", true), ("SIGNING_KEY", true),
        ("api.token", true),
        ("X-Api-Key", true), ("PWD", false), ("OLDPWD", false), ("PATH", false), ("KEYBOARD", false),
        ("COMPASS", false), ("MONKEY", false), ("N", false), ("PASSWORD_FILE", false),
        ("password-stdin", false),
        ("TOKEN_TTL", false), ("SSH_KEY_PATH", false), ("PUBLIC_KEY", false),
        ("TOKENIZERS_PARALLELISM", false),
        ("secretFile", false), ("passwordPolicy", false),
    ])
    func names(_ name: String, isSecret: Bool) { #expect(Secrets.isNamed(name) == isSecret) }

    /// What programs and instructions take, with `S3CRET` where the secret stands.
    @Test(arguments: [
        // shale's own lines.
        "login -u me --password S3CRET quay.io", "login -p S3CRET", "login -u me -p S3CRET quay.io",
        "login -pS3CRET",
        "login --password=S3CRET", "sudo docker login --password S3CRET", "login -p=S3CRET host",
        "run -e DB_PASSWORD=S3CRET -e A=b busybox", "run -eDB_PASSWORD=S3CRET busybox",
        "run -e 'API_TOKEN=S3CRET a b' busybox", "run -e API_TOKEN=\"S3CRET a b\" busybox",
        "run --env=MY_TOKEN=S3CRET busybox", "run --env MY_TOKEN=S3CRET busybox",
        "build --build-arg=NPM_TOKEN=S3CRET .",
        "build --build-arg NPM_TOKEN=S3CRET .", "build --secret S3CRET,src=b -t x .",
        "pull http://me:S3CRET@host/image", "exec -e TOKEN=S3CRET web sh", "token = S3CRET",
        "create --label api.token=S3CRET busybox", "commit -c 'ENV TOKEN=S3CRET' web web:2",
        // Instructions.
        "ENV API_TOKEN=S3CRET", "ENV DB_PASSWORD S3CRET pass word", "ENV A=b TOKEN='S3CRET x' C=d",
        "ENV TOKEN=\"S3CRET\\\" x\"", "ENV TOKEN=S3CRET;a|b)c", "ARG NPM_TOKEN=S3CRET",
        "LABEL api.token=S3CRET",
        "LABEL a=b \"api.token\"=\"S3CRET\"", "ENV A=1 \\\n    DB_PASSWORD=S3CRET \\\n    B=2",
        "env TOKEN=S3CRET",
        "CMD [\"true\", \"--password\", \"S3CRET\"]", "CMD [\"env\",\"TOKEN=S3CRET x\",\"a\"]",
        "CMD [\"sh\", \"-c\", \"mysql -pS3CRET\"]", "CMD [\"curl\", \"-u\", \"me:S3CRET\", \"x\"]",
        "HEALTHCHECK CMD curl -u me:S3CRET http://localhost", "ONBUILD ENV TOKEN=S3CRET",
        // A shell's lines.
        "export TOKEN=S3CRET", "RUN export API_TOKEN=S3CRET; make", "RUN API_TOKEN='S3CRET b' make",
        "RUN export PASSWORD='a'\"S3CRET\"", "RUN export PASSWORD=a\\ S3CRET\"b c\"'d'",
        "export A=1 TOKEN=S3CRET B=2",
        "RUN <<EOF\nexport GH_TOKEN=S3CRET\nEOF", "RUN sh -c \"TOKEN=S3CRET make\"",
        "RUN sh -c 'export TOKEN=S3CRET'",
        "RUN echo 'password: S3CRET' > /conf",
        "RUN printf 'user: me\\npassword: S3CRET\\nx: y' > /conf",
        "RUN echo db_password: S3CRET", "RUN echo 'password = S3CRET' && x password=S3CRET",
        "RUN PASSWORD='$S3CRET' x", "RUN TOKEN=$A-S3CRET x",
        // Options and programs.
        "RUN login --password S3CRET -u me", "RUN true --token S3CRET", "RUN true --secret-key S3CRET",
        "RUN x --api-key=S3CRET", "RUN x --password 'S3CRET y'", "RUN x --password \\\n  S3CRET",
        "x -password S3CRET",
        "RUN curl -u user:S3CRET http://x", "RUN true curl -uuser:S3CRET http://x",
        "RUN curl --user me:S3CRET x",
        "RUN curl --user=me:S3CRET x", "RUN sudo curl -s -u 'me:S3CRET' x",
        "RUN mysql -u root -pS3CRET db",
        "RUN /usr/bin/mysqldump -pS3CRET db", "RUN sshpass -p S3CRET ssh x",
        "RUN redis-cli -a S3CRET ping",
        "RUN echo S3CRET | docker login --password-stdin x", "RUN echo 'root:S3CRET' | chpasswd",
        "RUN echo machine x login y password S3CRET > ~/.netrc", "RUN cd /x && curl -u me:S3CRET x",
        "RUN sh -c \"curl -u me:S3CRET x\"", "RUN wget --http-password=S3CRET x",
        // Headers and JSON.
        "RUN curl -H 'Authorization: Bearer S3CRETS3CRET' x", "RUN curl -H \"X-Api-Key: S3CRET\" x",
        "RUN curl -H X-Api-Key:S3CRET x", "RUN curl -H 'PRIVATE-TOKEN: S3CRET' x",
        "RUN curl -H 'Authorization: Basic S3CRET' x",
        "RUN curl --header \"authorization: token S3CRET\" x",
        "RUN curl -H 'Cookie: a=S3CRET; b=c' x", "RUN curl -H 'Proxy-Authorization: S3CRET' x",
        "RUN curl -d '{\"user\": \"me\", \"password\": \"S3CRET\"}' x",
        "RUN curl -d '{\"api_key\":\"S3CRET\"}' x",
        "RUN curl -d \"{\\\"token\\\": \\\"S3CRET\\\"}\" x",
        "RUN curl 'http://x/?a=b&access_token=S3CRET&c=d'",
        "RUN curl http://x/?token=S3CRET", "RUN git clone https://me:S3CRET@example.org/x",
        "RUN pip install --index-url https://u:S3CRET@x/simple y", "RUN psql postgres://u:S3@CRET@db/x",
        "!curl -u me:S3CRET http://x", "$ curl -su me:S3CRET http://x", "RUN curl -fsSLu me:S3CRET http://x",
        "logn -u me -p S3CRET host", "run --rm busybox docker login -u me -p S3CRET",
        "RUN npm config set //r/:_authToken=S3CRET", "RUN git clone https://S3CRETS3CRET1@github.com/x/y",
        "run busybox env DBPASS=S3CRET true", "DBPASS = S3CRET", "pull bob:S3CRET@127.0.0.1:5997/x",
        "RUN aws configure set aws_secret_access_key S3CRET", "RUN openssl rsa -passin pass:S3CRET -in k",
        "RUN unzip -P S3CRET a.zip", "RUN 7z x -pS3CRET a", "RUN useradd -p S3CRET bob",
        "RUN smbclient -U u%S3CRET //h/s", "RUN curl 'http://x/?sig=S3CRET'",
        "RUN curl 'http://x/?a=b&X-Amz-Signature=S3CRET'", "RUN curl --cookie s=S3CRET http://x",
        "run -e AUTH=S3CRET busybox", "HEALTHCHECK CMD curl -su me:S3CRET http://x",
    ])
    func aSecretIsMasked(_ text: String) {
        let masked = Secrets.masked(text)
        #expect(!masked.text.contains("S3") && !masked.text.contains("CRET"), "\(masked.text)")
        #expect(masked.text.contains("***"))
        #expect(!masked.found.isEmpty)
        // What is masked stays as it is, and is known again.
        #expect(Secrets.masked(masked.text).text == masked.text)
        let isKnown = Secrets.find(in: masked.text).allSatisfy(\.isMask)
        #expect(isKnown)
        #expect(Secrets.find(in: masked.text).count == Secrets.find(in: text).count, "\(masked.text)")
    }

    /// The whole text, where it matters what stays.
    @Test(arguments: [
        ("login -u me -p hunter2 quay.io", "login -u me -p *** quay.io"),
        ("build --secret id=x,src=f .", "build --secret *** ."),
        ("run -e 'API_TOKEN=a b c' busybox", "run -e 'API_TOKEN=***' busybox"),
        ("run -e API_TOKEN=\"a b c\" busybox", "run -e API_TOKEN=*** busybox"),
        ("ENV SIGNING_KEY=abc A=b", "ENV SIGNING_KEY=*** A=b"),
        ("ENV DB_PASSWORD my pass word", "ENV DB_PASSWORD ***"),
        (
            "RUN curl -H 'Authorization: Bearer abcdefgh12345678' x",
            "RUN curl -H 'Authorization: Bearer ***' x"
        ),
        ("RUN [\"login\", \"--password\", \"hunter2\"]", "RUN [\"login\", \"--password\", \"***\"]"),
        ("RUN API_TOKEN='a b' make", "RUN API_TOKEN=*** make"),
        ("RUN curl -u me:x http://y", "RUN curl -u me:*** http://y"),
        ("RUN sh -c \"TOKEN=abc make all\"", "RUN sh -c \"TOKEN=*** make all\""),
        ("RUN (export TOKEN=abc) && x", "RUN (export TOKEN=***) && x"),
        ("RUN curl -d '{\"token\":\"abc\",\"a\":1}' x", "RUN curl -d '{\"token\":***,\"a\":1}' x"),
        ("RUN curl 'http://x/?token=abc&c=d'", "RUN curl 'http://x/?token=***&c=d'"),
        ("RUN mysql -pabc db", "RUN mysql -p*** db"),
        ("RUN echo me:abc | chpasswd", "RUN echo me:*** | chpasswd"),
        ("RUN export TOKEN=abc; echo it's done", "RUN export TOKEN=***; echo it's done"),
        ("RUN TOKEN=abc make | tee log", "RUN TOKEN=*** make | tee log"),
        // Keys by their shape.
        ("RUN echo AKIAABCDEFGHIJKLMNOP > /k", "RUN echo *** > /k"),
        ("RUN true AKIACANARY08CANARY08", "RUN true ***"),
        (
            "RUN git clone https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@x",
            "RUN git clone https://***@x"
        ),
        ("x glpat-ABCDEFGHIJ0123456789 y", "x *** y"), ("x xoxb-123456789012-abcdef y", "x *** y"),
        ("x sk-proj-ABCDEFGHIJ0123456789 y", "x *** y"),
        ("x github_pat_ABCDEFGHIJ0123456789_x y", "x *** y"),
        ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.c2lnbmF0dXJlLi4 y", "x *** y"),
        (
            "RUN printf '-----BEGIN RSA PRIVATE KEY-----abc' > k",
            "RUN printf '-----BEGIN PRIVATE KEY----- ***' > k"
        ),
        (
            "COPY <<EOF /k\n-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nEOF",
            "COPY <<EOF /k\n-----BEGIN PRIVATE KEY----- ***\nEOF"
        ),
    ])
    func theRestStays(_ text: String, _ masked: String) {
        #expect(Secrets.masked(text).text == masked)
        #expect(Secrets.masked(masked).text == masked)
    }

    @Test(arguments: [
        "images", "run -p 80:80 busybox", "login --password-stdin",
        "login -u me --password-stdin quay.io",
        "ENV MONKEY=banana KEYBOARD=us", "ENV POSTGRES_PASSWORD_FILE=/run/x",
        "ENV PASSWORD_FILE=/run/x",
        "RUN echo $API_TOKEN", "RUN login --password $PW", "RUN TOKEN=$(cat /run/secrets/t) make",
        "RUN TOKEN=${T} make",
        "RUN sort --key 2 x", "RUN sort -k 2 x", "RUN apt-get install keyutils",
        "RUN curl http://a:80/b@c",
        "LABEL a=b", "RUN --mount=type=secret,id=token,target=/run/t cat /run/t", "RUN mkdir -p /login",
        "run -v secret:/data busybox", "run --name token busybox", "tag token:1 secret:2",
        "pull example.org/token:latest",
        "FROM password:1", "RUN adduser -u 1000 me", "RUN curl -u $USER:$PASS http://x",
        "RUN mysql -p db",
        "RUN passwd -d root", "RUN ssh-keygen -t rsa", "RUN test \"$TOKEN\" = x", "RUN [ $TOKEN == x ]",
        "cat image:/etc/passwd", "grep -r password @:/etc", "RUN cat /run/secrets/token", "help login",
        "RUN npm install tokenizers sk-learn-something-very-long", "ENV ALLOW_EMPTY_PASSWORD=yes",
        "RUN gpg --keyserver hkp://x --recv-keys ABC", "RUN useradd -p '' x",
        "RUN git config credential.helper store",
        "RUN echo d41d8cd98f00b204e9800998ecf8427e  x | md5sum -c", "RUN mkdir -p x && login",
        "logout quay.io",
        "RUN docker run --name login -p 80:80 x", "ENV TOKEN=", "RUN TOKEN= make", "ARG TOKEN",
        "unset TOKEN",
        // Fingerprints of official images (python, and others).
        "ENV GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", "ENV GPG_KEY 7169605F62C751356D054A26A821E680E5FA6305",
        "RUN export GPG_KEY='7169 605F 62C7 5135 6D05  4A26 A821 E680 E5FA 6305'", "ARG PGP_KEY=A821E680E5FA6305",
        #"{"GPG_KEY": "7169605f62c751356d054a26a821e680e5fa6305"}"#,
    ])
    func otherTextStays(_ text: String) { #expect(Secrets.masked(text).text == text) }

    @Test(
        "what is no fingerprint is masked for all that it looks like one",
        arguments: [
            "ENV GPG_PASSPHRASE=7169605F62C751356D054A26A821E680E5FA6305", "ENV GPG_PRIVATE_KEY=7169605F62C75135",
            "ENV API_KEY=7169605F62C751356D054A26A821E680E5FA6305",
            "ENV GPG_KEY=7169605F62C751356D054A26A821E680E5FA63",
            "ENV GPG_KEY=notafingerprintatall", "ENV GPG_KEY=0123456789abcdef0123456789abcdef",
        ])
    func nearFingerprints(_ text: String) {
        #expect(Secrets.masked(text).text == text.replacing(/=.*/, with: "=***"))
    }

    /// Messages and what programs print: forms that no sentence has, alone.
    @Test(arguments: [
        ("password: too long", "password: too long"),
        ("login: --password takes a value", "login: --password takes a value"),
        ("No such secret: mykey", "No such secret: mykey"),
        ("Bearer authentication is needed", "Bearer authentication is needed"),
        ("sh: export TOKEN=abc: bad", "sh: export TOKEN=***"),
        ("https://me:abc@x/y: 404", "https://me:***@x/y: 404"),
        ("X-Api-Key: abc", "X-Api-Key: ***"), ("the key ghp_abcdefghijklmnopqrst12", "the key ***"),
        (#"{"token":"abc"}"#, #"{"token":***}"#), ("--password=abc", "--password=***"),
    ])
    func prose(_ text: String, _ masked: String) {
        let found = Secrets.masked(text, isProse: true).text
        #expect(found.hasPrefix(masked), "\(found)")
    }

    @Test func valuesAreWhatAProgramGets() {
        #expect(Secrets.values(in: "export PASSWORD='a b'\"cde\"") == ["a bcde"])
        #expect(Secrets.values(in: "curl -u me:hunter2 x; export TOKEN=ab") == ["hunter2"])
        #expect(Secrets.values(in: "export TOKEN=***").isEmpty)
    }

    /// A value put in a mask's place is read as just that value.
    @Test(arguments: [
        ("export TOKEN=***", "a b'c", #"export TOKEN='a b'\''c'"#),
        ("export TOKEN=***", "abc-1", "export TOKEN=abc-1"),
        ("run -e 'TOKEN=***' x", "a'b", #"run -e 'TOKEN=a'\''b' x"#),
        ("sh -c \"TOKEN=*** x\"", "a$b", #"sh -c "TOKEN=a\$b x""#),
        ("CMD [\"x\", \"--password\", \"***\"]", "a$\"b", #"CMD ["x", "--password", "a$\"b"]"#),
        ("CMD [\"--password\",\"***\"]", "a b", #"CMD ["--password","a b"]"#),
        ("curl -u me:*** x", "p w", "curl -u me:'p w' x"),
        ("curl https://me:***@h/", "pw", "curl https://me:pw@h/"),
        ("curl -H 'X-Api-Key: ***' x", "a b", "curl -H 'X-Api-Key: a b' x"),
        ("login -p ***", "x y", "login -p 'x y'"),
    ])
    func aMaskIsFilled(_ text: String, _ value: String, _ filled: String) {
        let found = Secrets.find(in: text)
        #expect(found.map(\.isMask) == [true])
        #expect(Secrets.replacing(found, in: text) { $0.spelled(value) } == filled)
    }

    /// Nothing that can be typed or printed ends the program.
    @Test(arguments: [
        "", "=", "--", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "TOKEN=", "TOKEN='", "TOKEN=\"",
        "TOKEN=\\",
        "TOKEN=\"\\", "a://", "a://:@", "a://b:c@", "\"token\":", "'password':'", "curl -u",
        "curl -u :", "mysql -p",
        "login -p", "echo | chpasswd", "| chpasswd", "Authorization:", "Authorization: Basic",
        "Authorization: Basic ",
        "\"Authorization\":\"Basic \"", "bearer ", "eyJ", "eyJ..", "[\"--password\",",
        "[\"--password\"",
        "\\\"token\\\":\\\"",
        "ENV TOKEN ", "token = ", "\u{e9}=\u{e9}", "TOKEN=\u{1F600}", "curl --user=", "login -p=",
        "http -a \"x:\"",
        "\"token\": \\\"", "-----BEGIN PRIVATE KEY-----\n-----END ",
    ])
    func oddTextsAreRead(_ text: String) {
        for prose in [true, false] {
            let masked = Secrets.masked(text, isProse: prose).text
            #expect(Secrets.masked(masked, isProse: prose).text == masked)
        }
        for length in 0..<text.unicodeScalars.count {
            _ = Secrets.masked(String(text.unicodeScalars.prefix(length)))
        }
    }
}
