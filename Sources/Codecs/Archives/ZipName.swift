/// The character sets of names in zip archives (APPNOTE, appendix D).
enum ZipName {
    /// Returns the name in `bytes`.
    ///
    /// Without the flag for UTF-8, names are in code page 437, but many programs write UTF-8 all the same.
    static func decode(_ bytes: ArraySlice<UInt8>, isUTF8: Bool) -> String {
        if let name = String(validating: bytes, as: UTF8.self) { return name }
        guard !isUTF8 else { return String(decoding: bytes, as: UTF8.self) }
        var name = String.UnicodeScalarView()
        for byte in bytes { name.append(byte < 0x80 ? UnicodeScalar(byte) : codePage437[Int(byte - 0x80)]) }
        return String(name)
    }

    /// The upper half of code page 437.
    private static let codePage437 = Array(
        ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
            + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}").unicodeScalars
    )
}
