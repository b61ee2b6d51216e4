/// The commands in the groups and the order that `help` shows; this is the only list of them.
enum CommandGroups {
    static let all: [CommandTable.Group] = [
        .init(title: "Fetch and share images", verbs: registries),
        .init(title: "Keep, change and remove images", verbs: images),
        .init(title: "Run programs in containers", verbs: containers),
        .init(title: "Look inside images and containers", verbs: lookingInside),
        .init(title: "Build from a Dockerfile", verbs: [Build.self, Context.self, WhyCache.self, Dap.self]),
        .init(
            title: "Work step by step, back and forth",
            verbs: [
                Enter.self, Steps.self, Undo.self, Redo.self, Timeline.self, Reflog.self, RecipeCommand.self,
                Record.self,
                Replay.self,
                Goto.self, Edit.self, Drop.self, Move.self, Fork.self,
                SessionCommand.self,
            ]),
        .init(title: "Learn and teach", verbs: [LessonCommand.self, Explain.self, TestCommand.self, Expect.self]),
        .init(
            title: "Set up shale, and ask it",
            verbs: [
                Help.self, SetCommand.self, Unset.self, Alias.self, Source.self, Cd.self, Pwd.self, Info.self,
                Doctor.self, Trace.self, Time.self, Watch.self, Events.self,
                System.self, Version.self, Clear.self, Tall.self, CompletionsCommand.self, CompleteCommand.self,
                Manual.self,
                Quit.self,
            ]),
    ]

    private static let registries: [any Verb.Type] = [
        Ref.self, Search.self, Tags.self, Pull.self, Push.self, CopyImage.self, DeleteRemote.self, ManifestCommand.self,
        Platforms.self, ReferrersCommand.self, RateLimitCommand.self, Login.self, Logout.self,
    ]
    private static let images: [any Verb.Type] = [
        Images.self, Tag.self, Untag.self, Rmi.self, HistoryCommand.self, Inspect.self, Save.self, Load.self,
        Import.self, Export.self, Squash.self, ConfigCommand.self, Rebase.self, Append.self, Prune.self, Df.self,
    ]
    private static let containers: [any Verb.Type] = [
        Run.self, Create.self, Start.self, Stop.self, Kill.self, Restart.self, Pause.self, Unpause.self, Rm.self,
        Rename.self, Update.self, Wait.self, Ps.self, Logs.self, Attach.self, Exec.self, Top.self, Stats.self,
        Port.self,
        Copy.self, Diff.self, Commit.self, Debug.self, VolumeCommand.self,
    ]
    private static let lookingInside: [any Verb.Type] = [
        LayersCommand.self, Ls.self, Cat.self, Tree.self, Find.self, Stat.self, Du.self, Grep.self, BlameCommand.self,
        Waste.self, Size.self, Packages.self, Base.self, Compare.self,
        DockerfileCommand.self,
    ]
}
