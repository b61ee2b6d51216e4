import Basics
import OCI
import TestSupport
import Testing

@testable import Rendering

struct TableTests {
    @Test
    func elasticColumns() {
        let table = Table(
            headers: ["NAME", "TAG", "STARS"], rows: [["日本", "", "[OK]"], ["a\u{1b}[2Jb", "x", ""]])
        #expect(
            table.text() == """
                NAME      TAG       STARS
                日本                [OK]
                a\\e[2Jb   x

                """)
    }

    @Test
    func raggedTemplatesKeepTheirBlocks() {
        #expect(
            ElasticTabs.text(tabbed: "a\tb\nlonger than ten\tc\n\nx\ty\n")
                == "a                 b\nlonger than ten   c\n\nx         y\n")
    }

    @Test
    func shrinksOnlyWhatMay() {
        let table = Table(
            headers: ["ID", "DESCRIPTION"], rows: [["123456789012", String(repeating: "word ", count: 20)]],
            shrinkable: [1])
        let lines = table.text(width: 40).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 40 })
        #expect(lines[1].hasPrefix("123456789012 word ") && lines[1].hasSuffix("…"))
        #expect(table.text(width: 5).split(separator: "\n")[1] == "1234…")
    }

    @Test(arguments: [(26, "a         b         c\n"), (20, "a  b  c\n"), (6, "a b c\n")])
    func spacesGiveWayBeforeWords(width: Int, expected: String) {
        #expect(Table(rows: [["a", "b", "c"]]).text(width: width) == expected)
    }

    /// No line is longer than the terminal, columns stand below each other, and what came from outside writes no escape.
    @Test(arguments: 20...200) func everyWidth(width: Int) {
        let words = [
            "日本語の名前の長いもの", "e\u{301}tude-de-cas", "🐳🐳🐳-whale", "a\u{1b}[31mred\u{202e}x",
            String(repeating: "long", count: 9),
        ]
        let rows = words.enumerated().map { ["\($0)23456789012", $1, $1, "\($0)kB"] }
        let table = Table(headers: ["ID", "NAME", "DESCRIPTION", "SIZE"], rows: rows, shrinkable: [1, 2])
        let lines = table.text(width: width).split(separator: "\n").map(String.init)
        #expect(lines.count == 6 && lines.allSatisfy { $0.displayWidth <= width }, "\(lines)")
        #expect(!lines.joined().unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{202e}" })
        guard width >= 40 else { return }
        let places = lines.map { line in line.prefix(through: line.lastIndex(of: " ") ?? line.startIndex) }
        #expect(Set(places.map { String($0).displayWidth }).count == 1, "\(lines)")
    }

    @Test(arguments: [("", 0), ("a", 1), ("é", 1), ("e\u{301}", 1), ("漢字", 4), ("🐳", 2), ("a\tb", 2), ("ﾊﾝ", 2)])
    func widths(text: String, width: Int) {
        #expect(text.displayWidth == width)
    }

    @Test(.enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
    func ellipsisCorpus() throws {
        let rows = try Corpus.rows("docker-cli/formatter-cases.json").filter { $0["test"]?.string == "TestEllipsis" }
        for row in rows {
            let source = row["case"]?["source"]?.string ?? ""
            #expect(source.ellipsis(row["case"]?["width"]?.int ?? 0) == row["case"]?["expected"]?.string)
        }
    }
}

struct ListingTests {
    static func row(_ pairs: KeyValuePairs<String, String>) -> JSONDocument {
        .object(pairs.map { .init($0.key, .string($0.value)) })
    }

