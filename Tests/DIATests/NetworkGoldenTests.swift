import DIA
import ModelFile
import Neural
import TestSupport
import Testing

/// Compares both networks with the reference implementation: outputs, loss, and the gradient of every weight.
@Suite struct NetworkGoldenTests {
    private func parameters(_ graph: Graph, _ golden: Safetensors) throws -> Parameters {
        var parameters = Parameters(layout: graph.parameters)
        for parameter in graph.parameters {
            parameters[parameter.name] = try golden.floats("weights.\(parameter.name)", shape: parameter.shape)
        }
        let expected = Set(golden.names.filter { $0.hasPrefix("weights.") }.map { String($0.dropFirst(8)) })
        #expect(Set(graph.parameters.map(\.name)) == expected)
        return parameters
    }

    private func expectGradients(_ gradient: [Float], _ graph: Graph, _ golden: Safetensors) throws {
        for parameter in graph.parameters where parameter.isTrainable {
            let actual = Array(gradient[parameter.range])
            let expected = try golden.floats("grads.\(parameter.name)", shape: parameter.shape)
            // With one channel per group the norm removes the mean, so the bias before it has no effect: its
            // gradient is zero up to rounding and is compared relative to the gradient of the weights.
            if parameter.name.hasSuffix("proj.bias"), parameter.count == 8 {
                let weights = try golden.floats("grads.\(parameter.name.dropLast(4))weight")
                let scale = weights.reduce(0) { max($0, abs($1)) }
                let largest = (actual + expected).reduce(0) { max($0, abs($1)) }
                #expect(largest < Tolerance.gradient * scale, "gradient of \(parameter.name)")
            } else {
                let error = relativeError(actual, expected)
                #expect(error < Tolerance.gradient, "gradient of \(parameter.name)")
            }
        }
    }

    @Test(
        "The U-Net's output, its loss and the gradient of every weight match the reference",
        arguments: [
            ("unet-gray", UNet(dim: 8, multipliers: [1, 2, 4], channels: 1, resolution: 32)),
            ("unet-rgb", UNet(dim: 8, multipliers: [1, 2], channels: 3, resolution: 32)),
            ("unet-gray-64", UNet(dim: 8, multipliers: [1, 2], channels: 1, resolution: 64)),
        ],
        [1, 2, 3, 8]
    )
    func unet(_ golden: (name: String, network: UNet), threads: Int) throws {
        let file = try Golden.load(golden.name)
        let network = golden.network
        let shape = [2, network.channels, network.resolution, network.resolution]
        let graph = network.graph()
        var parameters = try parameters(graph, file)
        let image = channelsLast(try file.floats("x", shape: shape), shape)
        let steps = try file.doubles("t").map { Int($0) }
        let inputs = [image, steps.flatMap { network.timeEmbedding($0) }]
        let expected = channelsLast(try file.floats("eps", shape: shape), shape)
        let workers = ThreadPool(count: threads)

        let inference = InferencePlan(graph, parameters: parameters, chunk: 3, workers: workers)
        #expect(relativeError(inference.run(inputs, batch: 2)[0], expected) < Tolerance.forward)

        let training = TrainingPlan(graph, batch: 2, workers: workers)
        let output = training.forward(inputs, parameters: &parameters)[0]
        #expect(relativeError(output, expected) < Tolerance.forward)

        let noise = channelsLast(try file.floats("noise", shape: shape), shape)
        let (loss, slope) = L1Loss.loss(output, target: noise)
        #expect(relativeError([loss], try file.floats("loss")) < Tolerance.forward)
        var gradient = [Float](repeating: 0, count: parameters.values.count)
        training.backward([slope], parameters: parameters, accumulating: &gradient)
        try expectGradients(gradient, graph, file)
    }

    @Test(
        "The encoder's outputs in both modes, its gradients and its updated running statistics match the reference",
        arguments: [
            (
                "encoder-cifar",
                ResNet18(stem: .cifar, width: 4, channels: 1, height: 28, columns: 28, projection: 32)
            ),
            (
                "encoder-imagenet",
                ResNet18(stem: .imagenet, width: 4, channels: 3, height: 96, columns: 96, projection: 32)
            ),
        ],
        [1, 2, 3, 8]
    )
    func encoder(_ golden: (name: String, network: ResNet18), threads: Int) throws {
        let file = try Golden.load(golden.name)
        let network = golden.network
        let shape = [4, network.channels, network.height, network.columns]
        let graph = network.graph()
        var parameters = try parameters(graph, file)
        let image = channelsLast(try file.floats("x", shape: shape), shape)
        let workers = ThreadPool(count: threads)
        let names = ["penultimate", "simclr", "shift"]

        let inference = InferencePlan(graph, parameters: parameters, chunk: 2, workers: workers)
        for (name, output) in zip(names, inference.run([image], batch: 4)) {
            #expect(relativeError(output, try file.floats("eval.\(name)")) < Tolerance.forward, "eval.\(name)")
        }

        let training = TrainingPlan(graph, batch: 4, workers: workers)
        for (name, output) in zip(names, training.forward([image], parameters: &parameters)) {
            #expect(relativeError(output, try file.floats("train.\(name)")) < Tolerance.forward, "train.\(name)")
        }
        for parameter in graph.parameters where !parameter.isTrainable {
            let expected = try file.floats("after.\(parameter.name)", shape: parameter.shape)
            #expect(relativeError(Array(parameters.values[parameter.range]), expected) < Tolerance.forward)
        }
        // The reference's loss is Σ a · simclr + Σ b · shift.
        let slopes = [nil, try file.floats("a"), try file.floats("b")]
        var gradient = [Float](repeating: 0, count: parameters.values.count)
        training.backward(slopes, parameters: parameters, accumulating: &gradient)
        try expectGradients(gradient, graph, file)
    }
}
