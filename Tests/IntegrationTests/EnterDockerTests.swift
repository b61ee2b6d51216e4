import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The recipe of an entered session, built by Debian's dockerd: the same files as the lines made here.
@Suite(
    .serialized, .enabled(if: DockerDaemon.isPossible, "\(DockerDaemon.impossible)"),
    .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct EnterDockerTests {
    @Test func dockerBuildsWhatWasEntered() throws {
        setenv("DOCKER_BUILDKIT", "0", 1)
        let shale = ShaleHome()
        let docker = try DockerDaemon()
        let lines = """
            enter --keep-failed busybox
            mkdir -p /usr/src/app; chmod 2770 /usr/src/app
            cd /usr/src/app
            export A='b c' B="x\\$y" C=it\\'s D="quote\\"d \\\\ slash"
            echo "$A|$B|$C|$D" > values
            umask 027
            mkdir deep; echo secret > deep/file
            x='two "words"'
            echo "$x" > "$x"
            set -u
            for i in 1 2 3
            do
              ln -s file$i link$i
            done
            cat > doc <<'EOF'
            literal $HOME `date` \\n
            EOF
            cat <<-EOF > /doc2
            	expanded $A $((6 * 7))
            	EOF
            [ -f doc ] && mkfifo pipe
            f() { chown "$1" doc; }
            f 7:8
            touch made; false
            cd /tmp && touch here
            rm -r /usr/src/app/deep
            unset A
            echo "${A-none}" > none
            echo 'a
            b' > lines # a comment
            ["a"] 2>/dev/null || touch bracket
            """
        let made = try shale.run([], input: Array(lines.utf8), expecting: nil)
        #expect(made.status == 0, "\(made.errors)")
        let folder = shale.work
        try shale.run(["recipe", "save", folder + "/recipe"])
        try shale.run(["tag", "@", "entered:1"])
        try shale.run(["save", "-o", folder + "/images.tar", "entered:1", "busybox"])
        try docker.docker(["load", "-q", "-i", folder + "/images.tar"])
        let build = try docker.docker(
            ["build", "--network", "host", "-t", "built:1", folder + "/recipe"], expecting: nil)
        #expect(build.status == 0, "\(build.text)\(build.errors)")
        guard build.status == 0 else { return }
        let (ours, theirs) = try (files(of: "entered:1", docker), files(of: "built:1", docker))
        #expect(ours.count > 280)
        for path in Set(ours.keys).union(theirs.keys).sorted() where ours[path] != theirs[path] {
            let (own, other) = (ours[path]?.description ?? "nothing", theirs[path]?.description ?? "nothing")
            Issue.record("\(path): entered \(own), built \(other)")
        }
        let format = ["inspect", "-f", "{{json .Config.Env}} {{.Config.WorkingDir}}"]
        let settings = try docker.docker(format + ["entered:1"]).text
        #expect(try docker.docker(format + ["built:1"]).text == settings)
        #expect(settings.contains("\"C=it's\"") && settings.hasSuffix(" /tmp\n"), "\(settings)")
    }

    private func files(of image: String, _ docker: DockerDaemon) throws -> [String: ImageFile] {
        let id = try docker.docker(["create", "--network", "host", image, "x"]).text.split(separator: "\n").first ?? ""
        let tar = try docker.docker(["export", String(id)]).output
        try docker.docker(["rm", String(id)])
        var files: [String: ImageFile] = [:]
        for (path, entry) in TarListing(Data(tar)).entries where !BuildDockerTests.isDockers(path) {
            files[path] = entry
        }
        return files
    }
}
