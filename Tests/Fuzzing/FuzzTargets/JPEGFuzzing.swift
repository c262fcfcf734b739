import Imaging
import JPEG

extension FuzzTarget {
    /// JPEG files.
    static func runJPEG(_ bytes: [UInt8]) {
        let maximumPixels = 1 << 14
        guard let decoded = try? JPEG.decode(bytes, maximumPixels: maximumPixels) else { return }
        let (header, image) = (decoded.header, decoded.image)
        require(JPEG.hasSignature(bytes), "a JPEG starts with its signature")
        require(image.width == header.width && image.height == header.height, "an image has its header's size")
        require(image.channels == (header.isGray ? 1 : 3), "an image has its header's color channels")
        require(image.width * image.height <= maximumPixels, "an image has no more pixels than allowed")
        require(image.samples.allSatisfy { $0 >= 0 && $0 <= 1 }, "samples lie in [0, 1]")
        require(
            (try? JPEG.decode(bytes, maximumPixels: image.width * image.height - 1)) == nil,
            "one pixel more than allowed is rejected"
        )
        let gray = try? JPEG.decode(bytes, maximumPixels: maximumPixels, asGray: true)
        require(
            gray?.image == image.converted(toChannels: 1),
            "converting to gray row by row gives the same image as converting afterward"
        )
    }
}
