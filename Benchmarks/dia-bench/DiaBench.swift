import ArgumentParser
import DIA
import Foundation
import Kernels
import ModelFile
import Neural

/// The engine's side of a benchmark.
///
/// Prepares a network and prints a line with the number of operations of its products. Then runs the network once for
/// each line on standard input and prints the milliseconds, so that another program can alternate between this
/// process and its peers.
@main
struct DiaBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-bench",
        abstract: "Runs the engine's side of the benchmarks.",
        subcommands: [Time.self, Views.self],
        defaultSubcommand: Time.self
    )
}

/// Prints the crops with which a model scores, for a peer that uses the same crops.
struct Views: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the crops of a model: top, left, height, width.")

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
        abstract: "Runs a network of a model directory once per input line and prints the milliseconds."
    )

    enum Network: String, ExpressibleByArgument {
        case unet, encoder
    }

    @Option(help: "The model directory.")
    var model: String

    @Option(help: "The network to run.")
    var network: Network

    @Option(help: "The number of images per run.")
    var batch: Int

    @Flag(help: "Run training steps instead of forward passes.")
    var training = false

    @Option(help: "The input file with raw little-endian float32: images [batch, height, width, channels].")
    var input: String

    @Option(help: "The file for the outputs of the first run, concatenated raw float32.")
    var output: String?

    @Option(help: "Images per chunk in forward passes (default: chosen by the plan).")
    var chunk: Int?

    @Flag(help: "Print the number of allocations and bytes per run instead of milliseconds; see allocations.py.")
    var allocations = false

    @Option(help: "The number of threads.")
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

    /// Prints a line without buffering, because the other process waits for it.
    private func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    /// Reads the images from the input file, which must contain `count` numbers.
    func images(count: Int) throws -> [Float] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: input))
        guard bytes.count == 4 * count else {
            throw ValidationError("\(input) has \(bytes.count) bytes, expected \(4 * count)")
        }
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { Float(bitPattern: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
        }
    }
}
