import Foundation
import Neural
import TestSupport
import Testing

/// The number of processors in a control group.
@Suite struct ProcessorCountTests {
    /// Returns the quota with these files below the root.
    private func quota(_ files: [String: String]) async throws -> Int? {
        try await withTemporaryFolder { folder in
            for (path, text) in files {
                let file = folder.appendingPathComponent(path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(text.utf8).write(to: file)
            }
            return ProcessorCount.quota(root: folder.path)
        }
    }

    @Test("The quota of version 2 is rounded up to whole processors; the smallest of the group and its parents counts")
    func version2() async throws {
        let own = "proc/self/cgroup"
        #expect(try await quota([own: "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"]) == nil)
        #expect(try await quota([own: "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"]) == 2)
        #expect(try await quota([own: "0::/\n", "sys/fs/cgroup/cpu.max": "1000 100000\n"]) == 1)
        let parents = [
            own: "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "300000 100000\n",
            "sys/fs/cgroup/a/b/cpu.max": "800000 100000\n",
        ]
        #expect(try await quota(parents) == 3)
        // A container that sees the path of the host.
        #expect(try await quota([own: "0::/kubepods/pod1\n", "sys/fs/cgroup/cpu.max": "400000 100000"]) == 4)
    }

    @Test("The quota of version 1 is read from the controller of the processor")
    func version1() async throws {
        let files = [
            "proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/x\n0::/\n",
            "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "250000\n", "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000\n",
        ]
        #expect(try await quota(files) == 3)
        var unlimited = files
        unlimited["sys/fs/cgroup/cpu/x/cpu.cfs_quota_us"] = "-1\n"
        #expect(try await quota(unlimited) == nil)
    }

    @Test("Missing and malformed files are no limit")
    func malformed() async throws {
        #expect(try await quota([:]) == nil)
        for text in ["", "max", "a b", "1 0", "-5 100000", "nan nan", "1e308 1", "inf 1"] {
            #expect(try await quota(["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": text]) == nil, "\(text)")
        }
        for text in ["0::", "x", "0:", "::/", "0::/../../.."] {
            #expect(try await quota(["proc/self/cgroup": text]) == nil, "\(text)")
        }
        #expect(ProcessorCount.available >= 1)
    }
}
