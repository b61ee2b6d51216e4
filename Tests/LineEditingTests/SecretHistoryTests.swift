import Glibc
import Linux
import TestSupport
import Testing

@testable import LineEditing

/// What was typed is kept without its secrets, for the owner alone.
struct SecretHistoryTests {
    @Test func theFileHasNoSecretAndTheMemoryHas() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/history"
        // An older file that others may read.
        try OwnedFD.open(path, O_WRONLY | O_CREAT, mode: 0o644).write(Array("_HiStOrY_V2_\nold\n".utf8))
        let history = HistoryFile(path: path)
        try history.add("login -u me -p hunter22 127.0.0.1:1")
        try history.add("export MY_TOKEN=supersekret1")
        #expect(history.entries.last == "export MY_TOKEN=supersekret1")
        let kept = HistoryFile(path: path).entries
        #expect(kept == ["old", "login -u me -p *** 127.0.0.1:1", "export MY_TOKEN=***"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        // A file written anew has none either.
        for number in 0..<2100 { try history.add("run -e TOKEN=abcde\(number) x") }
        let text = String(decoding: try WholeFile.read(path), as: UTF8.self)
        #expect(!text.contains("hunter22") && !text.contains("abcde") && !text.contains("supersekret"))
    }
}
