import Imaging

extension DICOMFile {
    /// Renders the chosen frames and calls `body` with each, before the next is decoded.
    package func render(
        _ options: RenderingOptions,
        willDecode: (_ frame: Int) -> Void = { _ in },
        _ body: (RenderedFrame) throws(DICOMError) -> Void
    ) throws(DICOMError) {
        let item = try dataSet
        _ = try requirePixels()
        let description = try PixelDescription(item, maximumPixels: options.maximumPixels)
        let numbers = try numbers(options.frames, of: description.frames)
        let palette =
            description.photometric == .paletteColor
            ? try Palette(item, isSigned: description.isSigned) : nil
        let padding = PaddingRange.read(item, isSigned: description.isSigned)
        let reader = try FrameReader(self, description)
        for number in numbers {
            willDecode(number)
            let frame = try reader.frame(number, of: self)
            let samples: [UInt16]
            var record = RenderingRecord(frame: number, method: .luma)
            switch frame.photometric {
            case .monochrome1, .monochrome2:
                let rendering = try rendering(frame, number: number, options.mapping, item, padding)
                (samples, record) = rendering.render(frame, number: number)
            case .paletteColor: samples = Self.gray(frame, palette)
            case .rgb, .ybrFull, .ybrFull422, .ybrICT, .ybrRCT: samples = Self.gray(frame, pixels: description.pixels)
            }
            try body(
                RenderedFrame(
                    image: GrayImage(height: description.rows, width: description.columns, samples: samples),
                    record: record
                )
            )
        }
    }

    private func numbers(_ frames: RenderingOptions.Frames, of count: Int) throws(DICOMError) -> ClosedRange<Int> {
        switch frames {
        case .first: return 1...1
        case .all: return 1...count
        case .one(let number):
            guard (1...count).contains(number) else { throw .frameOutOfRange(frame: number, frames: count) }
            return number...number
        }
    }

    private static func gray(_ frame: StoredFrame, pixels: Int) -> [UInt16] {
        func gray(_ samples: [some FixedWidthInteger]) -> [UInt16] {
            ColorToGray.render(
                samples,
                pixels: pixels,
                bits: frame.bits,
                isPlanar: frame.isPlanar,
                isYBR: frame.photometric != .rgb
            )
        }
        return switch frame.codes {
        case .narrow(let samples): gray(samples)
        case .wide(let samples): gray(samples)
        }
    }

    private static func gray(_ frame: StoredFrame, _ palette: Palette?) -> [UInt16] {
        guard let palette else { return [] }
        switch frame.codes {
        case .narrow(let codes): return codes.map { palette(frame.value(UInt32($0))) }
        case .wide(let codes): return codes.map { palette(frame.value($0)) }
        }
    }

    /// Resolves the options for a frame.
    private func rendering(
        _ frame: StoredFrame,
        number: Int,
        _ mapping: RenderingOptions.Mapping,
        _ item: DICOMItem,
        _ padding: ClosedRange<Int>?
    ) throws(DICOMError) -> GrayRendering {
        func functional(_ tag: DICOMTag) -> DICOMItem? {
            item.item(.perFrameFunctionalGroupsSequence, number - 1)?.item(tag)
                ?? item.item(.sharedFunctionalGroupsSequence)?.item(tag)
        }
        let modality = try ModalityTransformation(
            item,
            functional: functional(.pixelValueTransformationSequence),
            stored: frame.range
        )
        let resolved: GrayRendering.Mapping
        switch mapping {
        case .voi(let index):
            let voi = try VOITransformation.read(
                index,
                of: item,
                functional: functional(.frameVOILUTSequence),
                inputs: modality.range(frame.range)
            )
            resolved = voi.map { .voi($0) } ?? (frame.bits <= 8 ? .asIs : .minimumToMaximum)
        case .window(let center, let width): resolved = .voi(.window(try Window(center: center, width: width)))
        case .full: resolved = .full
        case .none:
            guard frame.bits <= 8 else { throw .needsWindow(bits: frame.bits) }
            resolved = .asIs
        }
        return GrayRendering(modality: modality, mapping: resolved, padding: padding)
    }
}
