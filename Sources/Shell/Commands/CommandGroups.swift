/// The commands in the groups and the order that `help` shows; a new command is named here and nowhere else.
enum CommandGroups {
    static let all: [CommandTable.Group] = [
        .init(title: "Registries", verbs: registries),
        .init(title: "Images", verbs: images),
        .init(title: "Containers", verbs: containers),
        .init(title: "Building", verbs: [Build.self, Context.self]),
        .init(title: "The working image and the session", verbs: [Steps.self, Undo.self, Redo.self, Timeline.self]),
        .init(title: "The shell", verbs: [Help.self, Set.self, Alias.self, Source.self, Version.self]),
    ]

    private static let registries: [any Verb.Type] = []
    private static let images: [any Verb.Type] = []
    private static let containers: [any Verb.Type] = []
}
