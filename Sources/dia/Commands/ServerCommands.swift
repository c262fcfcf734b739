import ArgumentParser
import Client
import Console

/// Command that lists the models.
struct ModelsCommand: ParsableCommand {
    /// How the list is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    static let configuration = CommandConfiguration(commandName: "models", abstract: "Lists the models.")

    @OptionGroup(title: "Server options") var connection: ConnectionOptions

    @Option(help: ArgumentHelp("Format of the list; json is what the server sends.", valueName: "format"))
    var format: Format = .table

    func run() throws {
        let (models, json) = try connection.client().models()
        switch format {
        case .json: try StandardStream.output.write(String(decoding: json, as: UTF8.self))
        case .table: try StandardStream.output.write(ModelTable.text(models))
        }
    }
}

/// Command that says whether a server is ready.
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Says whether the server is ready: the exit status is 0 if it is, otherwise 1."
    )

    @OptionGroup(title: "Server options") var connection: ConnectionOptions

    func run() throws {
        let text = try connection.client(repeats: false).health()
        try StandardStream.output.write("\(text)\n")
    }
}
