import Codecs
import Imaging
import Testing

struct GrayPNGTests {
    @Test("A gray image of 16 bits is written without loss", arguments: [(1, 1), (3, 7), (40, 33)])
    func roundTrip(_ height: Int, _ width: Int) throws {
        let samples = (0..<height * width).map { UInt16(truncatingIfNeeded: $0 &* 40_503) }
        let bytes = PNG.encode(GrayImage(height: height, width: width, samples: samples))
        let decoded = try PNG.decode(bytes, maximumPixels: 1 << 20)
        #expect(decoded.header.bitDepth == 16 && decoded.header.color == .gray)
        #expect(decoded.image.height == height && decoded.image.width == width)
        #expect(decoded.image.samples.map { UInt16(($0 * 65_535).rounded()) } == samples)
    }
}
