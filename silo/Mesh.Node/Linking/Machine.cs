using System.Globalization;
using System.Runtime.InteropServices;
using Mesh.Agent;
using Mesh.NodeLink.Wire;

namespace Mesh.Node.Linking;

/// <summary>What this machine is, as its Node object shows it.</summary>
internal static class Machine
{
    public static Hello Describe(string nodeName, string build, AgentIdentity identity, bool provisional, ulong optionsHash) => new()
    {
        // Before the first options only the host name is known; the silo whose own node this is knows better.
        NodeName = nodeName.Length > 0 ? nodeName : Environment.MachineName.ToLowerInvariant(),
        Build = build,
        Pid = Environment.ProcessId,
        Incarnation = identity.Incarnation,
        BootId = identity.BootId,
        OsImage = OsImage(),
        Kernel = Environment.OSVersion.Version.ToString(),
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            // Kubernetes says it as Go does.
            Architecture.X64 => "amd64",
            var other => other.ToString().ToLowerInvariant(),
        },
        Cpus = Environment.ProcessorCount,
        MemoryBytes = MemoryBytes(),
        OptionsHash = optionsHash,
        Provisional = provisional,
    };

    private static string OsImage() =>
        Lines("/etc/os-release").FirstOrDefault(line => line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))?["PRETTY_NAME=".Length..].Trim('"')
        ?? RuntimeInformation.OSDescription;

    private static long MemoryBytes()
    {
        var total = Lines("/proc/meminfo").FirstOrDefault(line => line.StartsWith("MemTotal:", StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return total is [_, var kibibytes, ..] && long.TryParse(kibibytes, CultureInfo.InvariantCulture, out var count) ? count * 1024 : 0;
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
