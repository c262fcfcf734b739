import Foundation
import HTTP
import ModelFile
import DIA
import Synchronization

extension OpenInference {
    /// Statistics of the inference requests of the protocol since the start, by model and version.
    final class Statistics: Sendable {
        private struct Key: Hashable {
            let name, version: String
        }

        private let counts = Mutex<[Key: Counts]>([:])

        /// Records the response to a request that began at `start`: the timings of its images, nil if it failed.
        func record(
            _ model: Model.Information,
            since start: ContinuousClock.Instant,
            _ images: [RequestContext.Timings]?
        ) {
            let elapsed = ContinuousClock.now - start
            let now = Int(Date().timeIntervalSince1970 * 1000)
            let key = Key(name: model.manifest.name, version: model.manifest.version)
            counts.withLock { counts in
                var values = counts[key] ?? Counts()
                values.add(elapsed, images, now: now)
                counts[key] = values
            }
        }

        /// Returns the statistics of `models`.
        func object(_ models: [Model.Information]) -> Object {
            let counts = counts.withLock { $0 }
            return Object(
                models: models.map { model in
                    let (name, version) = (model.manifest.name, model.manifest.version)
                    let values = counts[Key(name: name, version: version)] ?? Counts()
                    return Object.Entry(
                        name: name,
                        version: version,
                        lastInference: values.lastInference,
                        inferenceCount: values.durations.inference.count,
                        statistics: values.durations
                    )
                }
            )
        }

        private struct Counts {
            /// Milliseconds since 1970; 0 if there was none.
            var lastInference = 0
            var durations = Durations()

            mutating func add(_ elapsed: Duration, _ images: [RequestContext.Timings]?, now: Int) {
                guard let images else { return durations.failure.add(elapsed) }
                lastInference = now
                durations.success.add(elapsed)
                for image in images {
                    durations.queue.add(image.queued)
                    durations.input.add(image.decoding)
                    durations.inference.add(image.engine)
                }
            }
        }

        /// A number of events and their total duration.
        struct Total: Encodable {
            private(set) var count = 0
            private(set) var nanoseconds = 0

            enum CodingKeys: String, CodingKey {
                case count
                case nanoseconds = "ns"
            }

            fileprivate mutating func add(_ duration: Duration) {
                count += 1
                nanoseconds += Int(duration / .nanoseconds(1))
            }
        }

        /// Requests by outcome, and the stages of their images.
        struct Durations: Encodable {
            fileprivate(set) var success = Total()
            fileprivate(set) var failure = Total()
            fileprivate(set) var queue = Total()
            fileprivate(set) var input = Total()
            fileprivate(set) var inference = Total()

            enum CodingKeys: String, CodingKey {
                case success, queue
                case failure = "fail"
                case input = "compute_input"
                case inference = "compute_infer"
            }
        }

        /// JSON response, as in Triton's statistics extension.
        struct Object: Encodable {
            struct Entry: Encodable {
                let name, version: String
                let lastInference, inferenceCount: Int
                let statistics: Durations

                enum CodingKeys: String, CodingKey {
                    case name, version
                    case lastInference = "last_inference"
                    case inferenceCount = "inference_count"
                    case statistics = "inference_stats"
                }
            }

            let models: [Entry]

            enum CodingKeys: String, CodingKey {
                case models = "model_stats"
            }
        }
    }
}
