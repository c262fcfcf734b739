import ArgumentParser
import DIA
import Foundation
import Kernels
import ModelFile
import Neural

/// One side of a benchmark: prepares a network, then runs it once for each line on standard input and
/// prints the milliseconds (after a line with the operations of its products), so that another program can let its
/// peers run in turn.
@main
struct DiaBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-bench",
        abstract: "One side of the benchmarks.",
        subcommands: [Time.self, Views.self],
        defaultSubcommand: Time.self
    )
}

/// Prints the crops under which a model scores, for a peer that scores the same.
struct Views: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints a model's crops: top, left, height, width.")

    @Option(help: "The model directory.")
    var model: String

    func run() throws {
        let score = try ModelDirectory(path: model).manifest.score
        let family = ViewFamily(
            shift: .rotation,
            views: score.views,
            cropScale: score.cropScale,
            seed: score.seed
        )
        for crop in family.crops { print(crop.top, crop.left, crop.height, crop.width) }
    }
}

struct Time: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs one network of a model directory once for each line read, and prints the milliseconds."
    )

    enum Network: String, ExpressibleByArgument {
        case unet, encoder
    }

    @Option(help: "The model directory.")
    var model: String

    @Option(help: "Which of its networks.")
    var network: Network

    @Option(help: "The images of a run.")
    var batch: Int

    @Flag(help: "Training steps, instead of forward passes.")
    var training = false

    @Option(help: "The inputs, raw little-endian float32: images [batch, height, width, channels].")
    var input: String

    @Option(help: "Where the first run's outputs go, raw float32 one behind the other.")
    var output: String?

    @Option(help: "Images that go through the network at once, for forward passes; by default the plan's own choice.")
    var chunk: Int?

    @Flag(help: "Prints how often a run asks for memory and the bytes, instead of milliseconds; see allocations.py.")
    var allocations = false

    @Option(help: "Threads.")
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...4096).contains(batch) else { throw ValidationError("--batch must be from 1 to 4096") }
        guard chunk.map({ (1...4096).contains($0) }) ?? true else {
            throw ValidationError("--chunk must be from 1 to 4096")
        }
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
    }

    func run() throws {
        try Processor.requireSupported()
        let directory = try ModelDirectory(path: model)
        let workers = ThreadPool(count: threads)
        let work = try Workload(self, directory, workers)
        let first = work.run()
        if let output { try first.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: output)) } }
        say("ready \(work.operations)")
        let counter = try allocations ? AllocationCounter() : nil
        while readLine() != nil {
            let start = ContinuousClock.now
            let before = counter?.read()
            work.repeat()
            if let before, let after = counter?.read() {
                say("\(after.requests - before.requests) \(after.bytes - before.bytes)")
            } else {
                say("\((ContinuousClock.now - start) / .milliseconds(1))")
            }
        }
    }

    /// Prints a line at once: the other side waits for it.
    private func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    /// The images of the input file, which must hold `count` numbers.
    func images(count: Int) throws -> [Float] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: input))
        guard bytes.count == 4 * count else {
            throw ValidationError("\(input) holds \(bytes.count) bytes, \(4 * count) are needed")
        }
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { Float(bitPattern: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
        }
    }
}
