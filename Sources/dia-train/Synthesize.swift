import ArgumentParser
import Console
import Training

struct Synthesize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a labeled data set of procedural phantoms, with and without small lesions."
    )

    @Option(help: "The output folder.")
    var out: String

    @Option(help: "The side of an image in pixels.")
    var side: Int = 32

    @Option(help: "The number of normal images for training.")
    var train: Int = 600

    @Option(help: "The number of normal images, and of images with a lesion, for validation.")
    var validation: Int = 100

    @Option(help: "The number of normal images, and of images with a lesion, for the test.")
    var test: Int = 200

    @Option(help: "The random seed.")
    var seed: UInt64 = 0

    func validate() throws {
        guard (8...2048).contains(side) else { throw ValidationError("--side must be from 8 to 2048") }
        guard [train, validation, test].allSatisfy({ (0...1_000_000).contains($0) }) else {
            throw ValidationError("--train, --validation and --test must be from 0 to 1,000,000")
        }
    }

    func run() throws {
        let counts = Phantom.Counts(train: train, validation: validation, test: test)
        try Phantom(side: side).writeDataSet(to: out, counts, seed: seed)
        try StandardStream.output.write("\(train + 2 * validation + 2 * test) images in \(out)\n")
    }
}
