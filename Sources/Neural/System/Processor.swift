/// Checks for the instruction sets that the kernels were compiled for.
public enum Processor {
    /// The error for a processor that lacks instructions that the kernels use.
    public struct Unsupported: Error, CustomStringConvertible {
        /// The missing instruction sets.
        public let description: String
    }

    /// The instruction sets of x86-64-v3 that the compiler may have used, as named in /proc/cpuinfo.
    private static let needed = ["avx2", "fma", "bmi1", "bmi2", "f16c", "abm", "movbe"]

    /// Throws if the processor lacks instructions that the kernels need.
    ///
    /// Without this check the process would end with an illegal instruction. This module is compiled for any processor,
    /// so the check itself always runs.
    public static func requireSupported() throws {
        #if arch(x86_64)
            guard let text = ProcessorCount.text("/proc/cpuinfo") else { return }
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else { return }
            let flags = Set(line.split(separator: " ").map(String.init))
            let missing = needed.filter { !flags.contains($0) }
            guard missing.isEmpty else {
                throw Unsupported(
                    description:
                        "this processor lacks \(missing.joined(separator: ", ")); x86-64-v3 (AVX2, FMA) is required"
                )
            }
        #endif
    }
}
