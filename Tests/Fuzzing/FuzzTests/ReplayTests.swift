import Foundation
import FuzzTargets
import Testing

/// Replays fuzzing inputs: a corpus that reaches every known path, and inputs that once violated a rule.
@Suite struct ReplayTests {
    /// A stored input.
    struct Input: CustomTestStringConvertible, Sendable {
        let target: FuzzTarget
        let file: URL
        var testDescription: String { "\(target.rawValue)/\(file.lastPathComponent)" }
    }

    static func inputs(in folder: String) -> [Input] {
        FuzzTarget.allCases.flatMap { target in
            let place = Bundle.module.bundleURL.appendingPathComponent("\(folder)/\(target.rawValue)")
            let files = try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
            return (files ?? []).sorted { $0.path < $1.path }.map { Input(target: target, file: $0) }
        }
    }

    @Test("A stored input violates no rule", arguments: inputs(in: "Corpus") + inputs(in: "Findings"))
    func replay(_ input: Input) throws { input.target.run(try Array(Data(contentsOf: input.file))) }

    @Test("Every target has a corpus", arguments: FuzzTarget.allCases)
    func complete(_ target: FuzzTarget) {
        #expect(Self.inputs(in: "Corpus").contains { $0.target == target })
    }
}
