using System.Globalization;
using Xunit;

namespace Mesh.Testing.Processes;

/// <summary>What a process is privileged to do (capabilities(7)). Tests ask for the capability they need, not for root.</summary>
public static class Capability
{
    public const int Chown = 0;
    public const int SetGid = 6;
    public const int SetUid = 7;
    public const int NetBindService = 10;

    /// <summary>Skips the test, and says why, unless this process has them all.</summary>
    public static void Require(string what, params ReadOnlySpan<int> capabilities)
    {
        foreach (var capability in capabilities)
        {
            Assert.SkipUnless(Has(Environment.ProcessId, capability), $"{what} needs the capability {Name(capability)}, which this user lacks");
        }
    }

    public static bool Has(int pid, int capability)
    {
        var effective = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        return (ulong.Parse(effective.AsSpan("CapEff:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1ul << capability)) != 0;
    }

    private static string Name(int capability) => capability switch
    {
        Chown => "CAP_CHOWN",
        SetGid => "CAP_SETGID",
        SetUid => "CAP_SETUID",
        NetBindService => "CAP_NET_BIND_SERVICE",
        _ => throw new ArgumentOutOfRangeException(nameof(capability)),
    };
}
