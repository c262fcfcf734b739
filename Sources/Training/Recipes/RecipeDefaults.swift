import DIA
import ModelFile
import Neural

// The values of recipe members that are not given. Only `name` and `input` have no default. The documentation of each
// member is in docs/training.md.

extension KeyedDecodingContainer {
    /// Decodes a member, or returns `value` if it is missing; null is an error.
    fileprivate func member<Value: Decodable>(_ key: Key, or value: Value) throws -> Value {
        contains(key) ? try decode(Value.self, forKey: key) : value
    }
}

extension Recipe {
    /// Decodes a recipe; missing members have their default values.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        name = try members.decode(String.self, forKey: .name)
        version = try members.member(.version, or: "1.0.0")
        description = try members.member(.description, or: "")
        intendedUse = try members.member(.intendedUse, or: "Research use only, not for diagnosis.")
        license = try members.member(.license, or: "unspecified")
        seed = try members.member(.seed, or: 0)
        input = try members.decode(Input.self, forKey: .input)
        if members.contains(.rendering) { rendering = try members.decode(Rendering.self, forKey: .rendering) }
        diffusion = try members.member(.diffusion, or: Diffusion())
        encoder = try members.member(.encoder, or: Encoder())
        score = try members.member(.score, or: Score())
        let side = max(input.height, input.width)
        func lacks<Key: CodingKey>(_ section: CodingKeys, _ key: Key) throws -> Bool {
            guard members.contains(section) else { return true }
            return try !members.nestedContainer(keyedBy: Key.self, forKey: section).contains(key)
        }
        if try lacks(.diffusion, Diffusion.CodingKeys.resolution), (1...512).contains(side) {
            diffusion.resolution = Self.resolution(side: side, levels: diffusion.dimMults.count)
        }
        if try lacks(.diffusion, Diffusion.CodingKeys.fit) {
            diffusion.fit = side <= diffusion.resolution ? .pad : .resize
        }
        if try lacks(.encoder, Encoder.CodingKeys.stem) {
            encoder.stem = (encoder.resolution ?? side) > 128 ? .imagenet : .cifar
        }
        if try lacks(.score, Score.CodingKeys.parts), score.method == "combined" {
            score.parts = Score.parts(timesteps: diffusion.timesteps)
        }
        if try lacks(.encoder, Encoder.CodingKeys.shifts), input.height != input.width { encoder.shifts = .cutperm }
    }

    /// Returns the smallest side that holds images of `side` and that the U-Net can halve between its levels, at most 64:
    /// larger images are resized.
    static func resolution(side: Int, levels: Int) -> Int {
        let step = 1 << min(max(levels - 1, 0), 5)
        return max(8, (min(side, 64) + step - 1) / step * step)
    }
}

extension Recipe.Diffusion {
    /// The default values; the resolution and the fit depend on the input.
    init() {
        (dim, dimMults, resolution, fit) = (32, [1, 2, 4], 32, .pad)
        (timesteps, betaSchedule, defaultT) = (1000, .cosine, 200)
        (batch, steps) = (32, 3000)
        (optimizer, learningRate, warmUpSteps, decay) = (.adam, 0.0004, 0, .constant)
        (emaDecay, emaEvery) = (0.995, 10)
    }

    /// Decodes the stage; missing members have their default values.
    public init(from decoder: any Decoder) throws {
        self.init()
        let members = try decoder.container(keyedBy: CodingKeys.self)
        dim = try members.member(.dim, or: dim)
        dimMults = try members.member(.dimMults, or: dimMults)
        resolution = try members.member(.resolution, or: resolution)
        fit = try members.member(.fit, or: fit)
        timesteps = try members.member(.timesteps, or: timesteps)
        betaSchedule = try members.member(.betaSchedule, or: betaSchedule)
        defaultT = try members.member(.defaultT, or: defaultT)
        batch = try members.member(.batch, or: batch)
        steps = try members.member(.steps, or: steps)
        optimizer = try members.member(.optimizer, or: optimizer)
        learningRate = try members.member(.learningRate, or: learningRate)
        warmUpSteps = try members.member(.warmUpSteps, or: warmUpSteps)
        decay = try members.member(.decay, or: decay)
        emaDecay = try members.member(.emaDecay, or: emaDecay)
        emaEvery = try members.member(.emaEvery, or: emaEvery)
    }
}

