namespace Mesh.Agent;

/// <summary>Which start of which node this is.</summary>
/// <param name="Incarnation">Numbers the starts of the node process; durable before the first report.</param>
/// <param name="BootId">The kernel's <c>boot_id</c>: with another one, every process that was registered is gone.</param>
public sealed record AgentIdentity(uint Incarnation, string BootId)
{
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>Of the running kernel.</summary>
    public static string CurrentBootId() => File.ReadAllText(BootIdFile).Trim();
}
