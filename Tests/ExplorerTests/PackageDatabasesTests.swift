import Testing

@testable import Explorer

struct PackageDatabasesTests {
    @Test func gems() {
        let text = """
            # -*- encoding: utf-8 -*-
            Gem::Specification.new do |s|
              s.name = "my-gem".freeze
              s.version = "1.2.0.pre"
              s.add_dependency(%q<rake>.freeze, [">= 0"])
            end
            """
        let gem = PackageDatabases.gem(text, path: "/g")
        #expect(gem == InstalledPackage(manager: .gem, name: "my-gem", version: "1.2.0.pre", path: "/g"))
        for odd in ["", "s.name = ", "s.name = \"a\"\n", "s.name = a\ns.version = b\n", "\u{0}"] {
            #expect(PackageDatabases.gem(odd, path: "/g") == nil, "\(odd)")
        }
        #expect(PackageDatabases.isGemSpecification("/var/lib/gems/3.1.0/specifications/rake-13.gemspec"))
        #expect(PackageDatabases.isGemSpecification("/usr/share/rubygems/specifications/default/bigdecimal-3.gemspec"))
        #expect(!PackageDatabases.isGemSpecification("/var/lib/gems/3.1.0/gems/rake-13/rake.gemspec"))
    }

    @Test func whatAPackageStandsFor() {
        let dpkg = PackageDatabases.dpkg(
            "Package: mawk\nStatus: install ok installed\nVersion: 1\nProvides: awk, other (= 2)\n", path: "/s",
            needsStatus: true)
        #expect(dpkg.first?.provides == ["awk", "other"])
        let apk = PackageDatabases.apk("P:curl\nV:8\np:cmd:curl=8 so:libx.so=1\n", path: "/i")
        #expect(apk.first?.provides == ["cmd:curl", "so:libx.so"])
    }
}
