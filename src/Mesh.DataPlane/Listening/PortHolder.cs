using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
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

    /// <summary>
    /// Who holds each of these, in one look at the tables of sockets and one walk over the processes. One is missing when
    /// no listener that excludes it is found (it may have ended just now).
    /// </summary>
    public static IReadOnlyDictionary<IPEndPoint, PortHolder> Find(IReadOnlyCollection<IPEndPoint> addresses)
    {
        if (addresses.Count == 0)
        {
            return ImmutableDictionary<IPEndPoint, PortHolder>.Empty;
        }

        var byPort = addresses.ToLookup(address => address.Port);
        var sockets = new Dictionary<IPEndPoint, (string Inode, uint User)>();
        foreach (var line in Lines("/proc/net/tcp").Concat(Lines("/proc/net/tcp6")))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length <= 9 || fields[3] != Listening || !TryParse(fields[1], out var held) || !uint.TryParse(fields[7], CultureInfo.InvariantCulture, out var user))
            {
                continue;
            }

            foreach (var address in byPort[held.Port].Where(address => Excludes(held.Address, address.Address)))
            {
                sockets.TryAdd(address, (fields[9], user));
            }
        }

        var owners = Owners([.. sockets.Values.Select(socket => socket.Inode)]);
        return sockets.ToDictionary(
            entry => entry.Key,
            entry => owners.TryGetValue(entry.Value.Inode, out var pid) ? new PortHolder(pid, NameOf(pid), entry.Value.User) : new PortHolder(null, null, entry.Value.User));
    }

    private static bool Excludes(IPAddress held, IPAddress wanted) =>
        held.Equals(wanted) || held.Equals(IPAddress.Any) || held.Equals(IPAddress.IPv6Any);

    /// <summary>An address as the kernel prints it: each 32-bit word in host order.</summary>
    private static bool TryParse(string local, [NotNullWhen(true)] out IPEndPoint? address)
    {
        address = null;
        var colon = local.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !int.TryParse(local.AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var port))
        {
            return false;
        }

        var bytes = Convert.FromHexString(local[..colon]);
        for (var word = 0; word < bytes.Length && BitConverter.IsLittleEndian; word += 4)
        {
            Array.Reverse(bytes, word, 4);
        }

        var held = new IPAddress(bytes);
        address = new IPEndPoint(held.IsIPv4MappedToIPv6 ? held.MapToIPv4() : held, port);
        return true;
    }

    /// <summary>The process behind each socket, where this user may look; the walk ends with the last one found.</summary>
    private static Dictionary<string, int> Owners(HashSet<string> inodes)
    {
        var owners = new Dictionary<string, int>();
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (owners.Count == inodes.Count)
            {
                break;
            }

            if (int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out var pid))
            {
                foreach (var inode in Sockets(process).Where(inodes.Contains))
                {
                    owners.TryAdd(inode, pid);
                }
            }
        }

        return owners;
    }

    /// <summary>The inodes of a process's sockets; its descriptors are links such as <c>socket:[12345]</c>.</summary>
    private static List<string> Sockets(string process)
    {
        const string Prefix = "socket:[";
        var sockets = new List<string>();
        try
        {
            foreach (var fd in Directory.EnumerateFiles(Path.Combine(process, "fd")))
            {
                if (new FileInfo(fd).LinkTarget is { } target && target.StartsWith(Prefix, StringComparison.Ordinal))
                {
                    sockets.Add(target[Prefix.Length..^1]);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's process, or one that ended meanwhile: what was seen of it counts.
        }

        return sockets;
    }

    private static string NameOf(int pid) => Lines($"/proc/{pid}/comm").FirstOrDefault() ?? "?";

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
