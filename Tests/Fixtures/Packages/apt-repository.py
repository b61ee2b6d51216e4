"""Adds packages to an apt repository: apt-repository.py FOLDER NAME=VERSION[/DEPENDS] ...

A package of one name in another version stays beside the older one, unless `-NAME` takes all of it away.
"""
import hashlib, os, subprocess, sys, tempfile

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
for word in sys.argv[2:]:
    if word.startswith("-"):
        for name in os.listdir(folder):
            if name.startswith(word[1:] + "_"):
                os.remove(os.path.join(folder, name))
        continue
    name, rest = word.split("=", 1)
    version, _, depends = rest.partition("/")
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(f"{tree}/DEBIAN")
        os.makedirs(f"{tree}/usr/share/{name}")
        with open(f"{tree}/usr/share/{name}/version", "w") as file:
            file.write(version + "\n")
        with open(f"{tree}/DEBIAN/control", "w") as file:
            file.write(f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@b>\n")
            file.write(f"Depends: {depends}\n" if depends else "")
            file.write("Description: a package of the tests\n")
        os.utime(f"{tree}/usr/share/{name}/version", (1_600_000_000, 1_600_000_000))
        target = f"{folder}/{name}_{version}.deb"
        subprocess.run(["dpkg-deb", "-b", "--root-owner-group", tree, target], check=True, stdout=subprocess.DEVNULL)
with open(f"{folder}/Packages", "w") as index:
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".deb"):
            continue
        path = f"{folder}/{name}"
        fields = subprocess.run(["dpkg-deb", "-f", path], check=True, capture_output=True, text=True).stdout
        data = open(path, "rb").read()
        index.write(fields.rstrip("\n") + f"\nFilename: ./{name}\nSize: {len(data)}\n")
        index.write(f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n")
