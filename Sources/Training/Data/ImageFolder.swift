import Codecs
import Foundation

/// Reads folder trees `SPLIT/LABEL/*.png`, as in torchvision's ImageFolder and MVTec AD.
enum ImageFolder {
    static func load(path: String, maximumPixels: Int) throws -> DataSet.Loaded {
        var splits: [DataSet.Split: [LabeledImage]] = [:]
        var unreadable: [DataError] = []
        for (split, names) in [
            (DataSet.Split.train, ["train"]), (.validation, ["val", "validation"]), (.test, ["test"]),
        ] {
            for name in names where FileManager.default.fileExists(atPath: "\(path)/\(name)") {
                splits[split] = try load(folder: "\(path)/\(name)", maximumPixels, &unreadable)
            }
        }
        guard !splits.isEmpty else { throw DataError(path, "has no train or test folder") }
        return DataSet.Loaded(data: DataSet(splits: splits), unreadable: unreadable)
    }

    private static func load(
        folder: String,
        _ maximumPixels: Int,
        _ unreadable: inout [DataError]
    ) throws -> [LabeledImage] {
        var result: [LabeledImage] = []
        // Sorted, so that a seed selects the same images on every file system.
        for label in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            var isDirectory: ObjCBool = false
            let place = "\(folder)/\(label)"
            guard FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory), isDirectory.boolValue else {
                continue
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: place).sorted()
            for file in files where file.lowercased().hasSuffix(".png") {
                do {
                    let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: "\(place)/\(file)")))
                    let decoded = try PNG.decode(bytes, maximumPixels: maximumPixels)
                    result.append(LabeledImage(image: decoded.image, label: label))
                } catch {
                    unreadable.append(DataError("\(place)/\(file)", "\(error)"))
                }
            }
        }
        return result
    }
}
