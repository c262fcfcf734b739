import ArgumentParser
import Client

/// The options that are passed on to the service for each image.
struct ImageOptions: ParsableArguments {
    /// The photometric interpretations of gray images.
    enum Photometric: String, ExpressibleByArgument, CaseIterable {
        case monochrome1 = "MONOCHROME1"
        case monochrome2 = "MONOCHROME2"
    }

    @Option(help: ArgumentHelp("Model; without it the server's default model.", valueName: "name"))
    var model: String?

    @Option(help: ArgumentHelp("Significant bits of the samples of 16-bit gray images, 9 to 16.", valueName: "bits"))
    var bits: Int?

    @Option(help: ArgumentHelp("Center of a window, in sample values; with --window-width.", valueName: "value"))
    var windowCenter: Double?

    @Option(help: ArgumentHelp("Width of the window, at least 1.", valueName: "value"))
    var windowWidth: Double?

    @Option(help: ArgumentHelp("MONOCHROME1 inverts gray images, after the window.", valueName: "name"))
    var photometric: Photometric?

    func validate() throws {
        if let bits, !(9...16).contains(bits) { throw ValidationError("--bits must be from 9 to 16") }
        guard (windowCenter == nil) == (windowWidth == nil) else {
            throw ValidationError("--window-center and --window-width must be used together")
        }
        guard windowCenter.map(\.isFinite) != false, windowWidth.map({ $0 >= 1 && $0.isFinite }) != false else {
            throw ValidationError("--window-center must be a number, and --window-width one of at least 1")
        }
    }

    /// The parameters of a query.
    var parameters: ServiceClient.Parameters {
        let values: [(String, String?)] = [
            ("bits", bits.map { String($0) }), ("window_center", windowCenter.map { "\($0)" }),
            ("window_width", windowWidth.map { "\($0)" }), ("photometric", photometric?.rawValue),
        ]
        return values.compactMap { name, value in value.map { (name, $0) } }
    }
}