extension Recipe.Encoder {
    /// The default values; the stem and the shifts depend on the input.
    init() {
        (stem, width, projection, shifts) = (.cifar, 24, 128, .rotation)
        (batch, steps) = (16, 400)
        (optimizer, learningRate, warmUpSteps, decay) = (.adam, 0.001, 40, .cosine)
        (negatives, temperature, mask) = (.dissolved, 0.5, .shiftedRemoved)
        (dissolveFrom, dissolveTo) = (30, 100)
        (cropScale, jitter, hue) = (0.08, 0.4, 0.1)
        (jitterProbability, grayProbability) = (0.8, 0.2)
    }

    /// Decodes the stage; missing members have their default values.
    public init(from decoder: any Decoder) throws {
        self.init()
        let members = try decoder.container(keyedBy: CodingKeys.self)
        stem = try members.member(.stem, or: stem)
        width = try members.member(.width, or: width)
        projection = try members.member(.projection, or: projection)
        if members.contains(.equalize) { equalize = try members.decode(Bool.self, forKey: .equalize) }
        if members.contains(.resolution) { resolution = try members.decode(Int.self, forKey: .resolution) }
        shifts = try members.member(.shifts, or: shifts)
        batch = try members.member(.batch, or: batch)
        steps = try members.member(.steps, or: steps)
        optimizer = try members.member(.optimizer, or: optimizer)
        learningRate = try members.member(.learningRate, or: learningRate)
        warmUpSteps = try members.member(.warmUpSteps, or: warmUpSteps)
        decay = try members.member(.decay, or: decay)
        negatives = try members.member(.negatives, or: negatives)
        temperature = try members.member(.temperature, or: temperature)
        mask = try members.member(.mask, or: mask)
        dissolveFrom = try members.member(.dissolveFrom, or: dissolveFrom)
        dissolveTo = try members.member(.dissolveTo, or: dissolveTo)
        cropScale = try members.member(.cropScale, or: cropScale)
        jitter = try members.member(.jitter, or: jitter)
        hue = try members.member(.hue, or: hue)
        jitterProbability = try members.member(.jitterProbability, or: jitterProbability)
        grayProbability = try members.member(.grayProbability, or: grayProbability)
    }
}

extension Recipe.Score {
    /// The default values.
    init() {
        (method, parts, variation) = ("combined", Self.parts(timesteps: 1000), 1)
        (views, cropScale, seed, bank) = (16, 0.08, 0, 2048)
        (calibrationShare, alpha) = (0.15, Self.defaultAlpha)
    }

    /// The default parts for a noise schedule of `timesteps`: steps of the same noise for all of them.
    static func parts(timesteps: Int) -> [String] { ["density.3", "neighbors.3", "change.3.\(timesteps / 10)"] }

    /// Decodes the score; missing members have their default values.
    ///
    /// The default method depends on whether parts are given, and the default parts on the method.
    public init(from decoder: any Decoder) throws {
        self.init()
        let members = try decoder.container(keyedBy: CodingKeys.self)
        method = try members.member(.method, or: method)
        parts = try members.member(.parts, or: method == "combined" ? parts : nil)
        variation = try members.member(.variation, or: variation)
        views = try members.member(.views, or: views)
        cropScale = try members.member(.cropScale, or: cropScale)
        seed = try members.member(.seed, or: seed)
        bank = try members.member(.bank, or: bank)
        calibrationShare = try members.member(.calibrationShare, or: calibrationShare)
        alpha = try members.member(.alpha, or: alpha)
    }
}
