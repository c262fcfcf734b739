import ArgumentParser
import DICOM

/// The frames of `dia render`.
struct FrameOption: ExpressibleByArgument {
    let frames: RenderingOptions.Frames

    init(frames: RenderingOptions.Frames) { self.frames = frames }

    init?(argument: String) {
        switch argument {
        case "first": frames = .first
        case "all": frames = .all
        default:
            guard let number = Int(argument), number > 0 else { return nil }
            frames = .one(number)
        }
    }

    var defaultValueDescription: String { "first" }
}

/// The mapping of values to brightness of `dia render`.
struct WindowOption: ExpressibleByArgument {
    let mapping: RenderingOptions.Mapping

    init(mapping: RenderingOptions.Mapping) { self.mapping = mapping }

    init?(argument: String) {
        switch argument {
        case "voi": mapping = .voi(index: nil)
        case "full": mapping = .full
        case "none": mapping = .none
        default:
            let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
            if parts.count == 1, let index = Int(argument), index > 0 {
                mapping = .voi(index: index)
            } else if parts.count == 2, let center = Double(parts[0]), let width = Double(parts[1]),
                let window = try? Window(center: center, width: width)
            {
                mapping = .window(center: window.center, width: window.width)
            } else {
                return nil
            }
        }
    }

    var defaultValueDescription: String { "voi" }
}

/// The format of the lines of `dia render`.
enum RenderFormat: String, ExpressibleByArgument, CaseIterable {
    case text, jsonl
}
