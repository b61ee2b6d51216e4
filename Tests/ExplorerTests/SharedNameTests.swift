import Testing

@testable import Explorer

@Suite struct SharedNameTests {
    @Test(
        arguments: [
            (["/bin/mkdosfs", "/bin/[", "/bin/busybox"], "/bin/busybox"),
            (["/usr/lib/git-core/git-add", "/usr/bin/git", "/usr/lib/git-core/git"], "/usr/bin/git"),
            (["/usr/bin/perl5.36.0", "/usr/bin/perl"], "/usr/bin/perl"), (["/b", "/a"], "/a"), (["/x"], "/x"),
            (["/bin/[", "/bin/[["], "/bin/["),
        ] as [([String], String)])
    func aFileIsCalledByTheNamePeopleKnow(_ names: [String], _ expected: String) {
        #expect(SharedName.best(names) == expected)
        #expect(SharedName.best(names.reversed()) == expected)
    }

    @Test func nothingHasNoName() { #expect(SharedName.best([]) == nil) }
}
