import Codecs
import DIA
import ModelFile
import OpenSSL

/// What a score was computed from, for the records of a client.
struct Provenance: Encodable {
    private let information: Model.Information
    private let header: PNG.Header
    private let pixelDigest: String
    private let rendering: Rendering.Object?

    init(_ information: Model.Information, _ header: PNG.Header, pixelDigest: String, _ rendering: Rendering.Object?) {
        (self.information, self.header) = (information, header)
        (self.pixelDigest, self.rendering) = (pixelDigest, rendering)
    }

    /// The same for the same pixels, model and rendering, whatever the file, the request and the server.
    ///
    /// It is the SHA-256 of four lines without a line break after the last: the model's digest, the digest of the
    /// pixels, the format of the image, because images of different sizes can have the same samples, and the rendering
    /// in JSON.
    var resultKey: String {
        let format = "\(header.width)x\(header.height) \(header.bitDepth) \(header.color.rawValue)"
        let text = "\(information.digest)\n\(pixelDigest)\n\(format)\n"
        return SHA256.hexadecimal(Array(text.utf8) + JSON.encode(rendering).dropLast())
    }

    /// The transformation to the model's input.
    private struct Resizing: Encodable {
        let method = "antialiased bilinear, stretched"
        let width, height: Int
    }

    private enum Key: String, CodingKey {
        case width, height, color, rendering, resizing, views, seed, threshold
        case modelDigest = "model_digest"
        case serverVersion = "server_version"
        case pixels = "pixel_sha256"
        case bitDepth = "bit_depth"
    }

    func encode(to encoder: any Encoder) throws {
        let manifest = information.manifest
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(information.digest, forKey: .modelDigest)
        try container.encode(InferenceService.version, forKey: .serverVersion)
        try container.encode(pixelDigest, forKey: .pixels)
        try container.encode(header.width, forKey: .width)
        try container.encode(header.height, forKey: .height)
        try container.encode(header.bitDepth, forKey: .bitDepth)
        try container.encode(header.color.rawValue, forKey: .color)
        // Members without a value are null, not absent.
        try container.encode(rendering, forKey: .rendering)
        let size = Resizing(width: manifest.input.width, height: manifest.input.height)
        try container.encode(size, forKey: .resizing)
        try container.encode(manifest.score.views, forKey: .views)
        try container.encode(manifest.score.seed, forKey: .seed)
        try container.encode(ScoreObject.Threshold(information.calibration), forKey: .threshold)
    }
}
