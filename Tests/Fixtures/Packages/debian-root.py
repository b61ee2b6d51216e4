"""A root with apt and dpkg, as a tar, made of the packages of the Debian on which the tests run: debian-root.py TAR."""
import io, os, re, sys, tarfile
out = sys.argv[1]
status = {}
for paragraph in open("/var/lib/dpkg/status", encoding="utf-8").read().split("\n\n"):
    name = re.search(r"^Package: (.*)$", paragraph, re.M)
    if name and re.search(r"^Status: .* installed$", paragraph, re.M):
        status.setdefault(name.group(1), paragraph)
wanted, todo = set(), "apt mawk dpkg diffutils dash coreutils sed grep tar gzip base-files libc-bin debianutils findutils".split()
while todo:
    name = todo.pop()
    if name in wanted or name not in status: continue
    wanted.add(name)
    for field in ("Depends", "Pre-Depends"):
        found = re.search(rf"^{field}: (.*)$", status[name], re.M)
        for group in (found.group(1).split(",") if found else []):
            todo += [re.match(r"[^ :(]+", choice.strip()).group() for choice in group.split("|")]
paths = set()
for entry in os.listdir("/var/lib/dpkg/info"):
    if entry.endswith(".list") and entry[:-5].split(":")[0] in wanted:
        paths.update(open(f"/var/lib/dpkg/info/{entry}", encoding="utf-8").read().split("\n"))
left_out = re.compile(r"/usr/share/(doc|man|locale|info|lintian|bash-completion)/")
with tarfile.open(out, "w") as tar:
    def folder(name, mode=0o755):
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, mode
        tar.addfile(info)
    def link(name, target):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        tar.addfile(info)
    def text(name, text):
        data = text.encode()
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        tar.addfile(info, io.BytesIO(data))
    for name in ("usr/bin usr/sbin usr/lib usr/lib64 var/lib/dpkg/info var/lib/dpkg/updates var/lib/apt/lists/partial "
                 "var/cache/apt/archives/partial var/log/apt etc/apt/apt.conf.d etc/apt/preferences.d "
                 "etc/apt/sources.list.d etc/apt/trusted.gpg.d root").split(): folder(name)
    folder("tmp", 0o1777)
    for name in "bin sbin lib lib64".split(): link(name, f"usr/{name}")
    seen = set()
    for path in sorted(paths):
        if left_out.match(path) or path.startswith(("/var/log", "/etc/apt")) or not os.path.lexists(path): continue
        if os.path.isdir(path) and not os.path.islink(path): continue
        if os.path.isdir(path): continue
        real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if real in seen or not os.access(real, os.R_OK): continue
        seen.add(real)
        tar.add(real, real[1:], recursive=False)
    kept = "\n\n".join(re.sub(r"^Conffiles:\n(?: .*\n?)*", "", status[n] + "\n", flags=re.M).rstrip("\n") for n in sorted(wanted))
    text("var/lib/dpkg/status", kept + "\n")
    text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n_apt:x:100:65534::/:/bin/false\n")
    text("etc/group", "root:x:0:\nnogroup:x:65534:\n")
    text("etc/apt/apt.conf.d/root", 'APT::Sandbox::User "root";\n')
