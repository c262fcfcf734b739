extension ModelManifest {
    /// The file name of the manifest.
    public static let fileName = "model.json"

    /// Throws an error that names the first member with an invalid value.
    ///
    /// Every number becomes an allocation size or an index, so each has limits.
    public func validate() throws(ModelFileError) {
        try require(format == Self.format, "format", "is '\(format)', expected '\(Self.format)'")
        try require(
            !name.isEmpty && name.utf8.count <= 64 && name.utf8.allSatisfy(Self.isNameCharacter) && name.first != ".",
            "name",
            "must be 1 to 64 letters, digits, dots, underscores or hyphens and not start with a dot"
        )
        try require(!version.isEmpty && version.utf8.count <= 64, "version", "must be 1 to 64 characters long")
        try range(input.height, 8...1024, "input.height")
        try range(input.width, 8...1024, "input.width")
        try choice(input.channels, [1, 3], "input.channels")
        try validateDissolve()
        try validateEncoder()
        try fileNamed(score.file, "score.file")
        try choice(score.method, ["csi", "combined"], "score.method")
        try require((score.method == "combined") == (score.parts != nil), "score.parts", "must match score.method")
        if let parts = score.parts {
            try range(parts.count, 1...16, "the length of score.parts")
            try require(Set(parts).count == parts.count, "score.parts", "must not repeat a part")
        }
        try range(score.views, 1...64, "score.views")
        try require(score.cropScale > 0 && score.cropScale <= 1, "score.crop_scale", "must be in (0, 1]")
        if let golden { try fileNamed(golden.file, "golden.file") }
        if let calibration {
            try fileNamed(calibration.file, "calibration.file")
            try require(calibration.alpha > 0 && calibration.alpha < 1, "calibration.alpha", "must be in (0, 1)")
        }
    }

    private func validateDissolve() throws(ModelFileError) {
        try fileNamed(dissolve.file, "dissolve.file")
        try range(dissolve.dim, 8...256, "dissolve.dim")
        try require(dissolve.dim % 8 == 0, "dissolve.dim", "must be a multiple of 8, for the group norms")
        try range(dissolve.dimMults.count, 1...6, "the length of dissolve.dim_mults")
        for multiplier in dissolve.dimMults { try range(multiplier, 1...16, "an element of dissolve.dim_mults") }
        try require(dissolve.channels == input.channels, "dissolve.channels", "must equal input.channels")
        try range(dissolve.resolution, 8...512, "dissolve.resolution")
        let step = 1 << (dissolve.dimMults.count - 1)
        try require(dissolve.resolution % step == 0, "dissolve.resolution", "must be a multiple of \(step)")
        let fits = max(input.height, input.width) <= dissolve.resolution
        try require(
            dissolve.fit != .pad || fits,
            "dissolve.fit",
            "'pad' requires an input that is not larger than the resolution"
        )
        try range(dissolve.timesteps, 2...10_000, "dissolve.timesteps")
        // With fewer steps the last beta of the linear schedule, 20 / timesteps, would not be a probability.
        let isSchedule = dissolve.betaSchedule != .linear || dissolve.timesteps > 20
        try require(isSchedule, "dissolve.timesteps", "must be greater than 20 for the linear schedule")
        try range(dissolve.defaultT, 0...dissolve.timesteps - 1, "dissolve.default_t")
    }

    private func validateEncoder() throws(ModelFileError) {
        try fileNamed(encoder.file, "encoder.file")
        try choice(encoder.arch, ["resnet18"], "encoder.arch")
        try range(encoder.width, 1...256, "encoder.width")
        try require(encoder.channels == input.channels, "encoder.channels", "must equal input.channels")
        try range(encoder.projection, 1...4096, "encoder.projection")
        let isSquare = input.height == input.width
        try require(encoder.shifts != .rotation || isSquare, "encoder.shifts", "'rotation' requires a square input")
        guard let resolution = encoder.resolution else { return }
        try require(isSquare, "encoder.resolution", "requires a square input")
        try range(resolution, 8...input.height, "encoder.resolution")
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private func require(_ holds: Bool, _ member: String, _ rule: String) throws(ModelFileError) {
        guard !holds else { return }
        throw ModelFileError(file: Self.fileName, reason: "\(member) \(rule)")
    }

    private func range(_ value: Int, _ range: ClosedRange<Int>, _ member: String) throws(ModelFileError) {
        try require(
            range.contains(value),
            member,
            "is \(value), expected \(range.lowerBound) to \(range.upperBound)"
        )
    }

    private func choice<T: Equatable>(_ value: T, _ choices: [T], _ member: String) throws(ModelFileError) {
        let list = choices.map { "'\($0)'" }.joined(separator: " or ")
        try require(choices.contains(value), member, "is '\(value)', expected \(list)")
    }

    /// Requires the name of a file in the model's directory, without a path.
    private func fileNamed(_ name: String, _ member: String) throws(ModelFileError) {
        let isPlain = !name.isEmpty && name.utf8.count <= 255 && name.utf8.allSatisfy(Self.isNameCharacter)
        try require(isPlain && name.first != ".", member, "must be a file name in the model directory")
    }
}
