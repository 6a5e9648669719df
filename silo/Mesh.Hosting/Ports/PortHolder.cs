using System.Globalization;
using System.Net;

namespace Mesh.Hosting.Ports;

/// <summary>Who listens on a port of this machine, as far as /proc tells (proc_net(5)).</summary>
public sealed record PortHolder(int? Pid, string? Program, uint? Uid)
{
    private const string Listening = "0A";
    private const string Unconnected = "07";

    public override string ToString() => (Pid, Program, Uid) switch
    {
        ({ } pid, { } program, _) => $"{program} (pid {pid})",
        (_, _, { } uid) => $"a process of user {uid}",
        _ => "another process",
    };

    public static PortHolder Find(IPEndPoint at, bool isUdp)
    {
        var rows = Rows(isUdp ? "/proc/net/udp" : "/proc/net/tcp", isUdp)
            .Concat(Rows(isUdp ? "/proc/net/udp6" : "/proc/net/tcp6", isUdp))
            .Where(row => row.Port == at.Port)
            .ToList();
        // A wildcard excludes every address, so a row of the same port that is not our own address may be the one.
        var holder = rows.FirstOrDefault(row => row.Address.Equals(at.Address)) ?? rows.FirstOrDefault(row => row.IsAny) ?? rows.FirstOrDefault();
        if (holder is null)
        {
            return new PortHolder(null, null, null);
        }

        var pid = ProcessOf(holder.Inode);
        return new PortHolder(pid, pid is { } found ? ProgramOf(found) : null, holder.Uid);
    }

    private static IEnumerable<Row> Rows(string path, bool isUdp)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        foreach (var line in lines.Skip(1))
        {
            var cells = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (cells.Length < 10 || cells[3] != (isUdp ? Unconnected : Listening))
            {
                continue;
            }

            var colon = cells[1].IndexOf(':', StringComparison.Ordinal);
            yield return new Row(
                AddressFrom(cells[1][..colon]),
                int.Parse(cells[1].AsSpan(colon + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                uint.Parse(cells[7], CultureInfo.InvariantCulture),
                cells[9]);
        }
    }

    /// <summary>Groups of four bytes, each in the machine's byte order.</summary>
    private static IPAddress AddressFrom(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        for (var i = 0; i < bytes.Length && BitConverter.IsLittleEndian; i += 4)
        {
            Array.Reverse(bytes, i, 4);
        }

        var address = new IPAddress(bytes);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private static int? ProcessOf(string inode)
    {
        var wanted = $"socket:[{inode}]";
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                continue;
            }

            try
            {
                if (Directory.EnumerateFiles(directory + "/fd").Any(fd => new FileInfo(fd).LinkTarget == wanted))
                {
                    return pid;
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // Another user's process, or one that just ended.
            }
        }

        return null;
    }

    private static string? ProgramOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed record Row(IPAddress Address, int Port, uint Uid, string Inode)
    {
        public bool IsAny => Address.Equals(IPAddress.Any) || Address.Equals(IPAddress.IPv6Any);
    }
}
