import Imaging
import Testing

/// Text of plots and captions.
@Suite struct FontTests {
    @Test("The image of a text has the announced width and the height of the line", arguments: [1, 10, 20, 38, 90])
    func size(height: Int) throws {
        for text in ["i", "AUROC 0.993", "a b"] {
            let image = try #require(Font.coverage(of: text, height: height))
            #expect(image.height == height && image.width == Font.width(of: text, height: height))
            #expect(image.samples.allSatisfy { (-1e-6...1 + 1e-6).contains($0) })
        }
        #expect(Font.coverage(of: "", height: height) == nil && Font.width(of: "", height: height) == 0)
    }

    @Test("Glyphs have their shapes")
    func shapes() throws {
        func rows(_ text: String) throws -> [Int] {
            let image = try #require(Font.coverage(of: text, height: 38))
            return (0..<38).filter { row in (0..<image.width).contains { image[row, $0, 0] > 0.5 } }
        }
        // A capital stands on the baseline, a dot is right above it, and a descender is below.
        let (capital, dot, descender) = (try rows("H"), try rows("."), try rows("p"))
        #expect(capital.last == 29 && dot.last == 29 && dot.count < 6 && capital.count > 20)
        #expect((descender.last ?? 0) > 33 && (descender.first ?? 0) > (capital.first ?? 0))
        #expect(try rows(" ").isEmpty)
        // An "l" is a filled stem.
        let stem = try #require(Font.coverage(of: "l", height: 38))
        #expect((10...28).allSatisfy { stem[$0, 4, 0] > 0.9 } && (0..<38).allSatisfy { stem[$0, 0, 0] < 0.1 })
    }

    @Test("Characters that the font does not have are question marks")
    func unknown() {
        #expect(Font.coverage(of: "é\u{7F}", height: 20) == Font.coverage(of: "??", height: 20))
    }
}