    static let containers = Listing(
        columns: [
            .init("ID", "CONTAINER ID"), .init("Image", "IMAGE"), .init("Command", "COMMAND"),
            .init("RunningFor", "CREATED"), .init("Status", "STATUS"), .init("Ports", "PORTS"), .init("Names", "NAMES"),
            .init("Size", "SIZE", isShown: false), .init("Labels", "LABELS", isShown: false),
        ],
        rows: ["foobar_baz", "foobar_bar"].enumerated().map { index, name in
            row([
                "ID": "containerID\(index + 1)", "Image": "ubuntu", "Command": "\"\"", "RunningFor": "24 hours ago",
                "Status": "", "Ports": "", "Names": name, "Size": "0B", "Labels": "a.b=c,d=e",
            ])
        },
        quietKey: "ID", rawLines: [("container_id", "ID"), ("image", "Image"), ("status", "Status")],
        goType: "*formatter.ContainerContext")

    @Test(
        arguments: [
            (
                nil, false,
                "CONTAINER ID   IMAGE     COMMAND   CREATED        STATUS    PORTS     NAMES\ncontainerID1   ubuntu    \"\"        24 hours ago                       foobar_baz\ncontainerID2   ubuntu    \"\"        24 hours ago                       foobar_bar\n"
            ),
            ("table", true, "containerID1\ncontainerID2\n"),
            ("table {{.Image}}", true, "IMAGE\nubuntu\nubuntu\n"),
            ("table {{.Image}}\\t{{.Size}}", false, "IMAGE     SIZE\nubuntu    0B\nubuntu    0B\n"),
            ("{{.Image}} {{.Label \"a.b\"}}", false, "ubuntu c\nubuntu c\n"),
            (
                "table {{.Label \"com.x.swarm-node_id\"}}\\t{{.ID}}", false,
                "swarm node id   CONTAINER ID\n                containerID1\n                containerID2\n"
            ),
            ("raw", true, "container_id: containerID1\ncontainer_id: containerID2\n"),
            (
                "raw", false,
                "container_id: containerID1\nimage: ubuntu\nstatus:\n\ncontainer_id: containerID2\nimage: ubuntu\nstatus:\n\n"
            ),
            (
                "table {{truncate .ID 5}}\\t{{json .Image}} {{.RunningFor}}/{{title .Status}}/{{pad .Ports 2 2}}.{{upper .Names}} {{lower .Status}}",
                false,
                "CONTAINER ID   IMAGE CREATED/STATUS/  PORTS  .NAMES STATUS\nconta          \"ubuntu\" 24 hours ago//.FOOBAR_BAZ\nconta          \"ubuntu\" 24 hours ago//.FOOBAR_BAR\n"
            ),
        ] as [(String?, Bool, String)])
    func containers(format: String?, quiet: Bool, expected: String) throws {
        #expect(try Self.containers.text(format: Listing.Format(format), quiet: quiet) == expected)
    }

