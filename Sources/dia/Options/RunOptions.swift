import ArgumentParser
import Client

/// The options of commands that process many images.
struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Number of requests at the same time, 1 to 256; by default twice the server's batch, at most a quarter of its queue.",
            valueName: "count"
        )
    )
    var concurrency: Int?

    @Flag(help: "No progress and no summary on standard error.")
    var quiet = false

    func validate() throws {
        if let concurrency, !(1...256).contains(concurrency) {
            throw ValidationError("--concurrency must be from 1 to 256")
        }
    }
}
