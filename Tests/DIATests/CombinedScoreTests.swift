import DIA
import Foundation
import ModelFile
import Neural
import Testing

/// Scores other than CSI, compared with direct implementations of their definitions.
@Suite struct CombinedScoreTests {
    private static let network = ResNet18(stem: .cifar, width: 1, channels: 1, height: 8, columns: 8, projection: 3)

    /// Random score inputs, normally distributed around `center`.
    private func scoreInputs(_ count: Int, seed: UInt64, center: Float = 1) -> [ScoreInputs] {
        var generator = SplitMix64(seed: seed)
        func draw(_ count: Int) -> [Float] { Normal.array(count: count, using: &generator).map { $0 * 0.3 + center } }
        return (0..<count).map { _ in
            let stages = Self.network.stageFeatures.map { draw(4 * $0)[...] }
            let features = EncoderFeatures(
                projections: draw(12)[...],
                shiftScores: draw(16)[...],
                stages: stages,
                shifts: 4,
                views: 1
            )
            // Anomalies have small residuals and large peaks.
            let change = ScoreInputs.Change(
                residual: Double(draw(1)[0]),
                peak: -Double(draw(1)[0]),
                stages: Self.network.stageFeatures.map { draw(4 * $0) }
            )
            return ScoreInputs(features: features, changes: [20: change, 100: change])
        }
    }

