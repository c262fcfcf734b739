import Foundation
import InferenceService

extension FuzzTarget {
    /// Bodies of the Open Inference Protocol: parsed images can be written and read again.
    static func runInference(_ bytes: [UInt8]) {
        guard let images = try? OpenInference.Request(parsing: bytes).images.map({ try Array($0.bytes()) }) else {
            return
        }
        require((1...1000).contains(images.count), "there are 1 to 1000 images")
        let data = images.map { "\"\(Data($0).base64EncodedString())\"" }.joined(separator: ",")
        let input = "{\"name\":\"image\",\"datatype\":\"BYTES\",\"shape\":[\(images.count)],\"data\":[\(data)]}"
        let again = must("a written body can be read again") {
            try OpenInference.Request(parsing: Array("{\"inputs\":[\(input)]}".utf8)).images.map {
                try Array($0.bytes())
            }
        }
        require(again == images, "images are the same when read again")
    }
}
