// swift-tools-version: 6.2
import PackageDescription

/// Settings for all Swift targets, including tests.
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Settings for modules in which every unsafe expression must be marked `unsafe`.
let strict: [SwiftSetting] = settings + [.strictMemorySafety()]

/// Settings for the kernels: no overflow, bounds or precondition checks, and optimized in debug builds too, where they
/// would otherwise be too slow. Their only caller, Neural, is compiled with checks and validates all shapes. On x86 the
/// kernels are compiled for AVX2 and FMA; the executables check for both at startup.
#if arch(x86_64)
    let numeric: [SwiftSetting] =
        settings + [.unsafeFlags(["-Ounchecked", "-Xcc", "-march=x86-64-v3"])]
#else
    let numeric: [SwiftSetting] = settings + [.unsafeFlags(["-Ounchecked"])]
#endif

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "dia",
    products: [],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // Only for tests.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries: each has a module map and a header, and is imported by one Swift module.
        .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        // mallopt(3) of the C library, which the module Glibc does not have.
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg62-turbo-dev"])]),
        .systemLibrary(name: "CLibCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // libpng and libjpeg report errors with longjmp, which must not cross Swift frames, so setjmp is called in C.
        .target(name: "CPNG", dependencies: ["CLibPNG", "CZlib"]),
        .target(name: "CJPEG", dependencies: ["CLibJPEG"]),
        // A C interface to DCMTK. Its pkg-config file is not used: it lists all libraries of the toolkit, networking
        // included, and does not work on Debian 12 without further development packages.
        .systemLibrary(name: "COpenJPEG", pkgConfig: "libopenjp2", providers: [.apt(["libopenjp2-7-dev"])]),
        .target(
            name: "CDCMTK",
            dependencies: ["COpenJPEG"],
            // These need the others, such as ijg8.
            linkerSettings: ["ofstd", "oflog", "dcmdata", "dcmjpeg", "dcmjpls"].map { .linkedLibrary($0) }
        ),
        // curl_easy_setopt is variadic and calls back; the server does not link it.
        .target(name: "CCurl", dependencies: ["CLibCurl"]),

        // Images and image files.
        .target(name: "Imaging", swiftSettings: settings),
        .target(name: "Codecs", dependencies: ["Imaging", "CPNG", "CZlib"], swiftSettings: strict),
        // Training data can be JPEG; the server does not link it.
        .target(name: "JPEG", dependencies: ["Imaging", "CJPEG"], swiftSettings: strict),

        // DICOM files to gray images, in a process of its own; only `dia` links it.
        .target(name: "DICOM", dependencies: ["Imaging", "CDCMTK"], swiftSettings: strict),

        // The engine.
        .target(name: "CVector", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "Kernels", dependencies: ["CBLAS", "CVector"], swiftSettings: numeric),
        .target(name: "Neural", dependencies: ["Kernels"], swiftSettings: settings),

        // SHA-256, constant-time comparison of secrets, TLS: the only module that imports OpenSSL.
        .target(name: "OpenSSL", dependencies: ["COpenSSL"], swiftSettings: strict),

        // Model directories and the method itself.
        .target(name: "ModelFile", dependencies: ["OpenSSL"], swiftSettings: strict),
        .target(name: "DIA", dependencies: ["Imaging", "ModelFile", "Neural"], swiftSettings: settings),

        // Training.
        .target(
            name: "Training",
            dependencies: [
                "DIA", "Neural", "ModelFile", "Imaging", "Codecs", "JPEG", "Console", "OpenSSL",
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "dia-train",
            dependencies: ["Training", "Console", "DIA", "Neural", "ModelFile", arguments],
            swiftSettings: settings
        ),

        // The command-line client.

        // The engine's side of `make bench`.
        .executableTarget(
            name: "dia-bench",
            dependencies: ["DIA", "Neural", "Kernels", "ModelFile", arguments],
            path: "Benchmarks/dia-bench",
            swiftSettings: settings
        ),

        // Standard output and standard error.
        .target(name: "Console", swiftSettings: strict),

        // The service.
        .target(name: "StructuredLogging", dependencies: ["Console", logging], swiftSettings: strict),
        .target(name: "HTTP", dependencies: [deque], swiftSettings: strict),
        .target(name: "Metrics", swiftSettings: settings),
        .target(name: "HTTPServer", dependencies: ["HTTP", "Metrics", "OpenSSL", logging], swiftSettings: strict),
        .target(
            name: "Engine",
            dependencies: ["DIA", "Imaging", "Metrics", "ModelFile", "Neural", deque],
            swiftSettings: strict
        ),
        .target(
            name: "InferenceService",
            dependencies: [
                "HTTP", "Engine", "DIA", "Codecs", "Imaging", "Metrics", "ModelFile", "OpenSSL", logging, deque,
            ],
            resources: [
                .embedInCode("Resources/index.html"), .embedInCode("Resources/page.css"),
                .embedInCode("Resources/page.js"), .embedInCode("Resources/openapi.yaml"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "dia-server",
            dependencies: [
                "CMalloc", "InferenceService", "HTTPServer", "HTTP", "Engine", "DIA", "Metrics", "OpenSSL", "Console",
                "StructuredLogging",
                "Neural", "ModelFile", arguments, logging,
            ],
            swiftSettings: settings
        ),

        // The client.
        .target(name: "Client", dependencies: ["CCurl", "HTTP", "OpenSSL"], swiftSettings: strict),
        .target(
            name: "Orthanc",
            dependencies: ["Client", "DICOM", "Codecs", "HTTP", "Imaging", "Metrics", "OpenSSL", deque, logging],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "dia",
            dependencies: [
                "Client", "DICOM", "InferenceService", "Engine", "HTTP", "Codecs", "Imaging", "Metrics", "ModelFile",
                "Neural", "DIA", "Console", "HTTPServer", "Orthanc", "StructuredLogging", arguments, logging,
            ],
            swiftSettings: settings
        ),

        // Tests.
        .target(
            name: "TestSupport",
            dependencies: ["ModelFile", "OpenSSL"],
            path: "Tests/TestSupport",
            resources: [.copy("Golden"), .copy("Models")],
            swiftSettings: settings
        ),
        .testTarget(name: "OpenSSLTests", dependencies: ["OpenSSL"], swiftSettings: settings),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels"], swiftSettings: settings),
        .testTarget(
            name: "NeuralTests",
            dependencies: ["Neural", "ModelFile", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ImagingTests",
            dependencies: ["Imaging", "ModelFile", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "CodecsTests",
            dependencies: ["Codecs", "Imaging", "TestSupport"],
            resources: [.copy("Images"), .copy("Archives")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "JPEGTests",
            dependencies: ["JPEG", "Imaging"],
            resources: [.copy("Images")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DICOMTests",
            dependencies: ["DICOM", "Imaging", "dia"],
            exclude: ["compare_pydicom.py", "make_fixtures.py", "requirements.txt"],
            resources: [.copy("Files")],
            swiftSettings: settings
        ),
        .testTarget(name: "ModelFileTests", dependencies: ["ModelFile"], swiftSettings: settings),
        .testTarget(
            name: "DIATests",
            dependencies: ["DIA", "OpenSSL", "Imaging", "Neural", "ModelFile", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StructuredLoggingTests",
            dependencies: ["StructuredLogging", logging],
            swiftSettings: settings
        ),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "DIA", "Neural", "Codecs", "JPEG", "OpenSSL", "Imaging", "ModelFile", "TestSupport",
            ],
            resources: [.copy("Data")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HTTPTests",
            dependencies: ["HTTP"],
            resources: [.copy("Fixtures")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InferenceServiceTests",
            dependencies: [
                "InferenceService", "Engine", "DIA", "HTTP", "Codecs", "Imaging", "Metrics", "ModelFile", "OpenSSL",
                "TestSupport", logging, yams,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: ["HTTPServer", "HTTP", "Metrics", "TestSupport", logging],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ProcessTests",
            dependencies: ["Codecs", "Imaging", "TestSupport", "dia", "dia-server", "dia-train"],
            exclude: ["setup-sslyze.sh"],
            resources: [.copy("Certificates"), .copy("Clients")],
            swiftSettings: settings
        ),

        .testTarget(
            name: "OrthancTests",
            dependencies: ["Orthanc", "DICOM", "Client", "Metrics", logging],
            swiftSettings: settings
        ),
        .testTarget(name: "ClientTests", dependencies: ["Client", "TestSupport"], swiftSettings: settings),

        // Fuzzing: the targets, and the test that replays earlier findings.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "HTTP", "InferenceService", "Codecs", "JPEG", "Console", "Imaging", "ModelFile", "Training", "Client",
            ],
            path: "Tests/Fuzzing/FuzzTargets",
            swiftSettings: strict
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["FuzzTargets"],
            path: "Tests/Fuzzing",
            exclude: ["Dictionaries", "FuzzTargets", "dia-fuzz", "fuzz.sh"],
            sources: ["FuzzTests"],
            resources: [.copy("Corpus"), .copy("Findings")],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)

// libFuzzer has its own main function, so the executable links only with --sanitize=fuzzer (`make fuzz`).
if Context.environment["DIA_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "dia-fuzz",
            dependencies: ["FuzzTargets"],
            path: "Tests/Fuzzing/dia-fuzz",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]
        )
    )
}
