/// A member of model.json whose value is one of a fixed set of strings.
public protocol ManifestChoice: RawRepresentable, CaseIterable, Codable, Sendable, Hashable where RawValue == String {}

extension ManifestChoice {
    /// Decodes the string; the error lists the valid values.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let string = try container.decode(String.self)
        guard let value = Self(rawValue: string) else {
            let list = Self.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or ")
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "is '\(string)', expected \(list)")
        }
        self = value
    }
}

extension ModelManifest {
    /// How an image of another size is converted to the U-Net's resolution.
    public enum Fit: String, ManifestChoice {
        /// Centered on a black background, and cropped back afterward.
        case pad
        /// Resized, and resized back afterward.
        case resize
    }

    /// The growth of beta with t.
    public enum BetaSchedule: String, ManifestChoice {
        /// abar is a squared cosine with s = 0.008, beta at most 0.999 (Nichol and Dhariwal, 2021).
        case cosine
        /// beta grows linearly from 1e-4 to 0.02 over 1,000 steps (Ho et al., 2020).
        case linear
    }

    /// The type of an encoder's first layers.
    public enum Stem: String, ManifestChoice {
        /// A 3x3 convolution without pooling, for small images.
        case cifar
        /// A 7x7 convolution of stride 2 and 3x3 max pooling of stride 2, for images of about 224 pixels a side.
        case imagenet
    }

    /// The K = 4 shifts of an image that an encoder learns to classify (method, section 3).
    public enum Shift: String, ManifestChoice {
        /// Rotation by k · 90 degrees, counter-clockwise; only for square images.
        case rotation
        /// The upper and lower halves are exchanged (k / 2), and the left and right halves are exchanged (k mod 2).
        case cutperm
    }
}
