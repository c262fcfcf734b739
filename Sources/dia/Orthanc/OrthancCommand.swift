import ArgumentParser

/// Command that scores what arrives in Orthanc, and its companions.
struct OrthancCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orthanc",
        abstract: "Scores each new image in Orthanc and writes the result to its study.",
        subcommands: [SidecarCommand.self, CheckRulesCommand.self, DeadLettersCommand.self],
        defaultSubcommand: SidecarCommand.self
    )
}
