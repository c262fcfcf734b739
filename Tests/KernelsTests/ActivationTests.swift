import Foundation
import Kernels
import Testing

/// Compares the vectorized formulas with the library functions.
@Suite struct ActivationTests {
    @Test("Activations and their slopes are accurate to single precision", arguments: [Activation.relu, .silu, .gelu])
    func values(_ activation: Activation) {
        // Not a multiple of the vector width.
        let x = (0..<1003).map { (Float($0) - 501) / 25 }
        let input = FloatBuffer(x)
        let output = FloatBuffer(count: x.count)
        let slope = FloatBuffer(count: x.count)
        let ones = FloatBuffer(Array(repeating: 1, count: x.count))
        let workers = ThreadPool(count: 2)
        activation.forward(input.pointer, count: x.count, output: output.pointer, workers)
        activation.backward(
            input.pointer,
            outputGradient: ones.pointer,
            count: x.count,
            inputGradient: slope.pointer,
            accumulate: false,
            workers
        )
        func value(_ x: Double) -> Double {
            switch activation {
            case .relu: max(0, x)
            case .silu: x / (1 + exp(-x))
            case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
            }
        }
        for (index, x) in x.enumerated() {
            let x = Double(x)
            #expect(abs(Double(output.pointer[index]) - value(x)) < 2e-6 * max(1, abs(x)))
            guard activation != .relu || abs(x) > 1e-3 else { continue }
            let difference = (value(x + 1e-5) - value(x - 1e-5)) / 2e-5
            #expect(abs(Double(slope.pointer[index]) - difference) < 1e-5)
        }
    }

    @Test("Large arguments saturate instead of overflowing")
    func extremes() {
        let input = FloatBuffer([-1e30, -200, 200, 1e30])
        let output = FloatBuffer(count: 4)
        Activation.silu.forward(input.pointer, count: 4, output: output.pointer, ThreadPool(count: 1))
        #expect(output.array.allSatisfy { $0.isFinite })
        #expect(output.array[2] == 200 && abs(output.array[1]) < 1e-30)
    }
}
