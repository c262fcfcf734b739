import ArgumentParser
import Console
import Orthanc

/// Command that lists the instances that could not be scored, and has them tried again.
struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Lists the instances that could not be scored, or has them tried again."
    )

    @Option(
        help: ArgumentHelp("Folder with the state of the sidecar, which may be running.", valueName: "folder"),
        completion: .directory
    )
    var state: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Ids of instances that are tried again, or all.", valueName: "id")
    )
    var requeue: [String] = []

    func run() throws {
        let directory = try StateDirectory(state, isWriter: false)
        let letters = try directory.deadLetters()
        guard !requeue.isEmpty else {
            for letter in letters {
                let text = "\(letter.instance)  \(letter.time)  \(letter.attempts) attempts  \(letter.reason)\n"
                try StandardStream.output.write(text)
            }
            return
        }
        let chosen = requeue == ["all"] ? letters.map(\.instance) : requeue
        var isMissing = false
        for instance in chosen where try !directory.requeue(instance) {
            Messages.error("\(instance) is not a dead letter")
            isMissing = true
        }
        if isMissing { throw ExitCode.failure }
    }
}
