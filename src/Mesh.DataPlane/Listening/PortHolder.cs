using System.Globalization;
using System.Net;

namespace Mesh.DataPlane.Listening;

/// <summary>Who listens on a port: the process where /proc shows it, else its user.</summary>
public sealed record PortHolder(int? ProcessId, string? ProcessName, uint UserId)
{
    private const string Listening = "0A";

    public override string ToString() => (ProcessId, ProcessName) switch
    {
        ({ } pid, { } name) => $"process {pid} ({name})",
        _ => $"a process of user {UserName(UserId)}",
    };

    /// <summary>Null when no listener that excludes <paramref name="address"/> is found (it may have ended just now).</summary>
    public static PortHolder? Find(IPEndPoint address)
    {
        foreach (var table in (string[])["/proc/net/tcp", "/proc/net/tcp6"])
        {
            foreach (var line in Lines(table))
            {
                var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length > 9 && fields[3] == Listening && Excludes(fields[1], address)
                    && uint.TryParse(fields[7], CultureInfo.InvariantCulture, out var uid))
                {
                    return Owner(fields[9], uid);
                }
            }
        }

        return null;
    }

    private static bool Excludes(string local, IPEndPoint wanted)
    {
        var colon = local.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !int.TryParse(local.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var port) || port != wanted.Port)
        {
            return false;
        }

        var hex = local[..colon];
        // The kernel prints each 32-bit word of the address in host order.
        var bytes = Convert.FromHexString(hex);
        for (var word = 0; word < bytes.Length && BitConverter.IsLittleEndian; word += 4)
        {
            Array.Reverse(bytes, word, 4);
        }

        var held = new IPAddress(bytes);
        held = held.IsIPv4MappedToIPv6 ? held.MapToIPv4() : held;
        return held.Equals(wanted.Address) || held.Equals(IPAddress.Any) || held.Equals(IPAddress.IPv6Any);
    }

    private static PortHolder Owner(string inode, uint uid)
    {
        var wanted = $"socket:[{inode}]";
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out var pid) && Holds(process, wanted))
            {
                return new PortHolder(pid, Lines(Path.Combine(process, "comm")).FirstOrDefault() ?? "?", uid);
            }
        }

        return new PortHolder(null, null, uid);
    }

    private static bool Holds(string process, string socket)
    {
        try
        {
            return Directory.EnumerateFiles(Path.Combine(process, "fd")).Any(fd => new FileInfo(fd).LinkTarget == socket);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // another user's process, or one that ended meanwhile
        }
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string UserName(uint uid)
    {
        var id = uid.ToString(CultureInfo.InvariantCulture);
        var entry = Lines("/etc/passwd").Select(line => line.Split(':')).FirstOrDefault(fields => fields.Length > 2 && fields[2] == id);
        return entry is null ? id : entry[0];
    }
}
