import ArgumentParser
import Basics

/// The manual page `shale`, and every page there is.
enum ShaleManual {
    /// The file names of all pages, and what they hold.
    static func pages(date: Timestamp) -> [(file: String, text: String)] {
        var pages = [(file: "shale.1", text: overview(date: date))]
        for type in CommandTable.shared.verbs where type.configuration.shouldDisplay {
            for command in [type] + type.subcommands {
                pages.append(
                    (file: "\(VerbManual.name(of: command)).1", text: VerbManual.page(of: command, date: date)))
            }
        }
        return pages
    }

    /// The page `shale`: what the program's own lists say, between the texts of `Resources/shale.txt`.
    static func overview(date: Timestamp) -> String {
        var page = ManualPage("shale", date: date)
        var paragraph: [Substring] = []
        func end(_ page: inout ManualPage) {
            page.prose(paragraph.joined(separator: "\n"))
            paragraph = []
        }
        let text = String(decoding: PackageResources.shale_txt, as: UTF8.self)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("# ") {
                end(&page)
                page.section(String(line.dropFirst(2)))
            } else if line.hasPrefix("- "), let colon = line.firstRange(of: ": ") {
                end(&page)
                page.item(
                    String(line[..<colon.lowerBound].dropFirst(2)), String(line[colon.upperBound...]))
            } else if line.hasPrefix("{{"), line.hasSuffix("}}") {
                end(&page)
                addList(String(line.dropFirst(2).dropLast(2)), to: &page)
            } else {
                paragraph.append(line)
            }
        }
        end(&page)
        return page.text
    }

    /// One of the lists that the program has of itself.
    private static func addList(_ name: String, to page: inout ManualPage) {
        switch name {
        case "forms": page.lines(GlobalOption.forms)
        case "options":
            for option in GlobalOption.all { page.item(option.typed, VerbManual.sentence(option.meaning)) }
        case "commands":
            for group in CommandTable.shared.groups {
                page.subsection(group.title)
                for type in group.verbs where type.configuration.shouldDisplay {
                    page.item(type.verb, VerbManual.sentence(type.configuration.abstract))
                }
            }
        case "language": page.block(HelpText.language.split(separator: "\n").dropFirst().map(String.init))
        case "settings":
            for setting in Setting.all { page.item(setting.usage, VerbManual.sentence(setting.meaning)) }
        default: page.prose("{{\(name)}}")
        }
    }
}
