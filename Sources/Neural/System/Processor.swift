import Glibc

/// The processor that the kernels were compiled for.
public enum Processor {
    /// A processor that lacks instructions the kernels use.
    public struct Unsupported: Error, CustomStringConvertible {
        /// Which instructions are missing.
        public let description: String
    }

    /// The instruction sets of x86-64-v3 that the compiler may have used, as /proc/cpuinfo calls them.
    private static let needed = ["avx2", "fma", "bmi1", "bmi2", "f16c", "abm", "movbe"]

    /// Throws unless this processor has what the kernels need: a clear error at start instead of an illegal
    /// instruction later.
    ///
    /// This module is compiled for any processor, so the check itself runs everywhere.
    public static func requireSupported() throws {
        #if arch(x86_64)
            guard let file = fopen("/proc/cpuinfo", "r") else { return }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 16_384)
            let count = fread(&bytes, 1, bytes.count, file)
            let text = String(decoding: bytes[..<count], as: UTF8.self)
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else { return }
            let flags = Set(line.split(separator: " ").map(String.init))
            let missing = needed.filter { !flags.contains($0) }
            guard missing.isEmpty else {
                throw Unsupported(
                    description:
                        "this processor lacks \(missing.joined(separator: ", ")): x86-64-v3 (AVX2, FMA) is needed"
                )
            }
        #endif
    }
}