    @Test
    func json() throws {
        let first = try Self.containers.text(format: .json).split(separator: "\n").first
        #expect(
            first == """
                {"Command":"\\"\\"","ID":"containerID1","Image":"ubuntu","Labels":"a.b=c,d=e","Names":"foobar_baz",\
                "Ports":"","RunningFor":"24 hours ago","Size":"0B","Status":""}
                """)
    }

    @Test(arguments: [
        ("{{InvalidFunction}}", "template parsing error: template: :1: function \"InvalidFunction\" not defined"),
        ("{{nil}}", "template parsing error: template: :1:2: executing \"\" at <nil>: nil is not a command"),
        (
            "{{.Nope}}",
            "template parsing error: template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope in type *formatter.ContainerContext"
        ),
    ])
    func errors(format: String, expected: String) {
        let error = #expect(throws: ShaleError.self) { try Self.containers.text(format: .template(format)) }
        #expect(error?.description == expected)
    }

    @Test
    func hostileCellsStayInTheirLine() throws {
        let listing = Listing(
            columns: [.init("Name", "NAME")], rows: [Self.row(["Name": "a\nb\u{1b}]0;x\u{7}"])], quietKey: "Name")
        for (format, quiet) in [(nil, false), (nil, true), ("{{.Name}}", false), ("raw", false)] as [(String?, Bool)] {
            #expect(!(try listing.text(format: Listing.Format(format), quiet: quiet)).contains("\u{1b}"))
        }
    }

    /// Cases whose rows are given in the corpus, or are simple enough to say here.
    @Test(.enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
    func corpus() throws {
        let cases = try Corpus.rows("docker-cli/formatter-cases.json")
        var passed = 0
        var failures: [String] = []
        for row in cases {
            guard let test = row["test"]?.string, let listing = Self.listing(for: test, row["data"]?.array ?? []),
                let (format, quiet) = Self.format(row["case"]), let expected = Self.expected(row["case"])
            else { continue }
            var text = ""
            do { text = try listing.text(format: Listing.Format(format), quiet: quiet) } catch { text = "\(error)" }
            if text == expected { passed += 1 } else { failures.append(row["id"]?.string ?? "") }
        }
        Corpus.score("formatter-cases", passed, of: passed + failures.count)
        #expect(failures.isEmpty)
        #expect(passed >= 21)
    }

    private static func expected(_ test: JSONValue?) -> String? {
        test?["expected"]?.string ?? test?["expectedErr"]?.string
    }

    /// The `--format` of a case, and whether it is quiet; `nil` for arguments this cannot stand for.
    private static func format(_ test: JSONValue?) -> (String, Bool)? {
        let context = test?["context"]?["Context"] ?? test?["context"]
        let value = context?["Format"] ?? test?["format"]
        if let text = value?.string { return (text, false) }
        guard let arguments = value?["args"]?.array, let text = arguments.first?.string else { return nil }
        if arguments.count == 3, arguments[2].bool == true, text != "table {{.Image}}", !text.contains(".Size") {
            return nil  // --digests and --size add columns: the command's affair
        }
        return (text, arguments.count > 1 ? arguments[1].bool ?? false : false)
    }

    private static func listing(for test: String, _ data: [JSONValue]) -> Listing? {
        func value(_ row: JSONValue, _ key: String) -> String {
            row[key]?.string ?? row[key]?.int.map(String.init) ?? ""
        }
        switch test {
        case "TestVolumeContextWrite":
            return Listing(
                columns: [.init("Driver", "DRIVER"), .init("Name", "VOLUME NAME")],
                rows: data.map { row(["Name": value($0, "Name"), "Driver": value($0, "Driver")]) }, quietKey: "Name",
                rawLines: [("name", "Name"), ("driver", "Driver")])
        case "TestDiffContextFormatWrite":
            let kinds = ["Modify": "C", "Add": "A", "Delete": "D"]
            return Listing(
                columns: [.init("Type", "CHANGE TYPE"), .init("Path", "PATH")],
                rows: data.map {
                    let kind = value($0, "Kind").replacing("container.Change", with: "")
                    return row(["Type": kinds[kind] ?? "?", "Path": value($0, "Path")])
                })
        case "TestSearchContextWrite":
            return Listing(
                columns: [.init("Name", "NAME"), .init("StarCount", "STARS")],
                rows: data.map { row(["Name": value($0, "Name"), "StarCount": value($0, "StarCount")]) })
        case "TestContainerContextWrite", "TestContainerContextWriteWithNoContainers":
            var listing = containers
            if data.isEmpty { listing.rows = [] }
            return listing
        case "TestImageContextWrite", "TestImageContextWriteWithNoImage":
            let digest = "sha256:cbbf2f9a99b47fc460d422812b6a5adff7dfee951d8fa2e4a98caa0382cfbdbf"
            let rows = [
                ("image", digest, "imageID1"), ("image", "<none>", "imageID2"), ("<none>", "<none>", "imageID3"),
            ]
            return Listing(
                columns: [.init("Repository", "REPOSITORY"), .init("Digest", "DIGEST"), .init("ID", "IMAGE ID")],
                rows: data.isEmpty ? [] : rows.map { row(["Repository": $0.0, "Digest": $0.1, "ID": $0.2]) },
                quietKey: "ID", rawLines: [("image_id", "ID")])
        default: return nil
        }
    }
}
