import DIA
import Imaging
import ModelFile
import TestSupport
import Testing

/// Compares the method's formulas with the reference implementation.
@Suite struct MethodGoldenTests {
    @Test("The schedule and the dissolving step match the reference", arguments: [NoiseSchedule.Kind.cosine, .linear])
    func schedule(_ kind: NoiseSchedule.Kind) throws {
        let file = try Golden.load("schedule-\(kind.rawValue)")
        let schedule = NoiseSchedule(kind, timesteps: 1000)
        func expectClose(_ actual: [Double], _ name: String) throws {
            let expected = try file.doubles(name)
            #expect(actual.count == expected.count)
            for (a, e) in zip(actual, expected) { #expect(abs(a - e) <= 1e-12 + 1e-9 * abs(e)) }
        }
        try expectClose(schedule.betas, "betas")
        try expectClose(schedule.alphasCumulative, "alphas_cumprod")
        let (x, noise) = (try file.floats("x"), try file.floats("eps"))
        for t in [0, 50, 100, 200, 400, 999] {
            let dissolved = schedule.dissolve(x[...], predictedNoise: noise[...], at: t)
            #expect(relativeError(dissolved, try file.floats("dissolved.\(t)")) < 1e-5, "t = \(t)")
        }
    }

    @Test("Dissolving with the added noise undoes diffusion")
    func diffusion() {
        let schedule = NoiseSchedule(.cosine, timesteps: 1000)
        let (x, noise): ([Float], [Float]) = ([0.3, -0.7], [0.5, -1])
        let mixed = schedule.diffuse(x[...], noise: noise[...], at: 300)
        #expect(relativeError(schedule.dissolve(mixed[...], predictedNoise: noise[...], at: 300), x) < 1e-5)
    }

    @Test("Shifts match the reference", arguments: [Shift.rotation, .cutperm], 0..<4)
    func shifts(_ shift: Shift, k: Int) throws {
        let file = try Golden.load("shifts")
        let x = try file.floats("x", shape: [2, 1, 6, 6])
        let expected = try file.floats("\(shift.rawValue).\(k)", shape: [2, 1, 6, 6])
        for index in 0..<2 {
            let range = index * 36..<(index + 1) * 36
            let image = Image(height: 6, width: 6, channels: 1, samples: Array(x[range]))
            #expect(shift(image, k).samples == Array(expected[range]))
        }
    }

    @Test("The bank's axes, its weights and the normality match the reference")
    func score() throws {
        let file = try Golden.load("score-csi")
        func features(_ part: String, _ count: Int) throws -> [EncoderFeatures] {
            let projections = try file.floats("\(part).simclr", shape: [count, 4, 5, 16])
            let shifts = try file.floats("\(part).shift", shape: [count, 4, 5, 4])
            return (0..<count).map {
                EncoderFeatures(
                    projections: projections[$0 * 320..<($0 + 1) * 320],
                    shiftScores: shifts[$0 * 80..<($0 + 1) * 80],
                    shifts: 4,
                    views: 5
                )
            }
        }
        let score = CSIScore(training: try features("train", 30))
        let axis = try file.floats("axis", shape: [30, 4, 16])
        for k in 0..<4 {
            let expected = (0..<30).flatMap { entry -> ArraySlice<Float> in
                let start = (entry * 4 + k) * 16
                return axis[start..<start + 16]
            }
            #expect(relativeError(score.axes[k], expected) < 1e-5)
        }
        #expect(relativeError(score.similarityWeights, try file.floats("weight_sim")) < 1e-5)
        #expect(relativeError(score.shiftWeights, try file.floats("weight_shift")) < 1e-5)
        let normality = try features("test", 7).map { Float(score($0).normality) }
        #expect(relativeError(normality, try file.floats("normality", shape: [7])) < 1e-5)
    }
}