    private func parts(_ names: [String]) throws -> [ScoreComponent] {
        try names.map { try #require(ScoreComponent($0, timesteps: 1000)) }
    }

    @Test("Neighbors: -log of the distance between unit vectors, standardized by leave-one-out training scores")
    func neighbors() throws {
        let training = scoreInputs(7, seed: 1)
        let bank = try ScoreBank(training: training, parts: parts(["neighbors.2"]))
        func unit(_ image: ScoreInputs) -> [Double] {
            let vector = image.features.stages[1].map { Double($0) }
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return vector.map { $0 / norm }
        }
        func negativeLogDistance(_ image: ScoreInputs, _ others: [ScoreInputs]) -> Double {
            let distances = others.map { other in
                zip(unit(image), unit(other)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            }
            return -log(distances.min() ?? 1)
        }
        let own = training.indices.map { index in
            negativeLogDistance(training[index], training.indices.filter { $0 != index }.map { training[$0] })
        }
        let mean = own.reduce(0, +) / 7
        let deviation = (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7).squareRoot()
        for image in scoreInputs(4, seed: 2) {
            let expected = (negativeLogDistance(image, training) - mean) / deviation
            #expect(abs(bank(image).normality - expected) < 1e-3)
        }
    }

    @Test("Density: -log of the Mahalanobis distance, with the covariance shrunk by 10%")
    func density() throws {
        // One feature per shift: four numbers per image.
        let training = scoreInputs(40, seed: 3)
        let bank = try ScoreBank(training: training, parts: parts(["density.1"]))
        let vectors = training.map { $0.features.stages[0].map { Double($0) } }
        let mean = (0..<4).map { index in vectors.reduce(0) { $0 + $1[index] } / 40 }
        var covariance = [[Double]](repeating: [0, 0, 0, 0], count: 4)
        for vector in vectors {
            for row in 0..<4 {
                for column in 0..<4 {
                    let product = (vector[row] - mean[row]) * (vector[column] - mean[column])
                    covariance[row][column] += 0.9 * product / 39
                }
            }
        }
        let variance = (0..<4).reduce(0) { $0 + covariance[$1][$1] / 0.9 } / 4
        for index in 0..<4 { covariance[index][index] += 0.1 * variance }
        /// The squared Mahalanobis norm, by Gaussian elimination.
        func squared(_ vector: [Double]) -> Double {
            var rows = covariance.enumerated().map { $0.element + [vector[$0.offset]] }
            for pivot in 0..<4 {
                for row in 0..<4 where row != pivot {
                    let factor = rows[row][pivot] / rows[pivot][pivot]
                    for column in 0..<5 { rows[row][column] -= factor * rows[pivot][column] }
                }
            }
            return (0..<4).reduce(0) { $0 + vector[$1] * rows[$1][4] / rows[$1][$1] }
        }
        func value(_ image: ScoreInputs) -> Double {
            -0.5 * log(squared(image.features.stages[0].enumerated().map { Double($0.element) - mean[$0.offset] }))
        }
        let own = training.map(value)
        let middle = own.reduce(0, +) / 40
        let deviation = (own.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / 40).squareRoot()
        for image in scoreInputs(5, seed: 4) {
            #expect(abs(bank(image).normality - (value(image) - middle) / deviation) < 1e-3)
        }
    }

    @Test("A density counts distances in the directions of the variation less, and others the same")
    func variation() throws {
        let training = scoreInputs(200, seed: 12)
        let parts = try parts(["density.1", "change.1.100"])
        // The copies differ from their originals only in the first feature, and in the second change.
        let copies = training.indices.map { index in
            var inputs = training[index]
            inputs.features.stages[0][0] += index % 2 == 0 ? 2 : -2
            inputs.changes[100]?.stages[0][1] += index % 2 == 0 ? 2 : -2
            return ScoreVariation.Copy(original: index, inputs: inputs)
        }
        let plain = try ScoreBank(training: training, parts: parts)
        let varied = try ScoreBank(training: training, variation: .init(weight: 3, copies: copies), parts: parts)
        func values(_ bank: ScoreBank, feature: Int) -> [Double] {
            var image = training[0]
            image.features.stages[0] = [1, 1, 1, 1]
            image.changes[100]?.stages[0] = [1, 1, 1, 1]
            image.features.stages[0][feature] += 3
            image.changes[100]?.stages[0][feature] += 3
            return bank(image).parts
        }
        // The parts are standardized, so a part's value is in deviations of the training images.
        #expect(values(plain, feature: 0)[0] < -2 && values(varied, feature: 0)[0] > -1)
        #expect(values(plain, feature: 1)[1] < -2 && values(varied, feature: 1)[1] > -1)
        #expect(values(varied, feature: 1)[0] < -2 && values(varied, feature: 0)[1] < -2)
    }

    @Test("A combined score is the mean of its parts and is lower for images from another distribution")
    func mean() throws {
        let parts = try parts(["csi", "neighbors.3", "density.2", "change.1.100", "residual.20", "peak.20"])
        let bank = try ScoreBank(training: scoreInputs(30, seed: 5), parts: parts)
        let (normal, other) = (
            scoreInputs(10, seed: 6).map { bank($0) }, scoreInputs(10, seed: 7, center: -1).map { bank($0) }
        )
        for result in normal + other {
            #expect(result.parts.count == 6)
            #expect(abs(result.parts.reduce(0, +) / 6 - result.normality) < 1e-9)
        }
        let lowest = try #require(normal.map(\.normality).min())
        #expect(other.allSatisfy { $0.normality < lowest })
    }

    @Test("A bank gives the same scores after it is saved and loaded")
    func stored() throws {
        let parts = try parts(["neighbors.1", "density.4", "change.2.100", "csi"])
        let bank = try ScoreBank(training: scoreInputs(20, seed: 8), parts: parts)
        let bytes = try SafetensorsEncoder.encode(bank.tensors, file: "bank")
        let file = try Safetensors(parsing: bytes, file: "bank")
        let again = try ScoreBank(file, network: Self.network, parts: parts)
        for image in scoreInputs(5, seed: 9) {
            #expect(abs(bank(image).normality - again(image).normality) < 1e-4)
        }
    }

    @Test(
        "A bank that lacks a required tensor is an error that names the tensor",
        arguments: [
            "neighbors.1", "density.4.mean", "density.4.whitening", "change.2.100.mean", "standard.mean",
            "standard.deviation",
        ]
    )
    func missing(_ name: String) throws {
        let parts = try parts(["neighbors.1", "density.4", "change.2.100"])
        let bank = try ScoreBank(training: scoreInputs(8, seed: 10), parts: parts)
        let bytes = try SafetensorsEncoder.encode(bank.tensors.filter { $0.name != name }, file: "bank")
        let file = try Safetensors(parsing: bytes, file: "bank")
        do {
            _ = try ScoreBank(file, network: Self.network, parts: parts)
            Issue.record("the incomplete bank was accepted")
        } catch {
            #expect("\(error)".contains(name), "\(error)")
        }
    }

    @Test("A density over identical training images is an error")
    func degenerate() throws {
        let one = scoreInputs(1, seed: 11)[0]
        let parts = try parts(["density.1"])
        #expect(throws: ModelFileError.self) { try ScoreBank(training: [one, one, one], parts: parts) }
    }

    @Test("Score components accept only their canonical names")
    func names() {
        for name in ["csi", "neighbors.1", "density.4", "change.3.100", "residual.0", "residual.999", "peak.7"] {
            #expect(ScoreComponent(name, timesteps: 1000)?.name == name)
        }
        for name in [
            "", ".", "csi.1", "neighbors", "neighbors.0", "neighbors.5", "density.01", "density.+1", "residual.1000",
            "residual.-1", "residual.99999999999999999999", "residual.1.2", "nearest.1", "change.3", "change.0.1",
            "change.1.1000", "change.1.1.1", "peak.1000",
        ] {
            #expect(ScoreComponent(name, timesteps: 1000) == nil, "\(name)")
        }
    }
}
